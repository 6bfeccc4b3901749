// What stands beside a frame: the numbers of its axis, the levels by name, none over another.
import { spread } from "./scales.js";
import { path } from "./sheet.js";

const LINE = 1.25; // em from a line of text to the next
const PARTED = 0.3; // em between two names
const LEADER = 12; // pixels from the frame to the names

/** How much room the names need beside the frame. */
export function tagRoom(sheet, tags) {
  return LEADER + Math.ceil(sheet.wide(tags.flatMap((tag) => lines(sheet, tag)))) + 2;
}

/** The names beside the frame, each led to its place `at`; where they are too many, the first ones. */
export function writeTags(sheet, tags, low = sheet.top, high = sheet.bottom) {
  const count = sheet.isNarrow ? 2 : 1;
  const height = (count * LINE + PARTED) * sheet.em;
  const kept = tags.slice(0, Math.floor((high - low) / height)).sort((one, other) => one.at - other.at);
  const places = spread(kept.map((tag) => tag.at), height, low, high);
  kept.forEach((tag, n) => writeTag(sheet, tag, places[n]));
}

/** Numbers along the left side, with a line across for each. */
export function writeAxis(sheet, scale, values, text) {
  for (const value of values) {
    sheet.across(scale(value), "grid");
    sheet.add("text", { class: "tick end", x: sheet.left - 6, y: scale(value), dy: ".35em" }, text(value));
  }
}

function lines(sheet, { name, value }) {
  return sheet.isNarrow ? [name, value] : [`${name} ${value}`];
}

function writeTag(sheet, tag, y) {
  const { right, em } = sheet;
  sheet.add("path", { class: `leader ${tag.kind}`, d: path`M${right} ${tag.at}L${right + LEADER - 3} ${y}` });
  const texts = lines(sheet, tag);
  texts.forEach((text, n) => {
    const down = (n - (texts.length - 1) / 2) * LINE * em;
    sheet.add("text", { class: `tag ${tag.kind}`, x: right + LEADER, y: y + down, dy: ".35em" }, text);
  });
}
