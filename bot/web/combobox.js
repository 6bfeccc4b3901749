// A text field with a list of what may be meant: for keys, pointers and screen readers alike.
import { element } from "./words.js";

let made = 0;

export class Combobox {
  /** find(text) tells, by and by, what may be meant: [{ line, shown, help }]. */
  constructor(input, find) {
    made += 1;
    this.input = input;
    this.find = find;
    this.asked = 0;
    this.offers = [];
    this.active = -1;
    this.list = element("ul", "", "offers");
    this.list.id = `offers-${made}`;
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "What may be meant");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", this.list.id);
    input.setAttribute("aria-expanded", "false");
    input.after(this.list);
    input.addEventListener("input", () => this.ask());
    input.addEventListener("keydown", (event) => this.press(event));
    input.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => this.click(event));
  }

  get isOpen() {
    return !this.list.hidden;
  }

  async ask() {
    const number = this.asked += 1;
    const offers = await this.find(this.input.value);
    if (number === this.asked && document.activeElement === this.input) this.show(offers);
  }

  show(offers) {
    this.offers = offers.filter(({ line }) => line.trim() !== this.input.value.trim());
    this.active = -1;
    this.list.replaceChildren(...this.offers.map(({ shown, help }, position) => {
      const option = element("li");
      option.id = `${this.list.id}-${position}`;
      option.setAttribute("role", "option");
      option.append(element("span", shown));
      if (help) option.append(" ", element("small", help));
      return option;
    }));
    this.list.hidden = !this.offers.length;
    this.list.scrollTop = 0;
    this.mark();
  }

  close() {
    this.asked += 1;
    this.list.hidden = true;
    this.active = -1;
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((option, position) => {
      option.setAttribute("aria-selected", String(position === this.active));
    });
    const chosen = this.isOpen ? this.list.children[this.active] : null;
    this.input.setAttribute("aria-expanded", String(this.isOpen));
    if (chosen) {
      this.input.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  press(event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const isDone = this.isOpen ? this.pressOpen(event.key) : this.pressClosed(event.key);
    if (isDone) {
      event.preventDefault();
      event.stopImmediatePropagation(); // else the field's own history would move as well
    }
  }

  pressClosed(key) {
    if (key !== "ArrowDown" || "recalled" in this.input.dataset) return false;
    this.ask();
    return true;
  }

  pressOpen(key) {
    const count = this.offers.length;
    if (key === "ArrowDown") this.active = (this.active + 1) % count;
    else if (key === "ArrowUp") this.active = (Math.max(this.active, 0) + count - 1) % count;
    else if (key === "Escape") this.close();
    else if ((key === "Enter" || key === "Tab") && this.active >= 0) this.choose(this.active);
    else return false;
    this.mark();
    return true;
  }

  click(event) {
    const option = event.target.closest("[role=option]");
    if (option) this.choose([...this.list.children].indexOf(option));
  }

  /** Take the offer; what is not yet whole is asked further. */
  choose(position) {
    this.input.value = this.offers[position].line;
    this.close();
    if (this.input.value.endsWith(" ")) this.ask();
  }
}
