// What a chart is drawn on: shapes of SVG, the frame, the room that words take.
import { isSimulated } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const NARROW = 42; // em: a narrower sheet has short words

/** A place to a tenth of a pixel. */
export const round = (value) => Math.round(value * 10) / 10;

/** The commands of a path, its numbers rounded: path`M${x} ${y}H${end}`. */
export const path = (words, ...numbers) => String.raw({ raw: words }, ...numbers.map(round));

const ours = (names) => names.replace(/\S+/g, "plot-$&"); // "line spot" is nobody else's class

/** An SVG element; places to a tenth of a pixel. */
export function shape(name, { class: names = "", ...attributes } = {}, text = "") {
  const made = document.createElementNS(SVG, name);
  if (names) made.setAttribute("class", ours(names));
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, typeof value === "number" ? round(value) : value);
  }
  if (text) made.textContent = text;
  return made;
}

/** What a drawing is made on: its size, its frame, the width of words. */
export class Sheet {
  constructor(box, width) {
    const style = getComputedStyle(box);
    this.em = parseFloat(style.fontSize);
    this.pen = document.createElement("canvas").getContext("2d");
    this.pen.font = `600 ${style.fontSize} ${style.fontFamily}`;
    this.width = width;
    this.isNarrow = width < NARROW * this.em;
    this.parts = [];
  }

  /** The height of the sheet and the frame within it. */
  frame(height, left, right, top, bottom) {
    Object.assign(this, { height, left, top, right: this.width - right, bottom: height - bottom });
    if (isSimulated()) this.stamp("SIMULATED");
  }

  /** The word across the frame, beneath what is drawn later. */
  stamp(word) {
    const size = (this.right - this.left) / word.length;
    const place = { x: (this.left + this.right) / 2, y: this.top + (this.bottom - this.top) / 3 };
    this.add("text", { class: "stamp middle", "font-size": size, ...place }, word);
  }

  wide(texts) {
    return Math.max(0, ...texts.map((text) => this.pen.measureText(text).width));
  }

  add(name, attributes, text) {
    const made = shape(name, attributes, text);
    this.parts.push(made);
    return made;
  }

  /** A line across the frame. */
  across(y, kind) {
    this.add("path", { class: kind, d: path`M${this.left} ${y}H${this.right}` });
  }

  /** A line from the frame's top to its bottom. */
  down(x, kind) {
    this.add("path", { class: kind, d: path`M${x} ${this.top}V${this.bottom}` });
  }

  finish(svg) {
    svg.setAttribute("width", this.width);
    svg.setAttribute("height", this.height);
    svg.replaceChildren(...this.parts);
  }
}
