// The drawing of levels over time: prices above, net GEX in a band of its own.
import { brief, clock, date, money, tick } from "./amounts.js";
import { extent, linear, runs, ticks, timeTicks } from "./scales.js";
import { path } from "./sheet.js";
import { tagRoom, writeAxis, writeTags } from "./tags.js";

const HEIGHT = 36; // em: as the strikes' beside it
const BAND = 0.22; // of the height: net GEX
const PARTED = 1.4; // em between the prices and the band
const MARGIN = 0.05; // of the prices, above and below
const DAY = 86_400_000;
const NET = { key: "net_gex", kind: "net", name: "Net GEX" };

const known = (points, key) => points.map((point) => point[key]).filter((value) => value !== null);

/** Draws the view; where each point is. */
export function paint(sheet, view) {
  const { points, lines } = view;
  const prices = extent(lines.flatMap(({ key }) => known(points, key)), MARGIN);
  const nets = extent([0, ...known(points, NET.key)]);
  const tags = tagsOf(points.at(-1), [...lines, NET]);
  const [x, up, high] = writeAxes(sheet, [points[0].time, points.at(-1).time], prices, nets, tags);
  drawBand(sheet, view, x, high);
  for (const line of [...lines].reverse()) drawLine(sheet, view, line, x, up);
  const placed = tags.map((tag) => ({ ...tag, at: (tag.kind === NET.kind ? high : up)(tag.price) }));
  writeTags(sheet, placed.filter(({ kind }) => kind !== NET.kind), sheet.top, up(prices[0]));
  writeTags(sheet, placed.filter(({ kind }) => kind === NET.kind), high(nets[1]), sheet.bottom);
  return points.map((point) => [x(point.time), 1]);
}

/** What the last point says, to be named beside it. */
function tagsOf(last, lines) {
  return lines.filter(({ key }) => last[key] !== null).map((line) => {
    const value = last[line.key];
    return { ...line, price: value, value: line.kind === NET.kind ? money(value) : brief(value) };
  });
}

/** The frame and the numbers beside it; the scales of time, prices and net GEX. */
function writeAxes(sheet, times, prices, nets, tags) {
  const text = (value) => tick(value, sheet.isNarrow);
  const [priceTicks, netTicks] = [ticks(prices, 6), ticks(nets, 2)];
  const left = sheet.wide([...priceTicks.map(text), ...netTicks.map(money)]) + 10;
  sheet.frame(HEIGHT * sheet.em, left, tagRoom(sheet, tags), 0.8 * sheet.em, 2 * sheet.em);
  const split = sheet.bottom - BAND * sheet.height;
  const x = linear(times, [sheet.left, sheet.right]);
  const up = linear(prices, [split - PARTED * sheet.em, sheet.top]);
  const high = linear(nets, [sheet.bottom, split]);
  writeTimes(sheet, times, x);
  writeAxis(sheet, up, priceTicks, text);
  writeAxis(sheet, high, netTicks, money);
  return [x, up, high];
}

function writeTimes(sheet, domain, x) {
  const { left, right, bottom, em } = sheet;
  const { step, times } = timeTicks(domain, Math.max(2, Math.floor((right - left) / (4.2 * em))));
  for (const time of times) {
    const told = step >= DAY || clock.format(time) === "00:00" ? date : clock;
    sheet.down(x(time), "grid");
    sheet.add("text", { class: "tick middle", x: x(time), y: bottom + 1.3 * em }, told.format(time));
  }
}

/** Spot goes from point to point; a level stays until the next point says otherwise. */
function drawLine(sheet, { points, pause }, { key, kind }, x, y) {
  const draw = kind === "spot" ? straight : steps;
  const parts = runs(points, pause, (point) => point[key]).map((run) => placesOf(run, x, (point) => y(point[key])));
  sheet.add("path", { class: `line ${kind}`, d: parts.map(draw).join("") });
}

/** Net GEX as an area, what is above zero and what is below. */
function drawBand(sheet, { points, pause }, x, y) {
  const parts = runs(points, pause, (point) => point.net_gex);
  for (const [kind, bound] of [["above", Math.max], ["below", Math.min]]) {
    const areas = parts.map((run) => placesOf(run, x, (point) => y(bound(0, point.net_gex))))
      .map((places) => steps(places) + path`V${y(0)}H${places[0][0]}z`);
    sheet.add("path", { class: `band ${kind}`, d: areas.join("") });
  }
  sheet.across(y(0), "grid zero");
}

const placesOf = (run, x, y) => run.map((point) => [x(point.time), y(point)]);

/** Straight from place to place; a lone one is a dot. */
function straight([[x, y], ...others]) {
  return path`M${x} ${y}` + (others.map((place) => path`L${place[0]} ${place[1]}`).join("") || "h1");
}

/** In steps from place to place; a lone one is a dot. */
function steps([[x, y], ...others]) {
  return path`M${x} ${y}` + (others.map((place) => path`H${place[0]}V${place[1]}`).join("") || "h1");
}
