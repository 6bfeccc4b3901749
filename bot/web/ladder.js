// The drawing of a strike profile: prices upwards, exposure by strike across.
import { brief, money, tick } from "./amounts.js";
import { linear, ticks } from "./scales.js";
import { path } from "./sheet.js";
import { tagRoom, writeAxis, writeTags } from "./tags.js";

export const MOST_BARS = 80; // five pixels each; nearer strikes share a bar
const HEIGHT = 36; // em
const THICKEST = 1.3; // em
const FILLED = 0.78; // of the way from a bar to the next
const LEAST_SIDE = 0.12; // of the longest bar: calls and puts each have so much room
const MORE = 1.06; // so that the longest bar ends before the frame
const STEPS = [8, 7, 6, 5, 4, 3]; // of the exposures at most, from end to end
const SHORTEST = 0.04; // of the longest bar: a mark on a shorter one says nothing

/** Draws the view; where each bar is, and how thick. */
export function paint(sheet, view) {
  const [low, high] = view.window;
  const tags = view.marks.filter((mark) => mark.price >= low && mark.price <= high)
    .map((mark) => ({ ...mark, value: brief(mark.price) }));
  const up = writePrices(sheet, view, tags);
  const across = writeExposures(sheet, view.rows);
  const thickness = Math.min(THICKEST * sheet.em, FILLED * (up(0) - up(view.apart)));
  const placed = tags.map((tag) => ({ ...tag, at: up(tag.price) }));
  for (const zone of view.zones) shade(sheet, up, zone, view.window);
  drawLevels(sheet, placed.filter(({ kind }) => kind !== "spot"));
  drawBars(sheet, across, up, view.rows, thickness);
  drawLevels(sheet, placed.filter(({ kind }) => kind === "spot"));
  writeTags(sheet, placed);
  return view.rows.map((row) => [up(row.strike), thickness + 2]);
}

/** The frame and the prices beside it; their scale. */
function writePrices(sheet, { window }, tags) {
  const prices = ticks(window, 9);
  const text = (value) => tick(value, sheet.isNarrow);
  const left = sheet.wide(prices.map(text)) + 10;
  sheet.frame(HEIGHT * sheet.em, left, tagRoom(sheet, tags), 1.8 * sheet.em, 2 * sheet.em);
  const up = linear(window, [sheet.bottom, sheet.top]);
  writeAxis(sheet, up, prices, text);
  return up;
}

/** The exposures beneath the frame; their scale. */
function writeExposures(sheet, rows) {
  const { left, right, top, bottom, em } = sheet;
  const domain = reach(rows);
  const across = linear(domain, [left, right]);
  for (const value of rows.length ? sideBySide(sheet, across, domain) : [0]) {
    sheet.down(across(value), value ? "grid" : "grid zero");
    sheet.add("text", { class: "tick middle", x: across(value), y: bottom + 1.2 * em }, money(value));
  }
  sheet.add("text", { class: "tag put end", x: across(0) - 8, y: top - 0.6 * em }, "puts");
  sheet.add("text", { class: "tag call", x: across(0) + 8, y: top - 0.6 * em }, "calls");
  return across;
}

/** As many round exposures as can be written beside each other. */
function sideBySide(sheet, across, domain) {
  const half = (value) => (sheet.wide([money(value)]) + sheet.em / 4) / 2;
  const room = (value, before) => across(value) - across(before) - half(value) - half(before);
  const fit = (values) => values.every((value, n) => !n || room(value, values[n - 1]) >= 0);
  return STEPS.map((most) => ticks(domain, most)).find(fit) ?? [0];
}

/** The domain of the exposures, with room on both sides of zero. */
function reach(rows) {
  const puts = Math.max(0, ...rows.map((row) => -row.put_gex));
  const calls = Math.max(0, ...rows.map((row) => row.call_gex));
  const least = LEAST_SIDE * Math.max(puts, calls) || 1;
  return [-Math.max(puts, least) * MORE, Math.max(calls, least) * MORE];
}

function shade(sheet, up, { lower, upper }, [low, high]) {
  const [y, end] = [Math.min(upper, high), Math.max(lower, low)].map(up);
  if (end <= y) return;
  sheet.add("rect", { class: "zone", x: sheet.left, y, width: sheet.right - sheet.left, height: end - y });
}

function drawLevels(sheet, levels) {
  for (const { at, kind } of levels) sheet.across(at, `line ${kind}`);
}

function drawBars(sheet, across, up, rows, thickness) {
  const top = (row) => up(row.strike) - thickness / 2;
  const bar = (key) => (row) => path`M${across(0)} ${top(row)}H${across(row[key])}v${thickness}H${across(0)}z`;
  const net = (row) => path`M${across(row.net_gex)} ${top(row)}v${thickness}`;
  const gross = (row) => row.call_gex - row.put_gex;
  const least = SHORTEST * Math.max(...rows.map(gross));
  const nets = rows.filter((row) => gross(row) > least).map(net).join("");
  sheet.add("path", { class: "calls", d: rows.map(bar("call_gex")).join("") });
  sheet.add("path", { class: "puts", d: rows.map(bar("put_gex")).join("") });
  sheet.add("path", { class: "halo", d: nets });
  sheet.add("path", { class: "nets", d: nets });
}
