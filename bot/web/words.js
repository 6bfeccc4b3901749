// Elements and words. Text from the server becomes text, never markup.
export function element(name, text = "", className = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

export const label = (symbol) => symbol.replace(/USDT$/, "");

export function price(value) {
  if (value === null || value === undefined) return "none";
  const digits = value >= 1e5 ? 0 : value >= 1e3 ? 1 : value >= 10 ? 2 : 4;
  const text = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `$${digits === 1 ? text.replace(/\.0$/, "") : text}`;
}

export function percent(fraction) {
  const text = `${Math.abs(fraction * 100).toFixed(2)} %`;
  return fraction < 0 ? `−${text}` : `+${text}`;
}

export function age(seconds) {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function moment(iso) {
  const made = element("time", iso.slice(11, 19));
  made.dateTime = iso;
  made.title = `${iso.slice(0, 10)} UTC`;
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
