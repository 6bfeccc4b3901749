// Runs a Pine script (standard input) over made-up bars of a symbol, and prints what it draws.
import { readFileSync } from "node:fs";

const [runtime, base, quote, barMinutes, firstBar, bars] = process.argv.slice(2);
const step = Number(barMinutes) * 60_000;
const candles = Array.from({ length: Number(bars) }, (_, at) => {
  const openTime = Number(firstBar) + at * step;
  return { openTime, closeTime: openTime + step - 1, open: 1, high: 2, low: 1, close: 2, volume: 1 };
});
const symbol = { basecurrency: base, currency: quote, ticker: base + quote, root: base + quote, timezone: "UTC" };
const provider = {
  configure() {},
  getMarketData: async () => candles,
  getSymbolInfo: async () => symbol,
};

const { PineTS } = await import(runtime);
const script = new PineTS(provider, symbol.ticker, barMinutes, candles.length);
const { plots } = await script.run(readFileSync(0, "utf8"));
const drawn = (kind) => plots[`__${kind}__`].data.at(-1).value;
console.log(JSON.stringify({
  lines: drawn("lines").map(({ x1, y1, y2 }) => [x1, y1, y2]),
  labels: drawn("labels").map(({ x, y, text }) => [x, y, text]),
  boxes: drawn("boxes").map(({ bottom, top, text }) => [bottom, top, text]),
  stamp: drawn("tables")[0].cells[0][0].text,
}));
