// What the dashboard's charts compute: scales, round steps, gaps, bars.
import assert from "node:assert/strict";
import { test } from "node:test";

import { money } from "../../bot/web/amounts.js";
import { extent, linear, longestPause, nearest, roundStep, runs, spread, ticks, timeTicks } from "../../bot/web/scales.js";
import { bars, fittingWindow, total } from "../../bot/web/strikes.js";

const HOUR = 3_600_000;
const row = (strike, call, put) => ({
  strike, call_gex: call, put_gex: -put, net_gex: call - put, call_oi: call, put_oi: put,
});
const ladder = (from, step, count) => Array.from({ length: count }, (_, n) => row(from + n * step, 1 + n, 2));
const at = (...times) => times.map((time) => ({ time }));

test("a scale lays the ends of the domain on the ends of the range, upside down too", () => {
  const up = linear([80, 120], [400, 0]);

  assert.deepEqual([80, 100, 120].map(up), [400, 200, 0]);
});

test("a domain without extent is one place and no division by zero", () => {
  assert.equal(linear([5, 5], [0, 100])(5), 0);
  assert.deepEqual(extent([5, 5], 0.1), [4.5, 5.5]);
});

test("ticks are round, within the domain, and no more than asked for", () => {
  assert.deepEqual(ticks([71_300, 88_900], 5), [75_000, 80_000, 85_000]);
  assert.deepEqual(ticks([-0.21, 0.33], 3), [-0.2, 0, 0.2]);
  for (const high of [0.003, 1, 7, 19.99, 1e9]) assert.ok(ticks([0, high], 6).length <= 7);
});

test("a round step is the first one that is large enough", () => {
  assert.deepEqual([1, 1.01, 2.5, 3, 501, 0.03].map(roundStep), [1, 2, 2.5, 5, 1000, 0.05]);
});

test("times are round on the reader's clock", () => {
  const from = new Date(2026, 10, 22, 10, 9).getTime();

  const { step, times } = timeTicks([from, from + 24 * HOUR], 8);

  assert.equal(step, 3 * HOUR);
  assert.deepEqual(times.map((one) => new Date(one).getHours()), [12, 15, 18, 21, 0, 3, 6, 9]);
});

test("days begin at midnight although one of them has 25 hours", () => {
  const { times } = timeTicks([new Date(2026, 9, 20).getTime(), new Date(2026, 9, 30).getTime()], 12);

  assert.equal(times.length, 11);
  assert.ok(times.every((one) => new Date(one).getHours() === 0));
});

test("the ticks of many days stay where they are while time goes on", () => {
  const days = (from) => timeTicks([from, from + 720 * HOUR], 8).times;
  const from = new Date(2026, 10, 1, 12).getTime();

  const [before, after] = [days(from), days(from + 24 * HOUR)];

  assert.deepEqual(before.filter((one) => one >= from + 24 * HOUR), after.slice(0, before.length));
});

test("nearest is a position, and of nothing none", () => {
  assert.deepEqual([0, 14, 16, 99].map((one) => nearest([10, 20, 30], one)), [0, 0, 1, 2]);
  assert.equal(nearest([], 1), -1);
});

test("a line ends where nothing was heard for long", () => {
  const points = at(0, 30, 60, 300, 330);

  const found = runs(points, longestPause(points.map((point) => point.time), 30));

  assert.deepEqual(found, [at(0, 30, 60), at(300, 330)]);
});

test("a slow market's points are no gaps", () => {
  const points = at(0, 900, 1800, 2700);

  assert.deepEqual(runs(points, longestPause(points.map((point) => point.time), 120)), [points]);
});

test("a point without the value parts the line", () => {
  const points = [{ time: 0, hvl: 1 }, { time: 1, hvl: null }, { time: 2, hvl: 3 }, { time: 3, hvl: 4 }];

  const found = runs(points, 10, (point) => point.hvl);

  assert.deepEqual(found.map((run) => run.map((point) => point.hvl)), [[1], [3, 4]]);
});

test("names keep clear of each other, in order, within their side, and near their places", () => {
  const wanted = [0, 50, 52, 54, 199];

  const found = spread(wanted, 20, 0, 200);

  found.slice(1).forEach((one, n) => assert.ok(one - found[n] >= 20 - 1e-9));
  assert.ok(found[0] >= 10 && found.at(-1) <= 190);
  assert.equal(found[2], 52);
});

test("the window holds spot, the levels within reach and most of the exposure, never all far strikes", () => {
  const rows = [...ladder(60_000, 1_000, 41), row(400_000, 90, 0)];

  const [low, high] = fittingWindow(rows, 80_000, [70_000, 91_000, 250_000]);

  assert.ok(low < 70_000 && high > 91_000);
  assert.ok(high < 80_000 * 1.4);
});

test("each strike has its bar where there is room", () => {
  const rows = ladder(75_000, 500, 20);

  const found = bars(rows, [70_000, 90_000], 80);

  assert.equal(found.step, null);
  assert.equal(found.apart, 500);
  assert.deepEqual(found.rows, rows);
});

test("strikes that share a bar lose nothing", () => {
  const rows = ladder(60_000, 100, 400);

  const found = bars(rows, [50_000, 110_000], 80);

  assert.equal(found.step, 1_000);
  assert.ok(found.rows.length <= 80);
  assert.deepEqual(total(found.rows), total(rows));
});

test("without strikes in the window there are no bars", () => {
  assert.deepEqual(bars([], [1, 2], 80).rows, []);
  assert.deepEqual(bars(ladder(10, 1, 3), [1, 2], 80).rows, []);
});

test("amounts are short and say which way", () => {
  const told = [0, -8_140_000, 999.9, 999_999, 1.234e9, null].map(money);

  assert.deepEqual(told, ["$0", "−$8.14M", "$1K", "$1M", "$1.23B", "none"]);
});
