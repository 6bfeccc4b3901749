// Lines that were typed before, by arrow up and down.
const MOST = 50;

export class Recall {
  constructor(input) {
    this.input = input;
    this.lines = [];
    this.at = 0;
    this.draft = "";
    input.addEventListener("keydown", (event) => this.press(event));
    input.addEventListener("input", () => this.rest());
  }

  add(line) {
    this.lines = [...this.lines.filter((one) => one !== line), line].slice(-MOST);
    this.rest();
  }

  rest() {
    this.at = this.lines.length;
    delete this.input.dataset.recalled;
  }

  press(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const next = this.at + step;
    if (!step || next < 0 || next > this.lines.length) return;
    event.preventDefault();
    if (this.at === this.lines.length) this.draft = this.input.value;
    this.at = next;
    this.input.value = this.lines[next] ?? this.draft;
    if (next < this.lines.length) this.input.dataset.recalled = "";
    else delete this.input.dataset.recalled;
  }
}
