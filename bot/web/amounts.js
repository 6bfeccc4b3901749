// How charts write amounts and times, in little room.
import { price } from "./words.js";

/** A large USD amount, short: −$12.3M. */
export function money(value) {
  if (value === null) return "none";
  let size = Number(Math.abs(value).toPrecision(3));
  const units = ["", "K", "M", "B"];
  while (size >= 1000 && units.length > 1) {
    size = Number((size / 1000).toPrecision(3));
    units.shift();
  }
  return `${value < 0 ? "−" : ""}$${size.toLocaleString("en-US")}${units[0]}`;
}

/** Coins: 12,345; 1.26M. */
export const coins = (value) => value.toLocaleString("en-US", value < 1e6
  ? { maximumFractionDigits: value < 10 ? 2 : 0 }
  : { notation: "compact", maximumSignificantDigits: 3 });

/** A price on an axis: $82,500; where room is short $82.5K. */
export function tick(value, isShort) {
  const [size, unit] = isShort && value >= 10_000 ? [value / 1000, "K"] : [value, ""];
  return `$${size.toLocaleString("en-US", { maximumFractionDigits: 9 })}${unit}`;
}

/** A price beside its level's name: whole dollars where they are many. */
export const brief = (value) => price(value >= 10_000 ? Math.round(value) : value);

/** Of the reader's day and clock. */
export const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
export const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
