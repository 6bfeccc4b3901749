// How each venue does for the symbol.
import { held, sectionOf } from "./panel.js";
import { age, element, headOf, row, write } from "./words.js";

export class Venues {
  constructor() {
    this.body = held("tbody", "venues");
    const table = element("table");
    table.append(headOf(["Venue", "State", "Age of its data"]), this.body);
    const box = element("div", "", "scroll");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Table of venues");
    box.append(table);
    sectionOf("venues", "Venues", box);
    this.choose();
  }

  choose() {
    this.lines = [];
    this.body.replaceChildren();
  }

  show({ venues }) {
    this.readAt = performance.now();
    this.lines = Object.entries(venues).map(([name, { status, reason, freshness_seconds: seconds }]) => {
      const made = row([name, reason ? `${status}: ${reason}` : status, ""]);
      made.cells[1].className = `state ${status}`;
      return { made, seconds };
    });
    this.body.replaceChildren(...this.lines.map(({ made }) => made));
    this.tick();
  }

  tick() {
    const passed = (performance.now() - this.readAt) / 1000;
    for (const { made, seconds } of this.lines) write(made.cells[2], seconds === null ? "–" : age(seconds + passed));
  }
}
