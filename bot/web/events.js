// What the server tells as it happens, by the names of bot/api/telling.py.
const EVENTS = ["hello", "snapshot", "spot", "log"];
const AGAIN_MS = 3_000;

/** Hands each event to the one of `heard` that has its name; lost() when the connection goes. */
export function listen(heard, lost) {
  const source = new EventSource("events");
  for (const name of EVENTS) source.addEventListener(name, ({ data }) => heard[name](JSON.parse(data)));
  source.addEventListener("error", () => {
    lost();
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(heard, lost), AGAIN_MS);
  });
}
