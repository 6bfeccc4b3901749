// What the server tells as it happens: every event of bot/api/telling.py.
const AGAIN_MS = 3_000;

/** Hands each event to the one of `heard` that has its name; lost() when the connection goes. */
export function listen(heard, lost) {
  const source = new EventSource("events");
  for (const [name, hear] of Object.entries(heard)) source.addEventListener(name, ({ data }) => hear(JSON.parse(data)));
  source.addEventListener("error", () => {
    lost();
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(heard, lost), AGAIN_MS);
  });
}
