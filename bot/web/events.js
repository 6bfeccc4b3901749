// What the server tells as it happens: every event of bot/api/telling.py.
const AGAIN_MS = 3_000;
const SILENT_MS = 40_000; // the server says something every 15 s: the connection died unnoticed
const beat = () => {};

/** Hands each event to the one of `heard` that has its name; lost() when the connection goes. */
export function listen(heard, lost) {
  const source = new EventSource("events");
  let silence;
  const end = () => {
    clearTimeout(silence);
    source.close();
    setTimeout(() => listen(heard, lost), AGAIN_MS);
    lost();
  };
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(end, SILENT_MS);
  };
  for (const [name, hear] of Object.entries({ beat, ...heard })) {
    source.addEventListener(name, ({ data }) => {
      alive();
      hear(JSON.parse(data));
    });
  }
  source.addEventListener("error", () => (source.readyState === EventSource.CLOSED ? end() : lost()));
  alive();
}
