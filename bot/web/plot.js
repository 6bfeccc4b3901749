// A chart's frame: its controls, what is read off it, the drawing, the same numbers as a table.
import { Sheet, round, shape } from "./sheet.js";
import { element, headOf, isSimulated, pair, row } from "./words.js";

const STEPS = {
  ArrowRight: 1, ArrowUp: 1, PageUp: 10, Home: -Infinity,
  ArrowLeft: -1, ArrowDown: -1, PageDown: -10, End: Infinity,
};

/** A labelled select; `changed` is told the chosen value. */
export function choice(title, changed) {
  const select = element("select");
  select.addEventListener("change", () => changed(select.value));
  const held = element("label", title);
  held.append(select);
  return { held, select };
}

/** Fills a select with [value, text] pairs; one that has them already is left alone, so that it may be open. */
export function offer(select, options, chosen) {
  const known = [...select.options].map((one) => `${one.value} ${one.text}`).join("\n");
  if (known !== options.map((one) => one.join(" ")).join("\n")) {
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  }
  select.value = chosen;
}

/**
 * One figure. `show` takes a scene:
 *   summary   the drawing in words
 *   notes     lines beneath it
 *   legend    [mark, words]: what each looks like
 *   rest      [[name, value]] that are told while nothing is read
 *   stops     what can be read, in the order of the axis: {key, values: [[name, value]]}
 *   first     position of the stop at which the arrow keys begin
 *   paint     draws on a Sheet and gives, for each stop, [place, thickness] along the axis
 *   columns, rows   the table: titles, and what makes its rows
 */
export class Plot {
  constructor(figure, { name, upright, controls }) {
    this.upright = upright;
    this.scene = null;
    this.key = null; // of the stop that is read
    this.makeParts(name, controls);
    figure.classList.add("plot");
    figure.replaceChildren(this.controls, this.reading, this.legend, this.box, this.notes, this.details);
    this.listen();
  }

  makeParts(name, controls) {
    this.controls = element("div", "", "plot-controls");
    this.controls.append(...controls);
    this.reading = element("dl", "", "plot-reading");
    this.legend = element("p", "", "plot-legend");
    this.drawing = shape("svg", { role: "img" });
    this.reader = element("div", "", "plot-reader");
    this.reader.tabIndex = 0;
    this.reader.setAttribute("role", "slider");
    this.reader.setAttribute("aria-label", name);
    this.reader.setAttribute("aria-orientation", this.upright ? "vertical" : "horizontal");
    this.box = element("div", "", "plot-box");
    this.box.append(this.drawing, this.reader);
    this.notes = element("div", "", "plot-notes");
    this.makeTable(name);
    this.empty();
  }

  makeTable(name) {
    this.details = element("details");
    this.table = element("table");
    const holder = element("div", "", "plot-table");
    holder.tabIndex = 0;
    holder.setAttribute("role", "region");
    holder.setAttribute("aria-label", `${name}, as a table`);
    holder.append(this.table);
    this.details.append(element("summary", "The numbers as a table"), holder);
    this.details.addEventListener("toggle", () => this.fillTable());
  }

  listen() {
    const { reader } = this;
    reader.addEventListener("pointermove", (event) => this.point(event));
    reader.addEventListener("pointerdown", (event) => this.point(event));
    reader.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.read(null);
    });
    reader.addEventListener("blur", () => this.read(null));
    reader.addEventListener("keydown", (event) => this.press(event));
    let drawn = 0;
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (this.scene && this.box.clientWidth !== drawn) this.draw();
      drawn = this.box.clientWidth;
    })).observe(this.box);
  }

  show(scene) {
    this.scene = scene;
    this.box.hidden = this.reading.hidden = this.details.hidden = false;
    this.drawing.setAttribute("aria-label", isSimulated() ? `SIMULATED: ${scene.summary}` : scene.summary);
    this.say(...scene.notes);
    this.legend.replaceChildren(...scene.legend.map(meaning));
    this.draw();
    this.fillTable();
  }

  /** Nothing to be seen but these words. */
  empty(...lines) {
    this.scene = this.key = null;
    this.box.hidden = this.reading.hidden = this.details.hidden = true;
    this.drawing.replaceChildren();
    this.legend.replaceChildren();
    this.say(...lines);
  }

  say(...lines) {
    this.notes.replaceChildren(...lines.filter(Boolean).map((line) => element("p", line)));
  }

  draw() {
    const width = this.box.clientWidth;
    if (!width) return;
    this.sheet = new Sheet(this.box, width);
    this.places = this.scene.paint(this.sheet);
    this.sheet.finish(this.drawing);
    this.cursor = this.drawing.appendChild(shape("rect", { class: "cursor" }));
    this.tell();
  }

  point(event) {
    if (!this.places?.length) return;
    const box = this.drawing.getBoundingClientRect();
    const at = this.upright ? event.clientY - box.top : event.clientX - box.left;
    const far = this.places.map(([place]) => Math.abs(place - at));
    this.read(far.indexOf(Math.min(...far)));
  }

  press(event) {
    if (event.key === "Escape") this.read(null);
    const step = STEPS[event.key];
    if (step === undefined || !this.scene?.stops.length) return;
    event.preventDefault();
    const last = this.scene.stops.length - 1;
    const from = this.index();
    const to = from < 0 ? this.scene.first : from + step;
    this.read(Math.max(0, Math.min(to, last)));
  }

  index() {
    return this.scene ? this.scene.stops.findIndex((stop) => stop.key === this.key) : -1;
  }

  read(index) {
    this.key = index === null ? null : this.scene.stops[index].key;
    if (this.scene) this.tell();
  }

  /** What is read, in the list of values, to a screen reader, and as a band across the drawing. */
  tell() {
    const index = this.index();
    const { rest, stops } = this.scene;
    const values = index < 0 ? rest : stops[index].values;
    this.reading.replaceChildren(...values.map(pair));
    this.reader.setAttribute("aria-valuemin", 1);
    this.reader.setAttribute("aria-valuemax", Math.max(1, stops.length));
    this.reader.setAttribute("aria-valuenow", (index < 0 ? this.scene.first : index) + 1);
    this.reader.setAttribute("aria-valuetext", values.map((one) => one.join(" ")).join(", "));
    this.mark(index);
  }

  mark(index) {
    this.cursor.setAttribute("visibility", index < 0 ? "hidden" : "visible");
    if (index < 0) return;
    const [place, thickness] = this.places[index];
    const { left, right, top, bottom } = this.sheet;
    const box = this.upright
      ? { x: left, width: right - left, y: place - thickness / 2, height: thickness }
      : { y: top, height: bottom - top, x: place - thickness / 2, width: thickness };
    for (const [key, value] of Object.entries(box)) this.cursor.setAttribute(key, round(value));
  }

  fillTable() {
    if (!this.details.open || !this.scene) return;
    const body = element("tbody");
    body.append(...this.scene.rows().map(row));
    this.table.replaceChildren(headOf(this.scene.columns), body);
  }
}

function meaning([mark, words]) {
  const drawn = shape("svg", { class: "swatch", width: 18, height: 10, "aria-hidden": "true" });
  drawn.append(mark.startsWith("line")
    ? shape("path", { class: mark, d: "M0 5H18" })
    : shape("rect", { class: mark, width: 18, height: 10 }));
  const held = element("span");
  held.append(drawn, words);
  return held;
}
