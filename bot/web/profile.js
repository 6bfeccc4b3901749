// GEX by strike: calls to the right, puts to the left, the levels beside it.
import { clock, coins, money } from "./amounts.js";
import { MOST_BARS, paint } from "./ladder.js";
import { held, sectionOf } from "./panel.js";
import { Plot, choice, offer } from "./plot.js";
import { extent, nearest } from "./scales.js";
import { bars, fittingWindow, total } from "./strikes.js";
import { label, price } from "./words.js";

const ALL = "all";
const ODTE = "0dte";
const FIT = "fit";
const RANGES = [
  [FIT, "most of the GEX"], ["5", "± 5 % of spot"], ["10", "± 10 %"], ["20", "± 20 %"], ["40", "± 40 %"],
  [ALL, "all"],
];
const NAMES = [
  { key: "hvl", kind: "hvl", name: "HVL", whole: "HVL" },
  { key: "call_resistance", kind: "call", name: "Call Res.", whole: "Call Resistance" },
  { key: "put_support", kind: "put", name: "Put Sup.", whole: "Put Support" },
];
const LEGEND = [["calls", "calls"], ["puts", "puts"], ["nets", "net"], ["zone", "flip zone"]];
const EXPOSURES = ["Call GEX / +1 %", "Put GEX / +1 %", "Net GEX / +1 %"];

const day = (iso) => iso.slice(0, 10);

export class Profile {
  constructor({ ask }) {
    this.ask = ask;
    this.expiry = ALL;
    this.range = FIT;
    this.turn = 0; // one for each symbol and expiry that is chosen
    const expiry = choice("Expiry", (value) => { this.chooseExpiry(value); });
    const range = choice("Strikes", (value) => { this.range = value; this.draw(); });
    this.select = expiry.select;
    this.offerExpiries([]);
    offer(range.select, RANGES, FIT);
    const figure = held("figure", "profile");
    sectionOf("profile", "GEX by strike", figure);
    this.plot = new Plot(figure, { name: "GEX by strike", upright: true, controls: [expiry.held, range.held] });
    this.choose();
  }

  choose() {
    this.turn += 1;
    this.symbol = this.strikes = null;
    this.plot.empty();
  }

  show({ symbol, meta, data: levels }) {
    Object.assign(this, { symbol, meta, levels });
    return this.strikes?.at === meta.computed_at ? this.draw() : this.load();
  }

  chooseExpiry(expiry) {
    this.expiry = expiry;
    this.turn += 1;
    return this.load();
  }

  /** Asks for what is chosen; what comes after something else was chosen, or is older than what is shown, is let go. */
  async load() {
    const { symbol, turn } = this;
    if (!symbol) return;
    if (!this.strikes) this.plot.empty("Reading the strikes …");
    try {
      const { data: { expiries } } = await this.ask(`expiries?symbol=${symbol}`);
      if (turn !== this.turn) return;
      this.offerExpiries(expiries);
      const of = this.expiry;
      const { data, meta } = await this.ask(`gex/strike-profile?symbol=${symbol}&expiry=${of}`);
      if (turn === this.turn) this.take({ of, rows: data.strikes, at: meta.computed_at });
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    }
  }

  take(strikes) {
    const isOld = strikes.of === this.strikes?.of && Date.parse(strikes.at) < Date.parse(this.strikes.at);
    if (isOld) return;
    this.strikes = strikes;
    this.draw();
  }

  offerExpiries(expiries) {
    const options = expiryOptions(expiries);
    if (!options.some(([value]) => value === this.expiry)) this.expiry = ALL;
    offer(this.select, options, this.expiry);
  }

  fail(error) {
    if (this.strikes?.of === this.expiry) this.plot.say(`Not renewed: ${error.message}`);
    else {
      this.strikes = null;
      this.plot.empty(`No strikes now: ${error.message}`);
    }
  }

  draw() {
    if (!this.strikes) return;
    if (this.strikes.rows.length) this.plot.show(this.scene());
    else this.plot.empty("No strike has open interest now.");
  }

