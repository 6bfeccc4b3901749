// Joins the parts: who is signed in, which symbol is shown, what the server tells.
import { Market } from "./market.js";
import { openChat } from "./chat.js";
import { element, label, moment } from "./words.js";

const MOST_LOGGED = 200;
const byId = (id) => document.getElementById(id);

export async function ask(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  const answer = await response.json();
  if (response.status === 401) throw Object.assign(new Error(answer.error.message), { signIn: true });
  if (!answer.success) throw new Error(answer.error.message);
  return answer;
}

function tabs(symbols, chosen) {
  const list = byId("symbols");
  const buttons = symbols.map((symbol) => {
    const tab = element("button", label(symbol));
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "main");
    tab.dataset.symbol = symbol;
    return tab;
  });
  const choose = (symbol) => {
    for (const tab of buttons) {
      const isChosen = tab.dataset.symbol === symbol;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    }
    location.hash = label(symbol);
    chosen(symbol);
  };
  list.replaceChildren(...buttons);
  list.addEventListener("click", (event) => {
    if (event.target.dataset.symbol) choose(event.target.dataset.symbol);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next.focus();
    choose(next.dataset.symbol);
  });
  const wanted = location.hash.slice(1).toUpperCase();
  choose(symbols.find((symbol) => label(symbol) === wanted) ?? symbols[0]);
}

function log(event) {
  const line = element("li");
  if (event.kind === "alert") line.className = "alert";
  const text = event.kind === "alert" ? `RING ${event.text}` : `${label(event.symbol)} ${event.text}`;
  line.append(moment(event.at), text);
  const list = byId("log");
  list.prepend(line);
  while (list.children.length > MOST_LOGGED) list.lastChild.remove();
}

function listen(market) {
  const events = new EventSource("events");
  const state = byId("connection");
  events.addEventListener("hello", () => {
    byId("log").replaceChildren();
    state.textContent = "live";
    market.load();
  });
  events.addEventListener("snapshot", (event) => market.renewed(JSON.parse(event.data)));
  events.addEventListener("log", (event) => log(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    state.textContent = "connection lost; trying again";
    if (events.readyState === EventSource.CLOSED) {
      events.close();
      setTimeout(() => listen(market), 5000);
    }
  });
}

function askForKey() {
  const form = byId("key-form");
  form.hidden = false;
  byId("main").hidden = byId("chat").hidden = true;
  byId("connection").textContent = "a key is needed";
  byId("key").focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const response = await fetch("sign-in", { headers: { "X-API-Key": byId("key").value.trim() } });
    if (response.ok) location.reload();
    else byId("key-error").textContent = "This key is not known here.";
  });
}

async function begin() {
  let about;
  try {
    about = await ask("meta");
  } catch (error) {
    if (error.signIn) askForKey();
    else setTimeout(begin, 3000);
    return;
  }
  const market = new Market(ask);
  tabs(about.data.symbols, (symbol) => market.show(symbol));
  listen(market);
  openChat((text) => { byId("announce").textContent = text; });
}

begin();
