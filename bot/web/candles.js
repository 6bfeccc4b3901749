// The price panel: the chart; the picture where there is none, or its files went with the version that this page is of.
import { PricePicture } from "./picture.js";

export class Candles {
  constructor() {
    this.figure = document.getElementById("price");
    this.chart = null; // until its library is here
    this.known = this.now = null;
  }

  choose() {
    this.known = this.now = null;
    this.chart?.clear();
  }

  show(known) {
    this.known = known;
    if (this.chart) this.chart.show(known);
    else this.isComing ??= this.come();
  }

  move(spot, at) {
    this.now = [spot, at];
    this.chart?.move(spot, at);
  }

  /** It comes once the page has levels: they are read before it. */
  async come() {
    const hasCharts = document.documentElement.dataset.charts === "true";
    const made = hasCharts && await import("./price.js").catch(() => null);
    this.chart = made ? new made.PriceChart(this.figure) : new PricePicture(this.figure);
    if (this.known) this.chart.show(this.known);
    if (this.now) this.chart.move(...this.now);
  }
}