  scene() {
    const { of, rows } = this.strikes;
    const { spot_price: spot, computed_at: at } = this.meta;
    const then = `Spot at ${clock.format(new Date(at))}`; // the live one has moved on
    const marks = marksOf(this.levels, of);
    const window = this.windowOf(rows, spot, marks);
    const zones = of === ODTE ? [] : this.levels.gamma_flip_zones ?? [];
    const { rows: drawn, apart, step } = bars(rows, window, MOST_BARS);
    const view = {
      window, zones, apart, step, of, coin: label(this.symbol), whole: total(rows), rows: drawn,
      marks: [{ kind: "spot", name: then, whole: then, price: spot }, ...marks, ...flips(zones, spot)],
    };
    return {
      summary: summary(view, rows),
      notes: notes(view),
      legend: LEGEND.slice(0, zones.length ? 4 : 3),
      rest: [["All strikes", String(rows.length)], ...valuesOf(view.whole, view.coin)],
      stops: drawn.map((row) => ({ key: row.strike, values: [strikeOf(row, view), ...valuesOf(row, view.coin)] })),
      first: Math.max(0, nearest(drawn.map((row) => row.strike), spot)),
      paint: (sheet) => paint(sheet, view),
      columns: ["Strike", ...EXPOSURES, `Call OI, ${view.coin}`, `Put OI, ${view.coin}`],
      rows: () => rows.map(cells).reverse(),
    };
  }

  windowOf(rows, spot, marks) {
    if (this.range === FIT) return fittingWindow(rows, spot, marks.map((mark) => mark.price));
    if (this.range === ALL) return extent([spot, ...rows.map((row) => row.strike)], 0.02);
    const part = Number(this.range) / 100;
    return [spot * (1 - part), spot * (1 + part)];
  }
}

function expiryOptions(expiries) {
  const days = new Map(expiries.map(({ expiry, hours_left: left }) => [day(expiry), leftWords(left)]));
  return [[ALL, "all"], [ODTE, "0DTE, within 24 h"], ...[...days].map(([name, left]) => [name, `${name}, ${left}`])];
}

function leftWords(hours) {
  return hours < 48 ? `in ${Math.max(1, Math.round(hours))} h` : `in ${Math.round(hours / 24)} days`;
}

function expiryWords(of) {
  return { [ALL]: "all expiries", [ODTE]: "0DTE" }[of] ?? `expiry ${of}`;
}

/** The levels of the set: 0DTE has its own, a single day shows those of all expiries. */
function marksOf(levels, of) {
  const [set, after] = of === ODTE ? [levels.odte, " 0DTE"] : [levels.all_expiry, ""];
  return NAMES.filter(({ key }) => set?.[key]).map(({ key, kind, name, whole }) => (
    { kind, name: name + after, whole: whole + after, price: set[key] }
  ));
}

/** The flips to be named, the nearest to spot first. */
function flips(zones, spot) {
  const near = [...zones].sort((one, other) => Math.abs(one.flip - spot) - Math.abs(other.flip - spot));
  return near.map((zone) => ({ kind: "flip", name: "Flip", whole: "Flip", price: zone.flip }));
}

function strikeOf({ strike }, { step }) {
  return [step ? "Strikes near" : "Strike", price(strike)];
}

function valuesOf(row, coin) {
  const held = (oi) => `${coins(oi)} ${coin}`;
  const values = exposures(row);
  return [
    ...EXPOSURES.map((name, n) => [name, values[n]]),
    ["Call OI", held(row.call_oi)], ["Put OI", held(row.put_oi)],
  ];
}

function notes({ of, step, rows }) {
  const each = step ? `at each ${price(step)} of strikes` : "at each strike";
  const levels = of === ALL || of === ODTE ? "" : "The levels and flip zones are those of all expiries.";
  const nothing = rows.length ? "" : "No strike of this range has gamma.";
  return [nothing || `GEX ${each}, USD per +1 % move; ${expiryWords(of)}.`, levels];
}

/** What the drawing shows, in words. */
function summary({ coin, of, whole, marks }, rows) {
  const best = (key, size) => rows.reduce((one, other) => (size(other[key]) > size(one[key]) ? other : one));
  const calls = best("call_gex", (value) => value);
  const puts = best("put_gex", (value) => -value);
  const levels = marks.map((mark) => `${mark.whole} ${price(mark.price)}`).join(", ");
  return `${coin} GEX by strike, ${expiryWords(of)}: net ${money(whole.net_gex)} per +1 % move. `
    + `Most calls at ${price(calls.strike)}, ${money(calls.call_gex)}; most puts at ${price(puts.strike)}, `
    + `${money(puts.put_gex)}. ${levels}.`;
}

const exposures = (row) => [row.call_gex, row.put_gex, row.net_gex].map(money);

const cells = (row) => [price(row.strike), ...exposures(row), coins(row.call_oi), coins(row.put_oi)];
