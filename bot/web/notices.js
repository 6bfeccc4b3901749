// The window's title; rings while nobody looks are counted in it, and are the system's notices if they may be.
const canNotify = "Notification" in window;
let words = document.title;
let unseen = 0;

const show = () => { document.title = unseen ? `(${unseen}) ${words}` : words; };

export function entitle(text) {
  words = text;
  show();
}

function countUnseen(count) {
  unseen = count;
  show();
}

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
