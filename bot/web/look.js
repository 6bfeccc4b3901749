// What the price chart looks like: the library's options, the colours of the page.
import { ColorType, CrosshairMode, LineStyle } from "./vendor/lightweight-charts.js";
import { plain } from "./words.js";

const NAMES = ["text", "quiet", "line", "panel", "call", "put", "hvl", "flip", "pain", "move", "rising", "falling"];
const moment = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** A time of the chart, which is in the reader's zone already. */
export const when = (time) => moment.format(time * 1000);

/** The page's colours by name, in its scheme of now. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const found = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return { ...found, spot: found.text };
}

/** The chart's options in these colours. */
export function chartIn({ quiet, line, panel, falling }) {
  const cross = { color: quiet, labelBackgroundColor: falling, style: LineStyle.Dotted };
  return {
    layout: { background: { type: ColorType.Solid, color: panel }, textColor: quiet },
    grid: { vertLines: { color: line }, horzLines: { color: line } },
    crosshair: { vertLine: cross, horzLine: cross },
  };
}

/** The candles' options in these colours. */
export function candlesIn({ rising, falling }) {
  return {
    upColor: rising, borderUpColor: rising, wickUpColor: rising,
    downColor: falling, borderDownColor: falling, wickDownColor: falling,
  };
}

/** What the chart is like in every scheme. */
export function fixedOptions() {
  return {
    autoSize: true,
    // The page's policy forbids the style that the logo brings; the caption says whose work it is.
    layout: { attributionLogo: false, fontSize: 11, fontFamily: "system-ui, sans-serif" },
    localization: { timeFormatter: when, priceFormatter: plain },
    rightPriceScale: { visible: false },
    leftPriceScale: { visible: true, borderVisible: false, scaleMargins: { top: 0.02, bottom: 0.02 } },
    timeScale: { borderVisible: false, timeVisible: true, minBarSpacing: 0.5, tickMarkFormatter: tickOf },
    crosshair: { mode: CrosshairMode.Normal },
    handleScroll: false, // the page scrolls, not the chart: it shows all there is
    handleScale: false,
  };
}

/** What the candles are like in every scheme. */
export function fixedCandles() {
  const priceFormat = { type: "custom", formatter: plain, minMove: 1e-4 };
  return { priceFormat, priceLineVisible: false, lastValueVisible: false, priceScaleId: "left" };
}

const DAY_AND_ABOVE = 2; // the library's kinds of tick marks: year, month, day

function tickOf(time, kind) {
  return (kind <= DAY_AND_ABOVE ? day : hour).format(time * 1000);
}
