// One symbol's levels, pictures and venues.
import { age, element, label, percent, price, row } from "./words.js";

const INCLUDED = "expected_move,max_pain,spot,zones";
const FORMATS = ["tradingview", "pine", "csv", "json", "ics"];
const NAMES = {
  hvl: "HVL", call_resistance: "Call Resistance", call_wall_2: "Call Wall 2", call_wall_3: "Call Wall 3",
  put_support: "Put Support", put_wall_2: "Put Wall 2", put_wall_3: "Put Wall 3",
  upper_1sd: "1D Max (1 sd)", lower_1sd: "1D Min (1 sd)", upper_2sd: "1D Max (2 sd)", lower_2sd: "1D Min (2 sd)",
};
const byId = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");

export class Market {
  constructor(ask) {
    this.ask = ask;
    this.symbol = null;
    this.meta = null;
    this.readAt = 0;
    dark.addEventListener("change", () => this.draw());
    setInterval(() => this.tellAge(), 1000);
  }

  show(symbol) {
    this.symbol = symbol;
    this.meta = null;
    for (const id of ["levels", "venues"]) byId(id).replaceChildren();
    for (const id of ["spot", "regime", "net", "age", "trouble"]) byId(id).textContent = "";
    for (const id of ["price", "profile"]) byId(id).hidden = true;
    document.title = `${this.marked()}${label(symbol)} · gammabell`;
    byId("now-title").textContent = `${label(symbol)} now`;
    byId("exports").replaceChildren(...FORMATS.flatMap((form) => {
      const link = element("a", form);
      link.href = `export/${symbol}/${form}`;
      link.download = "";
      return [link, " "];
    }));
    this.load();
  }

  marked() {
    return document.documentElement.dataset.simulated === "true" ? "SIMULATED · " : "";
  }

  renewed(snapshot) {
    if (snapshot.symbol === this.symbol) this.load();
  }

  async load() {
    const symbol = this.symbol;
    try {
      const [levels, status] = await Promise.all([
        this.ask(`gex/levels?symbol=${symbol}&include=${INCLUDED}`), this.ask("status"),
      ]);
      if (symbol !== this.symbol) return;
      byId("trouble").textContent = "";
      this.tell(levels);
      this.tellVenues(status.data.grid[symbol] ?? {});
      this.draw();
    } catch (error) {
      if (symbol === this.symbol) byId("trouble").textContent = error.message;
    }
  }

  tell({ data, meta }) {
    this.meta = meta;
    this.readAt = performance.now();
    const { regime, net_gex: net } = meta.extra;
    byId("spot").textContent = price(meta.spot_price);
    byId("regime").textContent = `${regime ?? "unknown"} gamma`;
    byId("regime").className = `regime ${regime ?? ""}`;
    byId("net").textContent = net === null ? "" : `net GEX ${(net / 1e6).toFixed(1)} M USD per +1 %`;
    byId("levels").replaceChildren(...this.rows(data).map(([name, value]) => row(
      [name, price(value), value === null ? "" : percent(value / meta.spot_price - 1)],
    )));
    document.title = `${this.marked()}${label(this.symbol)} ${price(meta.spot_price)} · gammabell`;
    this.tellAge();
  }

  rows(data) {
    const named = (set, after = "") => Object.entries(set ?? {}).map(([key, value]) => [`${NAMES[key] ?? key}${after}`, value]);
    const flips = (data.gamma_flip_zones ?? []).map((zone, at) => [`Flip ${at + 1}`, zone.flip]);
    const pain = data.max_pain ? [["Max Pain", data.max_pain.strike]] : [];
    const all = [...named(data.all_expiry), ...named(data.odte, " 0DTE"), ...flips, ...pain, ...named(data.expected_move)];
    return all.sort(([, one], [, other]) => (other ?? -1) - (one ?? -1));
  }

  tellAge() {
    if (!this.meta) return;
    const passed = (performance.now() - this.readAt) / 1000;
    const stale = this.meta.extra.stale ? "STALE · " : "";
    byId("age").textContent = `${stale}computed ${age(this.meta.freshness_seconds + passed)} ago from ${this.meta.source.join(", ")}`;
    byId("age").className = this.meta.extra.stale ? "stale" : "quiet";
  }

  tellVenues(venues) {
    byId("venues").replaceChildren(...Object.entries(venues).map(([name, venue]) => {
      const state = venue.reason ? `${venue.status}: ${venue.reason}` : venue.status;
      return row([name, state, venue.age_seconds === null ? "" : age(venue.age_seconds)]);
    }));
  }

  draw() {
    if (!this.meta) return;
    const theme = dark.matches ? "dark" : "light";
    for (const kind of ["price", "profile"]) {
      const image = byId(kind);
      const of = encodeURIComponent(this.meta.computed_at);
      const source = `pictures/${this.symbol}/${kind}.png?theme=${theme}&of=${of}`;
      const next = new Image();
      next.onload = () => {
        if (!source.includes(`/${this.symbol}/`)) return;
        image.src = source;
        image.alt = `${label(this.symbol)} ${kind} chart; its numbers are in the table of levels`;
        image.hidden = false;
      };
      next.src = source;
    }
  }
}
