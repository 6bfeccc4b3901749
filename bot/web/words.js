// Elements and words. Text from the server becomes text, never markup.
export function element(name, text = "", className = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

export function buttonOf(label, pressed) {
  const button = element("button", label);
  button.type = "button";
  button.addEventListener("click", pressed);
  return button;
}

/** Writes the text where it is not there already, so that nothing is laid out anew in vain. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const isSimulated = () => document.documentElement.dataset.simulated === "true";

export const label = (symbol) => symbol.replace(/USDT$/, "");

const isNumber = (value) => value !== null && value !== undefined;

const ROOM = "\u2008\u2007"; // as wide as a point and a digit

/** Digits after the point that a price of that size is told with. */
const digitsOf = (value) => (value >= 1e5 ? 0 : value >= 1e3 ? 1 : value >= 10 ? 2 : 4);

function fixed(value, digits) {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function grouped(value, digits) {
  const text = fixed(value, digits);
  return digits === 1 ? text.replace(/\.0$/, "") : text;
}

/** A price that changes: always as wide as it is. */
export const steady = (value) => fixed(value, digitsOf(value));

/** A price without its unit, for a column or an axis that says which. */
export const plain = (value) => (isNumber(value) ? grouped(value, digitsOf(value)) : "none");

/** A price for a column in which points stand below each other: without cents it leaves their room. */
export function aligned(value) {
  const text = plain(value);
  return value >= 1e3 && !text.includes(".") ? text + ROOM : text;
}

export const price = (value) => (isNumber(value) ? `$${plain(value)}` : "none");

const signed = (value, text) => `${value < 0 ? "−" : "+"}${text}`;

/** How far a level is from spot, USD; cents where prices are small. */
export const dollars = (level, spot) => signed(level - spot, `$${grouped(Math.abs(level - spot), level >= 1e3 ? 0 : digitsOf(level))}`);

export const percent = (fraction) => signed(fraction, `${Math.abs(fraction * 100).toFixed(2)}\u00a0%`);

export function age(seconds) {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** The reader's zone at that time, as an offset: UTC+1. */
export function zoneOf(date) {
  const minutes = -date.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const after = rest ? `:${String(rest).padStart(2, "0")}` : "";
  return minutes ? `UTC${minutes < 0 ? "−" : "+"}${hours}${after}` : "UTC";
}

export const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** The reader's zone by name, and as an offset where that says more. */
export function zoneName() {
  const { timeZone: name } = Intl.DateTimeFormat().resolvedOptions();
  const offset = zoneOf(new Date());
  return name === offset ? name : `${name} (${offset})`;
}

/** The time in the reader's zone, with its day where that is not today. */
export function momentText(iso) {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}

/** That time as an element, which says it in UTC when it is pointed at. */
export function moment(iso) {
  const made = element("time", momentText(iso));
  made.dateTime = iso;
  made.title = `${iso.slice(0, 19).replace("T", " ")} UTC`;
  return made;
}

/** A name and its value, for a list of them. */
export function pair([name, value]) {
  const made = element("div");
  made.append(element("dt", name), element("dd", value));
  return made;
}

export function headOf(titles) {
  const made = element("thead");
  const line = element("tr");
  for (const title of titles) {
    const cell = element("th", title);
    cell.scope = "col";
    line.append(cell);
  }
  made.append(line);
  return made;
}

export function row(cells) {
  const made = element("tr");
  const [first, ...others] = cells;
  const head = element("th", first);
  head.scope = "row";
  made.append(head, ...others.map((cell) => element("td", cell)));
  return made;
}
