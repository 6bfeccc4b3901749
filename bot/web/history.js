// Levels over time: steps of HVL and the walls, spot among them, net GEX beneath.
import { clock, date, money } from "./amounts.js";
import { paint } from "./curves.js";
import { held, sectionOf } from "./panel.js";
import { Plot, choice, offer } from "./plot.js";
import { longestPause } from "./scales.js";
import { age, label, price, zoneName } from "./words.js";

const DAYS = [["1", "1 day"], ["7", "7 days"], ["30", "30 days"]];
const STEP_MS = 120_000; // from a point to the next, for each day that is asked for
const RENEWED = 5; // times in a step
const LINES = [
  { key: "spot_price", kind: "spot", name: "Spot", whole: "Spot" },
  { key: "hvl", kind: "hvl", name: "HVL", whole: "HVL" },
  { key: "call_resistance", kind: "call", name: "Call Res.", whole: "Call Resistance" },
  { key: "put_support", kind: "put", name: "Put Sup.", whole: "Put Support" },
];
const NET = "Net GEX / +1 %";

export class History {
  constructor({ ask }) {
    this.ask = ask;
    this.days = DAYS[0][0];
    this.turn = 0; // one for each symbol and time that is chosen
    const days = choice("Time", (value) => { this.chooseDays(value); });
    offer(days.select, DAYS, this.days);
    const figure = held("figure", "history");
    sectionOf("history", "Levels over time", figure);
    this.plot = new Plot(figure, { name: "Levels over time", upright: false, controls: [days.held] });
    this.choose();
  }

  choose() {
    this.turn += 1;
    this.symbol = this.known = null;
    this.plot.empty();
  }

  show({ symbol, meta }) {
    this.symbol = symbol;
    return this.isDue(meta) ? this.load() : undefined;
  }

  /** Whether a new point may be there: those of many days are far apart. */
  isDue({ computed_at: computed }) {
    if (this.known?.days !== this.days) return true;
    return Date.parse(computed) - this.known.until >= this.days * STEP_MS / RENEWED;
  }

  chooseDays(days) {
    this.days = days;
    this.turn += 1;
    return this.load();
  }

  /** Asks for what is chosen; what comes after something else was chosen, or is older than what is shown, is let go. */
  async load() {
    const { symbol, days, turn } = this;
    if (!symbol) return;
    if (!this.known) this.plot.empty("Reading the past …");
    try {
      const { data, meta } = await this.ask(`gex/stress-history?symbol=${symbol}&days=${days}`);
      if (turn === this.turn) this.take(days, Date.parse(meta.computed_at), data.points);
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    }
  }

  take(days, until, points) {
    if (days === this.known?.days && until < this.known.until) return;
    this.known = { days, until };
    this.draw(points.map((point) => ({ ...point, time: Date.parse(point.datetime) })));
  }

  fail(error) {
    if (this.known?.days === this.days) this.plot.say(`Not renewed: ${error.message}`);
    else this.plot.empty(`No past now: ${error.message}`);
  }

  draw(points) {
    if (points.length > 1) return this.plot.show(scene(points, this.days, label(this.symbol)));
    const known = points.length ? `One point so far, of ${at(points[0])}` : "No past yet";
    const apart = age((this.days * STEP_MS) / 1000);
    return this.plot.empty(`${known}; points are ${apart} apart, the lines begin with the second.`);
  }
}

function scene(points, days, coin) {
  const pause = longestPause(points.map((point) => point.time), days * STEP_MS);
  const view = { points, pause, lines: LINES.filter(({ key }) => points.some((point) => point[key] !== null)) };
  return {
    summary: summary(view, coin),
    notes: notes(view, days),
    legend: LINES.map(({ kind, whole }) => [`line ${kind}`, whole]),
    rest: valuesOf(points.at(-1), "Latest"),
    stops: points.map((point) => ({ key: point.datetime, values: valuesOf(point) })),
    first: points.length - 1,
    paint: (sheet) => paint(sheet, view),
    columns: ["Time", ...LINES.map(({ whole }) => whole), NET],
    rows: () => points.map(cells).reverse(),
  };
}

const at = ({ time }) => `${date.format(time)} ${clock.format(time)}`;

function valuesOf(point, when = "Time") {
  const levels = LINES.map(({ key, whole }) => [whole, price(point[key])]);
  return [[when, at(point)], ...levels, [NET, money(point.net_gex)]];
}

function cells(point) {
  return [at(point), ...LINES.map(({ key }) => price(point[key])), money(point.net_gex)];
}

function notes({ points, pause }, days) {
  const asked = days * 24 * 60 * 60_000;
  const isShort = points.at(-1).time - points[0].time < asked - pause;
  const begin = isShort ? `Nothing is known from before ${at(points[0])}.` : "";
  return [`Times in ${zoneName()}. Net GEX below: USD per +1 % move.`, begin];
}

/** What the drawing shows, in words. */
function summary({ points, pause, lines }, coin) {
  const first = points[0];
  const last = points.at(-1);
  const told = lines.map(({ key, whole }) => `${whole} from ${price(first[key])} to ${price(last[key])}`);
  const outages = points.filter((point, n) => n && point.time - points[n - 1].time > pause).length;
  const broken = outages ? ` ${outages} gap${outages > 1 ? "s" : ""} without data.` : "";
  return `${coin} levels from ${at(first)} to ${at(last)}: ${told.join(", ")}, `
    + `net GEX from ${money(first.net_gex)} to ${money(last.net_gex)} per +1 % move.${broken}`;
}
