// The levels of an answer as one list: {key, name, brief, kind, scope, price}.
const SET = {
  call_resistance: ["Call Resistance", "Call Res", "call"],
  put_support: ["Put Support", "Put Sup", "put"],
  hvl: ["HVL", "HVL", "hvl"],
  call_wall_2: ["Call Wall 2", "CW 2", "call"],
  put_wall_2: ["Put Wall 2", "PW 2", "put"],
  call_wall_3: ["Call Wall 3", "CW 3", "call"],
  put_wall_3: ["Put Wall 3", "PW 3", "put"],
};
const MOVE = {
  upper_1sd: ["1D Max (1 sd)", "1D Max", "move"],
  lower_1sd: ["1D Min (1 sd)", "1D Min", "move"],
  upper_2sd: ["1D Max (2 sd)", "2 sd", "move"],
  lower_2sd: ["1D Min (2 sd)", "2 sd", "move"],
};
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

const named = (prices, names, scope) => Object.entries(names)
  .filter(([field]) => prices && field in prices)
  .map(([field, [name, brief, kind]]) => ({ key: `${scope} ${field}`, name, brief, kind, scope, price: prices[field] }));

function flips({ gamma_flip_zones: zones = [] }) {
  return zones.map(({ flip }, at) => {
    const name = zones.length > 1 ? `Flip ${at + 1}` : "Flip";
    return { key: `flip ${at}`, name, brief: name, kind: "flip", scope: "all", price: flip };
  });
}

function pain({ max_pain: pain }) {
  if (!pain) return [];
  const scope = day.format(new Date(pain.expiry));
  return [{ key: "pain", name: "Max Pain", brief: "Pain", kind: "pain", scope, price: pain.strike }];
}

/** Every level of the answer, those that matter most first; a price may be null. */
export function levelsOf(data) {
  return [
    ...named(data.all_expiry, SET, "all"),
    ...flips(data),
    ...named(data.odte, SET, "0DTE"),
    ...pain(data),
    ...named(data.expected_move, MOVE, "1 day"),
  ];
}

export const known = (levels) => levels.filter((level) => level.price !== null);

/** The name with what it is of, where that is not everything. */
export const fullName = ({ name, scope }) => (scope === "0DTE" ? `${name} 0DTE` : name);

/** The level nearest to the price, null where there is none. */
export function nearest(levels, price) {
  const distance = (level) => Math.abs(level.price - price);
  return known(levels).reduce((best, one) => (best && distance(best) <= distance(one) ? best : one), null);
}

/** What parts the regimes and lies between the two prices, null where nothing does. */
export function crossed(levels, before, now) {
  const parts = known(levels).filter(({ key, kind }) => key === "all hvl" || kind === "flip");
  return parts.find(({ price }) => (price > before) !== (price > now)) ?? null;
}

/** What is nearest above the price and at or below it, as {names, price}; null where there is none. */
export function around(levels, price) {
  const apart = known(levels).filter(({ kind }) => kind !== "move");
  return {
    above: together(apart, nearest(apart.filter((level) => level.price > price), price)),
    below: together(apart, nearest(apart.filter((level) => level.price <= price), price)),
  };
}

/** All that stand where that level stands. */
function together(levels, level) {
  if (!level) return null;
  const same = levels.filter((one) => one.price === level.price);
  return { names: same.map(fullName).join(", "), price: level.price };
}
