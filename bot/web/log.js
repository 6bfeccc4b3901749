// What happened: facts about levels, the house's rings, and the reader's own.
import { held, sectionOf } from "./panel.js";
import { element, label, moment, write, zoneName } from "./words.js";

const MOST_LOGGED = 100; // rings, and as many facts
const SHOWN = [["all", "All"], ["one", "This symbol"], ["rings", "Rings"]];

export class Log {
  constructor({ announce }) {
    this.announce = announce;
    this.list = held("ol", "log", "log");
    this.list.setAttribute("aria-labelledby", "log-title");
    this.list.tabIndex = 0;
    this.empty = held("p", "log-empty", "quiet");
    this.empty.textContent = "Nothing has happened yet.";
    this.zone = held("p", "log-zone", "quiet");
    this.symbol = null;
    this.shows = SHOWN[0][0];
    sectionOf("log", "Log", this.filter(), this.list, this.empty, this.zone);
    this.anew();
  }

  filter() {
    const made = held("fieldset", "log-filter", "choices");
    const choices = SHOWN.map(([value, name]) => choiceOf(value, name, value === this.shows));
    made.append(element("legend", "What the log shows", "unseen"), ...choices);
    made.addEventListener("change", (event) => {
      this.shows = event.target.value;
      this.sift();
    });
    this.one = choices[1].querySelector("span");
    return made;
  }

  /** The server tells what happened last anew, but for what is the reader's alone. */
  anew() {
    for (const line of [...this.list.children]) if (!("own" in line.dataset)) line.remove();
    write(this.zone, `Times in ${zoneName()}`);
    this.sift();
  }

  choose(symbol) {
    this.symbol = symbol;
    write(this.one, label(symbol));
    this.sift();
  }

  happen(event, isNews) {
    const line = lineOf(event);
    line.hidden = !this.isShown(line);
    const older = [...this.list.children].find(({ dataset }) => dataset.at <= Number(line.dataset.at));
    this.list.insertBefore(line, older ?? null);
    this.letGo(event.kind === "alert");
    this.empty.hidden ||= !line.hidden;
    if (isNews && event.kind === "alert") this.announce(`Ring: ${event.text}`);
  }

  /** The oldest rings, or facts, that are too many: there are so many facts that rings would go with them. */
  letGo(rings) {
    const same = [...this.list.children].filter(({ dataset }) => (dataset.kind === "alert") === rings);
    for (const line of same.slice(MOST_LOGGED)) line.remove();
  }

  isShown({ dataset }) {
    return { all: true, one: dataset.symbol === this.symbol, rings: dataset.kind === "alert" }[this.shows];
  }

  sift() {
    for (const line of this.list.children) line.hidden = !this.isShown(line);
    this.empty.hidden = [...this.list.children].some((line) => !line.hidden);
  }
}

function choiceOf(value, name, isChosen) {
  const input = element("input");
  Object.assign(input, { type: "radio", name: "log", value, checked: isChosen });
  const made = element("label");
  made.append(input, element("span", name));
  return made;
}

function lineOf({ kind, at, symbol, text, own }) {
  const line = element("li", "", kind);
  Object.assign(line.dataset, { symbol, kind, at: Date.parse(at) });
  if (own) line.dataset.own = "";
  const body = element("span");
  if (kind === "alert") body.append(element("b", own ? "YOUR RING " : "RING "), text);
  else body.append(element("b", label(symbol)), ` ${text}`);
  line.append(moment(at), body);
  return line;
}
