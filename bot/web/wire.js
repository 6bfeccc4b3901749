// The connection of the chat: it comes back by itself, ever more slowly while it cannot.
const FIRST_MS = 1_000;
const LONGEST_MS = 10_000;

export class Wire {
  /** hear(message) for each message, changed(isOpen) when the connection comes or goes. */
  constructor(hear, changed) {
    this.hear = hear;
    this.changed = changed;
    this.last = 0;
    this.delay = FIRST_MS;
    this.offers = new Map(); // number -> what waits for the offers
    this.connect();
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.hurry(); });
  }

  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** The number that the answer will carry; 0 when there is no connection. */
  send(message) {
    if (!this.isOpen) return 0;
    this.last += 1;
    this.socket.send(JSON.stringify({ id: this.last, ...message }));
    return this.last;
  }

  heard(identity) {
    if (this.isOpen) this.socket.send(JSON.stringify({ heard: identity }));
  }

  /** What a line may become, or the field of a form: [command, argument]. */
  complete(text, of) {
    return new Promise((found) => {
      const number = this.send({ complete: text, of });
      if (number) this.offers.set(number, found);
      else found([]);
    });
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const base = location.pathname.replace(/[^/]*$/, "");
    this.socket = new WebSocket(`${scheme}://${location.host}${base}chat`);
    this.socket.addEventListener("message", ({ data }) => this.take(JSON.parse(data)));
    this.socket.addEventListener("close", () => this.lose());
  }

  take(message) {
    if (message.type === "offers") {
      this.offers.get(message.to)?.(message.offers);
      this.offers.delete(message.to);
      return;
    }
    if (message.type === "hello") {
      this.delay = FIRST_MS;
      this.changed(true);
    }
    this.hear(message);
  }

  lose() {
    for (const found of this.offers.values()) found([]);
    this.offers.clear();
    this.changed(false);
    this.timer = setTimeout(() => this.again(), this.delay * (1 + Math.random() / 4));
    this.delay = Math.min(2 * this.delay, LONGEST_MS);
  }

  hurry() {
    if (this.socket.readyState === WebSocket.CLOSED) this.again();
  }

  again() {
    clearTimeout(this.timer);
    this.connect();
  }
}
