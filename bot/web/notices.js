// Rings while nobody looks: in the window's title, and in the system's notices if they may be.
import { countUnseen } from "./title.js";

const canNotify = "Notification" in window;

export class Notices {
  constructor(button) {
    this.button = button; // asks for leave: browsers want a press for it
    this.count = 0;
    button.addEventListener("click", async () => {
      await Notification.requestPermission();
      this.offer();
    });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.seen(); });
    this.offer();
  }

  offer() {
    this.button.hidden = !canNotify || Notification.permission !== "default";
  }

  ring(identity, { title, lines }) {
    if (!document.hidden) return;
    this.count += 1;
    countUnseen(this.count);
    if (canNotify && Notification.permission === "granted") notify(identity, title, lines);
  }

  seen() {
    this.count = 0;
    countUnseen(0);
  }
}

function notify(identity, title, lines) {
  try {
    const notice = new Notification(title, { body: lines.join("\n"), tag: identity });
    notice.addEventListener("click", () => { window.focus(); notice.close(); });
  } catch {
    // Some phones let only service workers notify; the title and the card say it.
  }
}
