// Times that count: the server's, and the reader's day.
import { momentText, write } from "./words.js";

const EVERY_MS = 30_000; // a timer for midnight itself would sleep with the machine

/** The server's time, which may be a simulated market's and is never the browser's. */
export class ServerClock {
  constructor() {
    this.base = null;
  }

  set(iso) {
    this.base = Date.parse(iso);
    this.at = performance.now();
  }

  /** Seconds since that moment, null while the server's time is unknown. */
  since(iso) {
    if (this.base === null) return null;
    return Math.max(0, (this.base + performance.now() - this.at - Date.parse(iso)) / 1000);
  }
}

/** Keeps every time of the page true to the reader's day: what was yesterday tells its day from midnight on. */
export function keepDays() {
  let today = new Date().toDateString();
  setInterval(() => {
    const day = new Date().toDateString();
    if (day === today) return;
    today = day;
    for (const time of document.querySelectorAll("time")) write(time, momentText(time.dateTime));
  }, EVERY_MS);
}
