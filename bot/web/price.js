// The price chart: candles of two days, with levels, zones and the expected move drawn in.
import { CandlestickSeries, createChart } from "./vendor/lightweight-charts.js";
import { fullName, known, nearest } from "./levels.js";
import { candlesIn, chartIn, colours, fixedCandles, fixedOptions, when } from "./look.js";
import { gutterOf, Marks } from "./marks.js";
import { windowOf } from "./window.js";
import { dollars, element, isSimulated, label, pair, percent, plain, price, write, zoneOf } from "./words.js";

const NARROW = 440; // pixels, below which there is no room for an axis
const MIDDLING = 640; // below which names are short
const CANDLE_SECONDS = 1800;
const AHEAD = 0.12; // of the candles' width, where the expected move is drawn
const KEYS = { ArrowRight: 1, ArrowUp: 1, PageUp: 12, End: Infinity, ArrowLeft: -1, ArrowDown: -1, PageDown: -12, Home: -Infinity };
const NONE = "No candles now; they come with the next levels.";
const HINT = "The arrow keys read candle by candle";
const dark = matchMedia("(prefers-color-scheme: dark)");

export class PriceChart {
  constructor(figure) {
    this.makeParts(figure);
    this.chart = createChart(this.drawing, fixedOptions());
    this.series = this.chart.addSeries(CandlestickSeries, fixedCandles());
    this.marks = new Marks();
    this.series.attachPrimitive(this.marks);
    this.chart.subscribeCrosshairMove((move) => this.point(move));
    // A finger moves no crosshair, and of two quick taps the library tells no second one.
    this.drawing.addEventListener("pointerup", (event) => {
      if (event.pointerType !== "mouse") requestAnimationFrame(() => this.tap(event));
    });
    // Within that call the library puts its own range over ours.
    this.chart.timeScale().subscribeSizeChange(() => requestAnimationFrame(() => this.fit()));
    dark.addEventListener("change", () => this.paint());
    this.clear();
    this.paint();
  }

  makeParts(figure) {
    this.reading = element("dl", "", "plot-reading");
    this.drawing = element("div", "", "price-drawing");
    this.drawing.setAttribute("role", "img");
    this.reader = element("div", "", "price-reader");
    this.reader.tabIndex = 0;
    this.reader.setAttribute("role", "slider");
    this.reader.setAttribute("aria-label", "Price by time");
    this.reader.addEventListener("keydown", (event) => this.press(event));
    this.reader.addEventListener("blur", () => this.leave());
    this.box = element("div", "", "price-box");
    this.box.append(this.drawing, this.reader);
    this.about = element("span");
    const caption = element("figcaption");
    caption.append(this.about, ...attribution());
    figure.replaceChildren(this.reading, this.box, caption);
  }

  clear() {
    this.known = this.spot = null;
    this.read(null);
    this.series.setData([]);
    this.marks.show(null);
    this.drawing.setAttribute("aria-label", "No price yet");
  }

  show({ meta, data, levels }) {
    const { candles = [] } = data;
    const last = candles.at(-1) && new Date(candles.at(-1).datetime);
    this.zone = zoneOf(last ?? new Date());
    this.shift = (last ?? new Date()).getTimezoneOffset() * -60; // the library knows no zones
    const bars = candles.map(({ datetime, ...prices }) => ({ time: this.timeOf(datetime), ...prices }));
    this.known = { symbol: meta.symbol, data, bars, levels: known(levels).filter(isDrawn) };
    this.series.setData(bars);
    this.fit();
    write(this.about, `30-minute candles, ${this.zone}; the lighter ones rose. `);
  }

  /** Seconds of the chart, in the reader's zone. */
  timeOf(iso) {
    return Date.parse(iso) / 1000 + this.shift;
  }

  /** Take the live price: the last candle, spot's own line, and the prices that are shown. */
  move(spot, at) {
    if (!this.known) return;
    const isFirst = this.spot === null;
    this.spot = spot;
    this.grow(spot, this.timeOf(at));
    if (isFirst) this.fit();
    else this.draw();
    this.drawing.setAttribute("aria-label", this.summary());
    if (this.index === null) this.tell();
  }

  /** The last candle, if the price was within its time; a new one comes with the next levels. */
  grow(spot, time) {
    const last = this.known.bars.at(-1);
    if (!last || time < last.time || time >= last.time + CANDLE_SECONDS) return;
    Object.assign(last, { close: spot, high: Math.max(last.high, spot), low: Math.min(last.low, spot) });
    this.series.update(last);
  }

