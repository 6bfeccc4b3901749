// How each venue does for the symbol.
import { age, row, write } from "./words.js";

export class Venues {
  constructor(body) {
    this.body = body;
    this.clear();
  }

  clear() {
    this.lines = [];
    this.body.replaceChildren();
  }

  show(venues) {
    this.readAt = performance.now();
    this.lines = Object.entries(venues).map(([name, { status, reason, freshness_seconds: seconds }]) => {
      const made = row([name, reason ? `${status}: ${reason}` : status, ""]);
      made.cells[1].className = `state ${status}`;
      return { made, seconds };
    });
    this.body.replaceChildren(...this.lines.map(({ made }) => made));
    this.tellAge();
  }

  tellAge() {
    const passed = (performance.now() - this.readAt) / 1000;
    for (const { made, seconds } of this.lines) write(made.cells[2], seconds === null ? "–" : age(seconds + passed));
  }
}
