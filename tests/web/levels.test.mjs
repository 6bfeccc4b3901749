// The list of levels, the window of prices, the words for numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { around, crossed, fullName, levelsOf, nearest } from "../../bot/web/levels.js";
import { windowOf } from "../../bot/web/window.js";
import { aligned, dollars, percent, plain, price, zoneName, zoneOf } from "../../bot/web/words.js";

const DATA = {
  all_expiry: {
    hvl: 82_000, call_resistance: 85_000, call_wall_2: 82_000, call_wall_3: null,
    put_support: 78_000, put_wall_2: 70_000, put_wall_3: 60_000,
  },
  odte: { hvl: null, call_resistance: 81_000, put_support: 79_000 },
  max_pain: { strike: 80_000, value: 1, expiry: "2026-11-23T08:00:00Z" },
  expected_move: { upper_1sd: 81_500, lower_1sd: 78_500, upper_2sd: 83_000, lower_2sd: 77_000 },
  gamma_flip_zones: [{ flip: 75_500, lower: 75_000, upper: 76_000 }, { flip: 90_000, lower: 89_000, upper: 91_000 }],
};
const CANDLES = [{ low: 79_000, high: 80_500 }, { low: 79_500, high: 80_600 }];

test("every level of an answer is in the list once, also those that are not there now", () => {
  const levels = levelsOf(DATA);

  assert.equal(levels.length, 7 + 2 + 3 + 1 + 4);
  assert.equal(new Set(levels.map(({ key }) => key)).size, levels.length);
  assert.deepEqual(levels.filter((one) => one.price === null).map(fullName), ["Call Wall 3", "HVL 0DTE"]);
  assert.deepEqual(levels.filter(({ kind }) => kind === "flip").map(({ name }) => name), ["Flip 1", "Flip 2"]);
  assert.equal(levels.find(({ kind }) => kind === "pain").scope, "23 Nov");
});

test("an answer without its optional sections has the levels of both sets", () => {
  const { all_expiry, odte } = DATA;

  const levels = levelsOf({ all_expiry, odte, max_pain: null, expected_move: null });

  assert.deepEqual([...new Set(levels.map(({ scope }) => scope))], ["all", "0DTE"]);
});

test("what is next above and below spot is a level and no expected move", () => {
  const { above, below } = around(levelsOf(DATA), 80_100);

  assert.deepEqual(above, { names: "Call Resistance 0DTE", price: 81_000 });
  assert.deepEqual(below, { names: "Max Pain", price: 80_000 });
});

test("all that stand at the next price are named, those that matter most first", () => {
  const { above } = around(levelsOf({ ...DATA, odte: { hvl: 82_000, call_resistance: null, put_support: 79_000 } }), 81_000);

  assert.deepEqual(above, { names: "HVL, Call Wall 2, HVL 0DTE", price: 82_000 });
});

test("where there is no level none is nearest", () => {
  assert.equal(nearest([], 80_000), null);
  assert.deepEqual(around([], 80_000), { above: null, below: null });
});

test("the regime is left where HVL or a flip lies between, whichever way", () => {
  const levels = levelsOf(DATA);

  assert.equal(crossed(levels, 81_900, 82_100).name, "HVL");
  assert.equal(crossed(levels, 82_100, 81_900).name, "HVL");
  assert.equal(crossed(levels, 75_600, 75_400).name, "Flip 1");
  assert.equal(crossed(levels, 80_900, 81_100), null); // the 0DTE wall parts no regimes
});

test("the window holds every candle, spot, and no level so far that candles become a line", () => {
  const { low, high } = windowOf(CANDLES, 80_000, [81_000, 60_000], DATA.expected_move);

  assert.ok(low < 79_000 && low > 70_000);
  assert.ok(high > 81_000 && high < 83_000);
});

test("the window is there without an expected move and without levels", () => {
  const { low, high } = windowOf([], 100, [], null);

  assert.ok(low < 100 && high > 100);
});

test("prices and distances have the digits of their size", () => {
  assert.deepEqual([81_149.36, 80_000, 74.5, 0.12345].map(price), ["$81,149.4", "$80,000", "$74.50", "$0.1235"]);
  assert.equal(plain(null), "none");
  assert.equal(percent(-0.0043), "−0.43\u00a0%");
  assert.equal(dollars(82_000, 80_250.4), "+$1,750");
  assert.equal(dollars(72.5, 74.26), "−$1.76");
});

test("the reader's zone is told as an offset", () => {
  const at = new Date("2026-01-15T12:00:00Z");
  const told = { UTC: "UTC", "Europe/Berlin": "UTC+1" }[process.env.TZ];

  assert.equal(zoneOf(at), told ?? zoneOf(at));
});

test("the reader's zone is told once where its name is its offset", () => {
  const told = { UTC: /^UTC$/, "Europe/Berlin": /^Europe\/Berlin \(UTC\+[12]\)$/ }[process.env.TZ];

  assert.match(zoneName(), told ?? /./);
});

test("prices of a column have their points below each other", () => {
  const places = (text) => text.length - (text.indexOf(".") + 1 || text.indexOf("\u2008") + 1);

  assert.equal(places(aligned(86_000)), places(aligned(83_583.2)));
  assert.equal(aligned(86_000).trim(), "86,000");
  assert.deepEqual([aligned(75), aligned(null)], ["75.00", "none"]);
});
