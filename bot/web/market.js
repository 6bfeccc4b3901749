// The chosen symbol: asks for its levels, hears its price, and hands both to what shows them.
import { copyOf } from "./copy.js";
import { levelsOf } from "./levels.js";
import { entitle } from "./title.js";
import { element, isSimulated, label, price } from "./words.js";

const INCLUDED = "candles,expected_move,max_pain,spot,zones";
const FORMATS = { tradingview: "TradingView", pine: "Pine", csv: "CSV", json: "JSON", ics: "Calendar" };
const PASTED = ["TradingView", "Pine"]; // into TradingView
const AGAIN_MS = 5_000; // after a failure
const LATEST_MS = 75_000; // levels come every half minute; when nothing told of them they are asked for
const byId = (id) => document.getElementById(id);

export class Market {
  /** The views: now, table, venues, profile, history; `begun` is called when they first show something. */
  constructor(ask, clock, views, begun) {
    Object.assign(this, { ask, clock, views, begun });
    this.symbol = null;
    this.turn = 0;
    this.spots = new Map(); // symbol -> {spot, at}, the newest heard
    setInterval(() => this.tick(), 1000);
  }

  show(symbol) {
    this.symbol = symbol;
    this.known = null;
    for (const view of this.everyView()) view.clear();
    entitle(`${mark()}${label(symbol)} · gammabell`);
    byId("now-title").textContent = `${label(symbol)} now`;
    byId("exports").replaceChildren(...takeAways(symbol));
    this.load();
  }

  everyView() {
    return Object.values(this.views);
  }

  /** The price chart, which comes later than the rest of the page. */
  add(chart) {
    this.views.price = chart;
    if (this.known) this.tell();
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

  take(levels, status) {
    this.clock.set(levels.meta.timestamp);
    const venues = status.data.symbols[this.symbol] ?? {};
    this.known = { ...levels, levels: levelsOf(levels.data), venues };
    this.tell();
  }

  fail(error) {
    if (error.signIn) location.reload(); // the session has ended: the page asks for a new one
    this.due = performance.now() + AGAIN_MS;
    this.views.now.fail(error.message);
  }

  tell() {
    const { data, meta, levels, venues } = this.known;
    const { now, table, price, profile, history } = this.views;
    now.show(meta, levels);
    table.show(levels);
    this.views.venues.show(venues);
    price?.show(meta, data, levels);
    this.move();
    profile.show(this.symbol, meta, data);
    history.show(this.symbol, meta);
    const { begun } = this;
    this.begun = null;
    begun?.();
  }

  /** A live price of any symbol. */
  hear(told) {
    this.spots.set(told.symbol, told);
    if (told.symbol === this.symbol && this.known) this.move();
  }

  /** What hangs on spot: the live price, where it is newer than the one that the levels rest on. */
  move() {
    const { spot, at } = this.newest();
    const { now, table, price: chart } = this.views;
    now.move(spot, at);
    table.move(spot);
    chart?.move(spot, at);
    entitle(`${mark()}${label(this.symbol)} ${price(spot)} · gammabell`);
  }

  newest() {
    const { spot_price: spot, computed_at: at } = this.known.meta;
    const heard = this.spots.get(this.symbol);
    return heard && Date.parse(heard.at) > Date.parse(at) ? heard : { spot, at };
  }

  tick() {
    if (!this.symbol) return;
    this.views.now.tellAge();
    this.views.venues.tellAge();
    if (performance.now() > this.due && !this.isLoading) this.load();
  }
}

const mark = () => (isSimulated() ? "SIMULATED · " : "");

function takeAways(symbol) {
  const files = Object.entries(FORMATS).map(([form, name]) => [name, `export/${symbol}/${form}`]);
  const pictures = ["price", "profile"].map((kind) => [`${kind} picture`, `pictures/${symbol}/${kind}.png`]);
  return [...files, ...pictures].map(([name, address]) => {
    const link = element("a", name);
    link.href = address;
    link.download = "";
    const item = element("li");
    item.append(link);
    if (PASTED.includes(name)) item.append(" ", copyOf(name, () => textAt(address), (text) => shown(item, text)));
    return item;
  });
}

async function textAt(address) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new Error("not there now, try again");
  return response.text();
}

/** The text, below its link, to be selected. */
function shown(item, text) {
  item.querySelector("pre")?.remove();
  const made = element("pre", text);
  made.tabIndex = 0;
  item.append(made);
  return made;
}
