// The chosen symbol: asks for its levels, hears its price, and hands both to the panels.
import { levelsOf } from "./levels.js";
import { entitle } from "./notices.js";
import { isSimulated, label, price } from "./words.js";

const INCLUDED = "candles,expected_move,max_pain,spot,zones";
const AGAIN_MS = 5_000; // after a failure
const LATEST_MS = 75_000; // levels come every half minute; when nothing told of them they are asked for

export class Market {
  constructor(ask, clock, panels) {
    Object.assign(this, { ask, clock, panels });
    this.symbol = null;
    this.turn = 0;
    this.spots = new Map(); // symbol -> {spot, at}, the newest heard
    setInterval(() => this.tick(), 1000);
  }

  choose(symbol) {
    this.symbol = symbol;
    this.known = null;
    this.panels.tell("choose", symbol);
    entitle(`${mark()}${label(symbol)} · gammabell`);
    this.load();
  }

  /** There are newer levels: they are asked for now, or once an answer that is waited for is there. */
  renewed({ symbol }) {
    if (symbol !== this.symbol) return;
    if (this.isLoading) this.due = 0;
    else this.load();
  }

  /** Asks for all there is; what comes after another symbol was chosen is let go. */
  async load() {
    const turn = this.turn += 1;
    this.due = performance.now() + LATEST_MS;
    this.isLoading = true;
    const answers = await Promise.all([
      this.ask(`gex/levels?symbol=${this.symbol}&include=${INCLUDED}`), this.ask("status"),
    ]).catch((error) => ({ error }));
    if (turn !== this.turn) return;
    this.isLoading = false;
    if (answers.error) this.fail(answers.error);
    else this.take(...answers);
  }

  take({ meta, data }, status) {
    this.clock.set(meta.timestamp);
    const { symbol } = this;
    this.known = { symbol, meta, data, levels: levelsOf(data), venues: status.data.symbols[symbol] ?? {} };
    this.panels.tell("show", this.known);
    this.move();
  }

  fail(error) {
    if (error.signIn) location.reload(); // the session has ended: the page asks for a new one
    this.due = performance.now() + AGAIN_MS;
    this.panels.tell("fail", error.message);
  }

  /** A live price of any symbol. */
  hear(told) {
    this.spots.set(told.symbol, told);
    if (told.symbol === this.symbol && this.known) this.move();
  }

  /** What hangs on spot: the live price, where it is newer than the one that the levels rest on. */
  move() {
    const { spot, at } = this.newest();
    this.panels.tell("move", spot, at);
    entitle(`${mark()}${label(this.symbol)} ${price(spot)} · gammabell`);
  }

  newest() {
    const { spot_price: spot, computed_at: at } = this.known.meta;
    const heard = this.spots.get(this.symbol);
    return heard && Date.parse(heard.at) > Date.parse(at) ? heard : { spot, at };
  }

  tick() {
    if (!this.symbol) return;
    this.panels.tell("tick");
    if (performance.now() > this.due && !this.isLoading) this.load();
  }
}

const mark = () => (isSimulated() ? "SIMULATED · " : "");