  /** All candles, and room for the expected move and the names beside them. */
  fit() {
    if (!this.known?.bars.length) return;
    const { bars, levels } = this.known;
    const room = this.drawing.clientWidth;
    this.isBrief = room < MIDDLING;
    this.gutter = gutterOf(levels, this.isBrief);
    this.chart.applyOptions({ leftPriceScale: { visible: room >= NARROW } });
    const width = this.chart.timeScale().width();
    const shown = Math.max(60, width - this.gutter) / (1 + AHEAD);
    this.chart.timeScale().setVisibleLogicalRange({ from: -0.5, to: (bars.length * width) / shown - 0.5 });
    this.draw();
  }

  draw() {
    if (!this.known?.bars.length || this.spot === null) return;
    const { bars, levels, data } = this.known;
    const { spot, colours, gutter, isBrief } = this;
    const { low, high } = windowOf(bars, spot, levels.map((level) => level.price), data.expected_move);
    const [zones, move, last] = [data.gamma_flip_zones ?? [], data.expected_move, bars.at(-1).time];
    this.marks.show({ low, high, levels, zones, move, spot, last, colours, gutter, isBrief });
  }

  /** In the colours of the page's scheme. */
  paint() {
    this.colours = colours();
    this.chart.applyOptions(chartIn(this.colours));
    this.series.applyOptions(candlesIn(this.colours));
    this.draw();
  }

  point({ point, logical }) {
    if (!this.known?.bars.length || !point || logical === undefined) {
      this.read(null);
      return;
    }
    const index = Math.min(Math.max(0, Math.round(logical)), this.known.bars.length - 1);
    this.read(index, this.series.coordinateToPrice(point.y));
  }

  tap({ clientX, clientY }) {
    const { left, top } = this.drawing.getBoundingClientRect();
    const point = { x: clientX - left - this.chart.priceScale("left").width(), y: clientY - top };
    const logical = this.chart.timeScale().coordinateToLogical(point.x) ?? undefined;
    this.point({ point, logical });
    if (this.index !== null) this.cross(this.index, this.at);
  }

  press(event) {
    if (event.key === "Escape") this.leave();
    const step = KEYS[event.key];
    if (step === undefined || !this.known?.bars.length) return;
    event.preventDefault();
    const last = this.known.bars.length - 1;
    const index = this.index === null ? last : Math.max(0, Math.min(this.index + step, last));
    this.cross(index, this.known.bars[index].close);
  }

  /** The candle at that position is read, and marked at that price. */
  cross(index, price) {
    this.chart.setCrosshairPosition(price, this.known.bars[index].time, this.series);
    this.read(index, price);
  }

  leave() {
    this.chart.clearCrosshairPosition();
    this.read(null);
  }

  read(index, at = null) {
    this.index = index;
    this.at = at;
    this.tell();
  }

  /** What is read, in words: a candle and the level nearest to the price pointed at; else the last one and spot. */
  tell() {
    const bars = this.known?.bars ?? [];
    const isRead = this.index !== null && this.index < bars.length;
    const index = isRead ? this.index : bars.length - 1;
    const values = bars.length && this.spot ? this.values(bars[index], isRead ? this.at : this.spot, index === bars.length - 1) : [];
    this.reading.replaceChildren(...(values.length ? values : [["", bars.length ? "" : NONE]]).map(pair));
    this.reader.setAttribute("aria-valuemin", 1);
    this.reader.setAttribute("aria-valuemax", Math.max(1, bars.length));
    this.reader.setAttribute("aria-valuenow", Math.max(1, index + 1));
    this.reader.setAttribute("aria-valuetext", isRead ? values.map((one) => one.join(" ").trim()).join(", ") : HINT);
  }

  values({ time, open, high, low, close }, at, isLast) {
    const level = nearest(this.known.levels, at);
    const near = level && `${fullName(level)} ${price(level.price)}, ${percent(level.price / at - 1)}, ${dollars(level.price, at)}`;
    return [
      ["", `${when(time)} ${this.zone}`],
      ["O", plain(open)], ["H", plain(high)], ["L", plain(low)], ["C", plain(close)],
      [`${isLast ? "Nearest" : "Nearest of today's levels"} to ${plain(at)}:`, near ?? "none"],
    ];
  }

  summary() {
    const { bars, levels, symbol } = this.known;
    if (!bars.length) return `${label(symbol)} price: no candles now`;
    const range = [Math.min(...bars.map((bar) => bar.low)), Math.max(...bars.map((bar) => bar.high))].map(price);
    return `${isSimulated() ? "SIMULATED: " : ""}${label(symbol)} price of the last 48 hours, between ${range.join(" and ")}, now ${price(this.spot)}, `
      + `with ${levels.length} levels; their numbers are in the table of levels`;
  }
}

const isDrawn = ({ key }) => !key.endsWith("_2sd"); // shown as a band

function attribution() {
  const link = element("a", "TradingView");
  link.href = "https://www.tradingview.com/";
  link.rel = "noreferrer";
  return ["Drawn with Lightweight Charts™ by ", link, ", Copyright © 2026 TradingView, Inc."];
}
