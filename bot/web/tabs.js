// The symbols as tabs, each with its spot; the chosen one stands in the address.
import { element, label, steady, write } from "./words.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export class Tabs {
  constructor(list, panel, chosen) {
    this.list = list;
    this.panel = panel;
    this.chosen = chosen;
    this.tabs = new Map(); // by symbol
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) this.choose(tab.dataset.symbol);
    });
    list.addEventListener("keydown", (event) => this.press(event));
    addEventListener("hashchange", () => this.choose(this.wanted()));
  }

  show(symbols) {
    this.tabs = new Map(symbols.map((symbol) => [symbol, tabOf(symbol, this.panel)]));
    this.list.replaceChildren(...this.tabs.values());
    this.choose(this.wanted() ?? symbols[0]);
  }

  wanted() {
    const name = location.hash.slice(1).toUpperCase();
    return [...this.tabs.keys()].find((symbol) => label(symbol) === name);
  }

  choose(symbol) {
    if (!symbol || symbol === this.symbol) return;
    this.symbol = symbol;
    for (const [one, tab] of this.tabs) {
      tab.setAttribute("aria-selected", String(one === symbol));
      tab.tabIndex = one === symbol ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", this.tabs.get(symbol).id);
    history.replaceState(null, "", `#${label(symbol)}`);
    this.chosen(symbol);
  }

  press(event) {
    const all = [...this.tabs.values()];
    const at = all.indexOf(document.activeElement);
    const to = { Home: 0, End: all.length - 1 }[event.key] ?? at + (STEPS[event.key] ?? NaN);
    if (at < 0 || Number.isNaN(to)) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    next.focus();
    this.choose(next.dataset.symbol);
  }

  tell(symbol, spot) {
    const tab = this.tabs.get(symbol);
    if (tab) write(tab.lastChild, steady(spot));
  }
}

function tabOf(symbol, panel) {
  const tab = element("button", label(symbol));
  tab.type = "button";
  tab.id = `tab-${label(symbol)}`;
  tab.dataset.symbol = symbol;
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", panel.id);
  const spot = element("span", "", "tab-spot");
  spot.setAttribute("aria-hidden", "true"); // it changes each second; the panel tells it
  tab.append(spot);
  return tab;
}
