// Joins the parts: who is signed in, which symbol is shown, what the server tells.
import { askForKey } from "./access.js";
import { Chat } from "./chat.js";
import { ServerClock } from "./clock.js";
import { keepDays } from "./days.js";
import { History } from "./history.js";
import { Log } from "./log.js";
import { Market } from "./market.js";
import { Now } from "./now.js";
import { PricePicture } from "./picture.js";
import { LevelTable } from "./table.js";
import { Profile } from "./profile.js";
import { Tabs } from "./tabs.js";
import { Venues } from "./venues.js";

const PATIENCE_MS = 15_000;
const AGAIN_MS = 3_000;
const byId = (id) => document.getElementById(id);

/** The answer's envelope; throws an Error whose words are for people. */
async function ask(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS) })
    .catch(() => { throw new Error("gammabell does not answer; trying again."); });
  const answer = await response.json().catch(() => { throw new Error("gammabell's answer broke off; trying again."); });
  if (response.status === 401) throw Object.assign(new Error(answer.error.message), { signIn: true });
  if (!answer.success) throw new Error(answer.error.message);
  return answer;
}

const announce = (text) => { byId("announce").textContent = text; };

/** What the connection is like: "live", "lost" or neither, and in words. */
function tell(words, state) {
  byId("connection").textContent = words;
  byId("connection").className = state;
}

function listen(market, tabs, log, clock, chat) {
  const events = new EventSource("events");
  let openedAt = null; // by the server's time: what happened before is no news
  events.addEventListener("hello", () => {
    log.clear();
    if (byId("connection").className === "lost") market.load();
    tell("live", "live");
    chat.hurry();
    openedAt = performance.now();
  });
  events.addEventListener("snapshot", ({ data }) => {
    const snapshot = JSON.parse(data);
    tabs.tell(snapshot.symbol, snapshot.spot);
    market.renewed(snapshot);
  });
  events.addEventListener("spot", ({ data }) => {
    const told = JSON.parse(data);
    tabs.tell(told.symbol, told.spot);
    market.hear(told);
  });
  events.addEventListener("log", ({ data }) => {
    const event = JSON.parse(data);
    log.add(event, isNews(clock, event, openedAt));
  });
  events.addEventListener("error", () => {
    tell("connection lost; trying again", "lost");
    if (events.readyState === EventSource.CLOSED) setTimeout(() => listen(market, tabs, log, clock, chat), AGAIN_MS);
  });
}

/** Whether it happened since the page began to listen. */
function isNews(clock, { at }, openedAt) {
  const seconds = clock.since(at);
  return seconds !== null && seconds < (performance.now() - openedAt) / 1000;
}

/** The chart; the picture where there is none, or its files went with the version that this page is of. */
async function drawPrice(market) {
  const figure = byId("price");
  const hasCharts = document.documentElement.dataset.charts === "true";
  const chart = hasCharts && await import("./price.js").catch(() => null);
  market.add(chart ? new chart.PriceChart(figure) : new PricePicture(figure));
}

async function begin() {
  let rows;
  try {
    rows = (await ask("symbols")).data.symbols;
  } catch (error) {
    if (error.signIn) askForKey();
    else {
      tell("connection lost; trying again", "lost");
      setTimeout(begin, AGAIN_MS);
    }
    return;
  }
  const clock = new ServerClock();
  const log = new Log(announce);
  const market = new Market(ask, clock, {
    now: new Now(clock),
    table: new LevelTable(byId("levels")),
    venues: new Venues(byId("venues")),
    profile: new Profile(byId("profile"), ask),
    history: new History(byId("history"), ask),
  }, () => drawPrice(market));
  const tabs = new Tabs(byId("symbols"), byId("panel"), (symbol) => {
    log.choose(symbol);
    market.show(symbol);
  });
  tabs.show(rows.map(({ symbol }) => symbol));
  for (const { symbol, spot_price: spot } of rows) if (spot !== null) tabs.tell(symbol, spot);
  listen(market, tabs, log, clock, new Chat(announce));
  keepDays();
}

begin();
