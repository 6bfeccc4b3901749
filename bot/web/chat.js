// The chat: lines and presses to the server, what it answers and what rings as cards.
import { signOut } from "./access.js";
import { cardOf, paint } from "./cards.js";
import { Combobox } from "./combobox.js";
import { formOf } from "./forms.js";
import { Notices } from "./notices.js";
import { Recall } from "./recall.js";
import { Talk } from "./talk.js";
import { Wire } from "./wire.js";
import { buttonOf, element, isSimulated, moment, write, zoneOf } from "./words.js";

const EXAMPLES = ["levels btc", "chart btc price", "alert add"];
const byId = (id) => document.getElementById(id);
const theme = () => (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");

export class Chat {
  /** announce(text) says it to a screen reader, rang(ring) is told of each ring once. */
  constructor(announce, rang) {
    this.announce = announce;
    this.rang = rang;
    this.latest = -Infinity; // when the newest ring rang that is shown
    this.asked = new Map(); // number -> what waits for the answer
    this.drawn = new Map(); // number -> the card that waits for its picture
    this.rung = new Set();
    this.line = byId("line");
    this.talk = new Talk(byId("talk"), byId("to-new"));
    this.notices = new Notices(byId("notify"));
    this.wire = new Wire((message) => this.hear(message), (isOpen) => this.changed(isOpen));
    this.acts = {
      press: (data, card) => this.press(data, card),
      type: (text) => this.type(text),
      complete: (text, of) => this.wire.complete(text, of),
    };
    this.offers = new Combobox(this.line, (text) => this.wire.complete(text));
    this.recall = new Recall(this.line);
    this.isOpen = true; // unless it turns out otherwise
    this.waits = false; // whether the line goes out as soon as it can
    this.line.addEventListener("input", () => { this.waits = false; this.tellState(); });
    byId("say").addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    byId("sign-out").addEventListener("click", async () => {
      const trouble = await signOut();
      if (trouble) this.talk.add(element("p", trouble, "error"));
    });
    this.talk.add(welcome((text) => this.type(text)));
  }

  /** Send the line; without a connection it stays, and goes out when there is one. */
  submit() {
    const text = this.line.value.trim();
    if (!text) return;
    this.waits = !this.type(text);
    this.tellState();
    if (this.waits) return;
    this.recall.add(text);
    this.line.value = "";
    this.offers.close();
  }

  /** Whether it could be sent. */
  type(text) {
    const number = this.wire.send({ line: text, theme: theme() });
    if (!number) {
      this.wire.hurry();
      return false;
    }
    this.talk.add(element("p", text, "said"), { begins: true, own: true });
    const place = working();
    this.talk.add(place, { own: true });
    this.asked.set(number, { place, line: text });
    return true;
  }

  press(data, card) {
    const number = this.wire.send({ press: data, theme: theme() });
    if (!number) {
      this.wire.hurry();
      return;
    }
    card.setAttribute("aria-busy", "true");
    this.asked.set(number, { card });
  }

  hear(message) {
    const heard = {
      hello: (told) => this.greet(told),
      reply: (told) => this.reply(told),
      form: ({ to, form }) => this.put(this.taken(to), formOf(form, this.acts.type, this.acts.complete)),
      picture: (told) => this.picture(told),
      ring: (told) => this.ring(told),
    };
    heard[message.type]?.(message);
  }

  greet({ signedIn, rang }) {
    byId("sign-out").hidden = !signedIn;
    const missed = rang.filter(({ at }) => Date.parse(at) > this.latest);
    if (missed.length) this.talk.add(pastOf(missed), { ends: true });
    for (const ring of missed) this.note(ring);
  }

  note(ring) {
    this.rung.add(ring.id);
    this.latest = Math.max(this.latest, Date.parse(ring.at));
    this.rang(ring);
  }

  taken(number) {
    const found = this.asked.get(number) ?? {};
    this.asked.delete(number);
    found.card?.removeAttribute("aria-busy");
    return found;
  }

  reply({ to, beside, waits, card }) {
    const asked = this.taken(to);
    const made = cardOf(card, this.acts);
    if (!beside && asked.card?.isConnected) this.talk.replace(asked.card, made);
    else this.put(asked, made);
    if (!waits) return;
    made.setAttribute("aria-busy", "true");
    this.drawn.set(to, made);
  }

  /** Where it is waited for, else below. */
  put({ place }, made) {
    if (place?.isConnected) this.talk.replace(place, made);
    else this.talk.add(made, { begins: true });
  }

  async picture({ to, png, lines }) {
    const card = this.drawn.get(to);
    this.drawn.delete(to);
    if (!card) return;
    for (const text of lines) card.append(element("p", text));
    if (png) await paint(card, png);
    card.removeAttribute("aria-busy");
    this.talk.follow();
  }

  ring({ card, ...ring }) {
    const { id, at } = ring;
    this.wire.heard(id);
    if (this.rung.has(id)) return;
    this.note(ring);
    const made = cardOf(card, this.acts);
    made.classList.add("ring");
    made.querySelector("h3").after(whenOf(at));
    this.talk.add(made, { begins: true });
    this.notices.ring(id, card);
    this.announce(card.title);
  }

  /** The server is there: a connection that waits for it need not. */
  hurry() {
    this.wire.hurry();
  }

  tellState() {
    const lost = this.waits ? "Not connected; your line goes out when it is back." : "Not connected; trying again.";
    write(byId("chat-state"), this.isOpen ? "" : lost);
  }

  changed(isOpen) {
    this.isOpen = isOpen;
    this.tellState();
    if (isOpen) {
      if (this.waits) this.submit();
      return;
    }
    for (const { place, card, line } of this.asked.values()) {
      card?.removeAttribute("aria-busy");
      if (place?.isConnected) this.talk.replace(place, unanswered(line, () => this.type(line)));
    }
    for (const card of this.drawn.values()) card.removeAttribute("aria-busy");
    this.asked.clear();
    this.drawn.clear();
  }
}

/** What rang while the page was not open: it is read when it is wanted, and not read out. */
function pastOf(rings) {
  const made = element("article", "", "card past");
  made.setAttribute("aria-live", "off");
  const list = element("ol");
  list.append(...rings.map(({ at, text }) => {
    const line = element("li");
    line.append(moment(at), element("span", text));
    return line;
  }));
  made.append(element("h3", `${isSimulated() ? "SIMULATED · " : ""}Rang earlier`), list);
  return made;
}

/** When it was: a ring is read long after it came, and may have come late. */
function whenOf(at) {
  const made = element("p", "", "quiet");
  made.append(moment(at), ` ${zoneOf(new Date(at))}`);
  return made;
}

/** What stands in an answer's place until it comes; the answer itself is what is read out. */
function working() {
  const made = element("p", "working", "working");
  made.setAttribute("aria-hidden", "true");
  return made;
}

function unanswered(line, again) {
  const made = element("article", "", "card error");
  const buttons = element("div", "", "buttons");
  buttons.append(buttonOf("Ask again", again));
  made.append(element("p", `Not answered, the connection was lost: ${line}`), buttons);
  return made;
}

function welcome(type) {
  const made = element("article", "", "welcome");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const lines = zone && zone !== "UTC" ? [...EXAMPLES, `timezone ${zone}`] : EXAMPLES;
  const buttons = element("div", "", "buttons");
  buttons.append(...lines.map((line) => buttonOf(line, () => type(line))));
  made.append(
    element("h3", "Ask about the levels"),
    element("p", "Type a command, or press one of these. What you set here rings here while this page is open."),
    buttons,
  );
  return made;
}
