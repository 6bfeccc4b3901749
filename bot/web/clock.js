// The server's time, which may be a simulated market's and is never the browser's.
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
