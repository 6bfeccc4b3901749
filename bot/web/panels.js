// Every panel of the page, in its order: a new one is its file and its line here. What is seen first has its
// section in index.html, others make theirs.
import { Candles } from "./candles.js";
import { History } from "./history.js";
import { Log } from "./log.js";
import { Now } from "./now.js";
import { Profile } from "./profile.js";
import { LevelTable } from "./table.js";
import { Takes } from "./takes.js";
import { Venues } from "./venues.js";

const PANELS = [Now, Candles, LevelTable, Takes, Profile, History, Log, Venues];

/**
 * A panel is made with { ask, clock, announce } and has what it needs of these:
 *   choose(symbol)        another symbol is chosen: what was shown of the one before goes
 *   show(known)           there are levels: { symbol, meta, data, levels, venues }; data has the
 *                         sections of /gex/levels that INCLUDED of market.js names
 *   move(spot, at)        the symbol's live price, after its levels were shown
 *   tick()                a second has passed
 *   fail(words)           the levels could not be renewed
 *   anew()                the server tells again what happened last
 *   happen(event, isNews) something happened: { kind, at, symbol, text }
 */
export class Panels {
  constructor(parts) {
    this.panels = PANELS.map((Panel) => new Panel(parts));
  }

  /** To every panel that has an ear for it. */
  tell(what, ...told) {
    for (const panel of this.panels) panel[what]?.(...told);
  }
}
