// Joins the parts: who is signed in, which symbol is shown, what the server tells.
import { askForKey } from "./access.js";
import { Chat } from "./chat.js";
import { keepDays, ServerClock } from "./clock.js";
import { listen } from "./events.js";
import { Market } from "./market.js";
import { Panels } from "./panels.js";
import { Tabs } from "./tabs.js";

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

const lose = () => tell("connection lost; trying again", "lost");

function hear(market, panels, tabs, clock, chat) {
  let openedAt = null; // by our own clock: what happened before is no news
  listen({
    hello: () => {
      panels.tell("anew");
      if (byId("connection").className === "lost") market.load();
      tell("live", "live");
      chat.hurry();
      openedAt = performance.now();
    },
    snapshot: (snapshot) => {
      tabs.tell(snapshot.symbol, snapshot.spot);
      market.renewed(snapshot);
    },
    spot: (told) => {
      tabs.tell(told.symbol, told.spot);
      market.hear(told);
    },
    log: (event) => panels.tell("happen", event, isNews(clock, event, openedAt)),
  }, lose);
}

/** Whether it happened since the page began to listen. */
function isNews(clock, { at }, openedAt) {
  const seconds = clock.since(at);
  return seconds !== null && seconds < (performance.now() - openedAt) / 1000;
}

async function begin(panels, clock) {
  let rows;
  try {
    rows = (await ask("symbols")).data.symbols;
  } catch (error) {
    if (error.signIn) askForKey();
    else {
      lose();
      setTimeout(begin, AGAIN_MS, panels, clock);
    }
    return;
  }
  const market = new Market(ask, clock, panels);
  const tabs = new Tabs(byId("symbols"), byId("panel"), (symbol) => market.choose(symbol));
  tabs.show(rows.map(({ symbol }) => symbol));
  for (const { symbol, spot_price: spot } of rows) if (spot !== null) tabs.tell(symbol, spot);
  const chat = new Chat(announce, (ring) => panels.tell("happen", { ...ring, kind: "alert", own: true }));
  hear(market, panels, tabs, clock, chat);
  keepDays();
}

const clock = new ServerClock();
begin(new Panels({ ask, clock, announce }), clock);
