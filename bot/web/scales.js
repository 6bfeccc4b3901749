// Numbers to places: scales, round steps, gaps, and labels that keep clear of each other.
const NICE = [1, 2, 2.5, 5, 10];
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400].map((one) => one * MINUTE);
const OUTAGE = 3; // usual steps between two points: what is longer is a gap

/** The place of a value: the domain laid onto the range. */
export function linear([from, to], [start, end]) {
  const slope = (end - start) / (to - from || 1);
  return (value) => start + (value - from) * slope;
}

/** The domain that holds every value, a share of it added at each end. */
export function extent(values, margin = 0) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const more = (high - low || Math.abs(high) || 1) * margin;
  return [low - more, high + more];
}

/** The smallest round number that is not below `least`. */
export function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  const whole = least / power - 1e-9;
  return Number(((NICE.find((one) => one >= whole) ?? 10) * power).toPrecision(12));
}

/** Round numbers within the domain, at most `most` steps apart from end to end. */
export function ticks([low, high], most) {
  const step = roundStep((high - low) / most);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** Round times of the reader's clock within the domain, in ms, and how far apart they are. */
export function timeTicks([from, to], most) {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? STEPS.at(-1);
  const times = [];
  const at = new Date(from);
  at.setHours(0, 0, 0, 0);
  // The parts of a local time are added to, not milliseconds: a day may have 23 hours.
  while (at <= to) {
    if (at >= from && (step <= DAY || localDay(at) % (step / DAY) === 0)) times.push(at.getTime());
    if (step < DAY) at.setMinutes(at.getMinutes() + step / MINUTE);
    else at.setDate(at.getDate() + 1);
  }
  return { step, times };
}

const localDay = (at) => Math.round(Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / DAY);

/** Position of the value of the list that is nearest; -1 of an empty one. */
export function nearest(values, wanted) {
  const distances = values.map((one) => Math.abs(one - wanted));
  return distances.indexOf(Math.min(...distances));
}

/** The longest pause between two of these times that is no outage. */
export function longestPause(times, step) {
  const pauses = times.slice(1).map((one, at) => one - times[at]).sort((one, other) => one - other);
  return OUTAGE * Math.max(step, pauses[pauses.length >> 1] ?? 0);
}

/** The points that follow each other without a longer pause, as lists; a point without value parts them too. */
export function runs(points, longest, value = () => 0) {
  const found = [];
  let last = null;
  for (const point of points) {
    const known = value(point) !== null;
    if (known && last && point.time - last.time <= longest) found.at(-1).push(point);
    else if (known) found.push([point]);
    last = known ? point : null;
  }
  return found;
}

/** Centres of boxes along an axis, none over another, each near its wanted place; `wanted` ascends. */
export function spread(wanted, height, low, high) {
  const stacked = wanted.map((_, at) => (at + 0.5) * height);
  const most = high - height * wanted.length;
  // With the stack taken off, boxes are points: not overlapping means not descending.
  const pushed = ascending(wanted.map((one, at) => one - stacked[at]));
  return pushed.map((one, at) => Math.max(low, Math.min(one, most)) + stacked[at]);
}

/** The series without descents that is nearest by squares: descents become their mean. */
function ascending(values) {
  const flat = [];
  for (const value of values) {
    let run = { mean: value, length: 1 };
    while (flat.length && flat.at(-1).mean > run.mean) {
      const before = flat.pop();
      const length = before.length + run.length;
      run = { mean: (before.mean * before.length + run.mean * run.length) / length, length };
    }
    flat.push(run);
  }
  return flat.flatMap(({ mean, length }) => Array(length).fill(mean));
}
