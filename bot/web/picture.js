// The price chart where there is no chart library: the server's own picture.
import { element, label } from "./words.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

export class PricePicture {
  constructor(figure) {
    this.image = element("img");
    this.image.hidden = true;
    figure.replaceChildren(this.image, element("figcaption", "Price with the levels drawn in, as the server draws it"));
    dark.addEventListener("change", () => this.draw());
    this.clear();
  }

  clear() {
    this.meta = this.next = null;
    this.image.hidden = true;
  }

  show({ meta }) {
    this.meta = meta;
    this.draw();
  }

  move() {
    // The picture is as of its snapshot, and says so.
  }

  draw() {
    if (!this.meta) return;
    const { symbol, computed_at: of } = this.meta;
    const theme = dark.matches ? "dark" : "light";
    const next = this.next = new Image();
    next.onload = () => {
      if (this.next !== next || !this.meta) return;
      this.image.src = next.src;
      this.image.alt = `${label(symbol)} price with its levels, whose numbers are in the table of levels`;
      this.image.hidden = false;
    };
    next.src = `pictures/${symbol}/price.png?theme=${theme}&of=${encodeURIComponent(of)}`;
  }
}
