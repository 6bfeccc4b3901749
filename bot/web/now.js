// What is so now: spot, regime, what is next above and below, and how old all of it is.
import { around, crossed, fullName } from "./levels.js";
import { money } from "./amounts.js";
import { age, clock, label, percent, price, steady, write } from "./words.js";

const OLD_SPOT_SECONDS = 10;
const OLD_LEVELS_SECONDS = 120; // they come every half minute
const MEANINGS = {
  positive: "Dealers damp moves: they sell rallies and buy dips.",
  negative: "Dealers amplify moves: they buy rallies and sell dips.",
  neutral: "Within a flip zone: dealers' hedging hardly matters.",
};
const byId = (id) => document.getElementById(id);

export class Now {
  constructor({ clock }) {
    this.clock = clock;
    this.known = null;
  }

  choose(symbol) {
    this.known = null;
    write(byId("now-title"), `${label(symbol)} now`);
    for (const id of ["spot", "net", "above", "below", "move"]) write(byId(id), "–");
    for (const id of ["regime", "meaning", "spot-age", "trouble"]) write(byId(id), "");
    write(byId("age"), "Waiting for the levels");
    byId("regime").className = "regime";
    document.documentElement.dataset.stale = "false";
  }

  show(known) {
    this.known = known;
    write(byId("trouble"), "");
    const { net_gex: net } = known.meta.extra;
    write(byId("net"), net === null ? "none" : `${net > 0 ? "+" : ""}${money(net)} per +1 %`);
  }

  move(spot, at) {
    this.spotAt = at;
    write(byId("spot"), `$${steady(spot)}`);
    this.tellRegime(spot);
    const { above, below } = around(this.known.levels, spot);
    for (const [id, next] of Object.entries({ above, below })) write(byId(id), told(next, spot));
    const sides = ["upper_1sd", "lower_1sd"].map((field) => this.known.levels.find(({ key }) => key === `1 day ${field}`));
    write(byId("move"), sides.every((one) => one?.price) ? sides.map((one) => price(one.price)).reverse().join(" to ") : "none");
    this.tick();
  }

  /** The regime at the snapshot's spot; where the live one has left it, that it was so. */
  tellRegime(spot) {
    const { meta, levels } = this.known;
    const { regime } = meta.extra;
    const line = crossed(levels, meta.spot_price, spot);
    const when = line ? ` at ${clock.format(new Date(meta.computed_at))}` : "";
    write(byId("regime"), `${regime ?? "unknown"} gamma${when}`);
    byId("regime").className = `regime ${line ? "" : regime ?? ""}`;
    write(byId("meaning"), line ? `Spot has crossed ${fullName(line)} since.` : MEANINGS[regime] ?? "No option here has gamma now.");
  }

  tick() {
    if (!this.known) return;
    const { meta } = this.known;
    const passed = this.clock.since(meta.computed_at);
    const isOld = meta.extra.stale || passed > OLD_LEVELS_SECONDS;
    write(byId("age"), `${meta.extra.stale ? "STALE · " : ""}Levels computed ${age(passed)} ago from ${meta.source.join(", ")}`);
    byId("age").className = isOld ? "stale" : "quiet";
    document.documentElement.dataset.stale = String(isOld); // said at every panel
    const seconds = this.clock.since(this.spotAt);
    write(byId("spot-age"), seconds > OLD_SPOT_SECONDS ? `spot ${age(seconds)} old` : "");
  }

  fail(text) {
    write(byId("trouble"), text);
    if (!this.known) write(byId("age"), "");
  }
}

function told(next, spot) {
  if (!next) return "none";
  return `${next.names} ${price(next.price)}, ${percent(next.price / spot - 1)}`;
}
