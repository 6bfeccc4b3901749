// What happened: facts about levels, and the house's rings.
import { element, label, moment, write, zoneName } from "./words.js";

const MOST_LOGGED = 100; // rings, and as many facts
const byId = (id) => document.getElementById(id);

export class Log {
  constructor(announce) {
    this.announce = announce;
    this.list = byId("log");
    this.symbol = null;
    this.shows = "all";
    this.clear();
    byId("log-filter").addEventListener("change", (event) => {
      this.shows = event.target.value;
      this.sift();
    });
  }

  /** The server tells what happened last anew. */
  clear() {
    this.list.replaceChildren();
    write(byId("log-zone"), `Times in ${zoneName()}`);
    this.sift();
  }

  choose(symbol) {
    this.symbol = symbol;
    write(byId("log-one"), label(symbol));
    this.sift();
  }

  add(event, isNews) {
    const line = lineOf(event);
    line.hidden = !this.isShown(line);
    this.list.prepend(line);
    this.letGo(event.kind === "alert");
    byId("log-empty").hidden ||= !line.hidden;
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
    byId("log-empty").hidden = [...this.list.children].some((line) => !line.hidden);
  }
}

function lineOf({ kind, at, symbol, text }) {
  const line = element("li", "", kind);
  Object.assign(line.dataset, { symbol, kind });
  const body = element("span");
  if (kind === "alert") body.append(element("b", "RING "), text);
  else body.append(element("b", label(symbol)), ` ${text}`);
  line.append(moment(at), body);
  return line;
}
