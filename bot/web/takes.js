// What can be taken away of the chosen symbol: files for other programs, pictures.
import { copyOf } from "./copy.js";
import { element } from "./words.js";

const FORMATS = { tradingview: "TradingView", pine: "Pine", csv: "CSV", json: "JSON", ics: "Calendar" };
const PASTED = ["TradingView", "Pine"]; // into TradingView

export class Takes {
  constructor() {
    this.list = document.getElementById("exports");
  }

  choose(symbol) {
    const files = Object.entries(FORMATS).map(([form, name]) => [name, `export/${symbol}/${form}`]);
    const pictures = ["price", "profile"].map((kind) => [`${kind} picture`, `pictures/${symbol}/${kind}.png`]);
    this.list.replaceChildren(...[...files, ...pictures].map(takeOf));
  }
}

function takeOf([name, address]) {
  const link = element("a", name);
  link.href = address;
  link.download = "";
  const item = element("li");
  item.append(link);
  if (PASTED.includes(name)) item.append(" ", copyOf(name, () => textAt(address), (text) => shown(item, text)));
  return item;
}

async function textAt(address) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new Error("not there now, try again");
  return response.text();
}

/** The text, below its link, to be selected. */
function shown(item, text) {
  item.querySelector("pre")?.remove();
  const made = element("pre", text);
  made.tabIndex = 0;
  item.append(made);
  return made;
}
