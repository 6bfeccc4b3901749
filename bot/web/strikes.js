// A strike profile as bars: which strikes matter, and few enough bars to be seen.
import { extent, roundStep } from "./scales.js";

const TAIL = 0.08; // of gross GEX left out at each end: the bars of a phone are few
const NARROWEST = 0.08; // of spot, on each side
const WIDEST = 0.35;
const MARGIN = 0.02; // of the window, so that nothing sits on the frame
const UNSEEN = 0.001; // of the longest bar: less than a pixel
const NOTHING = { call_gex: 0, put_gex: 0, net_gex: 0, call_oi: 0, put_oi: 0 };

const gross = (row) => row.call_gex - row.put_gex;

/** Of these rows together: exposure and open interest. */
export function total(rows) {
  const add = (all, row) => Object.fromEntries(Object.keys(NOTHING).map((key) => [key, all[key] + row[key]]));
  return rows.reduce(add, NOTHING);
}

/** The strikes that matter: nearly all exposure, and the prices within reach of spot. Rows ascend. */
export function fittingWindow(rows, spot, prices) {
  const lowest = spot * (1 - WIDEST);
  const highest = spot * (1 + WIDEST);
  const ends = [spot * (1 - NARROWEST), spot * (1 + NARROWEST)];
  for (const strike of tails(rows)) ends.push(Math.max(lowest, Math.min(strike, highest)));
  return extent([...ends, ...prices.filter((one) => one >= lowest && one <= highest)], MARGIN);
}

/** The strikes between which nearly all exposure lies. */
function tails(rows) {
  const { call_gex: calls, put_gex: puts } = total(rows);
  const all = calls - puts;
  let below = 0;
  const inner = rows.filter((row) => {
    const before = below;
    below += gross(row);
    return below >= all * TAIL && before <= all * (1 - TAIL);
  });
  return all > 0 ? [inner[0].strike, inner.at(-1).strike] : [];
}

/** A bar for each strike of the window that has exposure; where they are too many, neighbours share one. */
export function bars(rows, [low, high], most) {
  const inside = rows.filter((row) => row.strike >= low && row.strike <= high);
  const least = UNSEEN * Math.max(...inside.map(gross));
  const seen = inside.filter((row) => gross(row) > least);
  const apart = Math.min(high - low, ...seen.slice(1).map((row, at) => row.strike - seen[at].strike));
  if (apart >= (high - low) / most) return { rows: seen, apart, step: null };
  const step = roundStep((high - low) / most);
  return { rows: shared(inside, step), apart: step, step };
}

/** The rows that are nearest to a multiple of the step as one there. */
function shared(rows, step) {
  const near = new Map();
  for (const row of rows) {
    const strike = Math.round(row.strike / step) * step;
    near.set(strike, [...(near.get(strike) ?? []), row]);
  }
  return [...near].map(([strike, some]) => ({ strike, ...total(some) }));
}
