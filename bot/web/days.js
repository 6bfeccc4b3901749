// Times that a page shows since yesterday: they tell their day from midnight on.
import { momentText, write } from "./words.js";

const EVERY_MS = 30_000; // a timer for midnight itself would sleep with the machine

/** Keeps every time of the page true to the reader's day. */
export function keepDays() {
  let today = new Date().toDateString();
  setInterval(() => {
    const day = new Date().toDateString();
    if (day === today) return;
    today = day;
    for (const time of document.querySelectorAll("time")) write(time, momentText(time.dateTime));
  }, EVERY_MS);
}
