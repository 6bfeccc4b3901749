// The table of levels by price, with spot's own row among them.
import { aligned, dollars, element, percent, row, steady, write } from "./words.js";

export class LevelTable {
  constructor() {
    this.body = document.getElementById("levels");
    this.choose();
  }

  choose() {
    this.lines = [];
    this.spot = null;
    this.body.replaceChildren();
  }

  show({ levels }) {
    const byPrice = [...levels].sort((one, other) => (other.price ?? -1) - (one.price ?? -1));
    this.lines = byPrice.map((level) => ({ level, made: lineOf(level) }));
    this.spot = row(["Spot", "", "", "", ""]);
    this.spot.className = "at-spot";
    this.body.replaceChildren(...this.lines.map(({ made }) => made), this.spot);
  }

  /** The distances from the live price, and its row where it belongs. */
  move(spot) {
    if (!this.spot) return;
    write(this.spot.cells[2], steady(spot));
    for (const { level, made } of this.lines) {
      if (level.price === null) continue;
      write(made.cells[3], percent(level.price / spot - 1));
      write(made.cells[4], dollars(level.price, spot));
    }
    const below = this.lines.find(({ level }) => (level.price ?? -1) < spot)?.made ?? null;
    if (this.spot.nextSibling !== below) this.body.insertBefore(this.spot, below);
  }
}

function lineOf({ name, kind, scope, price }) {
  const made = row(["", scope, aligned(price), "", ""]);
  made.cells[0].append(element("span", name, `key ${kind}`));
  if (price === null) made.className = "absent";
  return made;
}
