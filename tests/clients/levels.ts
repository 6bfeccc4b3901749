// A client in TypeScript with fetch alone, its types as strict as the contract:
//   node levels.js BASE KEY
// prints, as one line of JSON, what the test looks at.

type Iso = string;
type Level = number | null;

interface RateLimit { limit: number; remaining: number; reset: number }

interface Extra {
  net_gex: number | null;
  regime: string | null;
  definition_version: string;
  dropped_rows: Record<string, number>;
  venue_ages_seconds: Record<string, number>;
  left_out: Record<string, string>;
  stale: boolean;
}

interface Meta {
  version: "2.0";
  timestamp: Iso;
  request_id: string;
  rate_limit: RateLimit;
  simulated?: true;
}

interface SymbolMeta extends Meta {
  symbol: string;
  spot_price: number;
  computed_at: Iso;
  freshness_seconds: number;
  source: string[];
  exchanges_filtered: string[] | null;
  extra: Extra;
}

interface Walls {
  hvl: Level;
  call_resistance: Level;
  call_wall_2: Level;
  call_wall_3: Level;
  put_support: Level;
  put_wall_2: Level;
  put_wall_3: Level;
}

interface OdteWalls { hvl: Level; call_resistance: Level; put_support: Level }

interface RankedStrike {
  strike: number;
  net_gex: number;
  call_gex: number;
  put_gex: number;
  call_oi: number;
  put_oi: number;
  distance_pct: number;
}

interface Candle { datetime: Iso; open: number; high: number; low: number; close: number; volume: number }

interface Zone {
  flip: number;
  flips: number[];
  lower: number;
  upper: number;
  direction: "negative_to_positive" | "positive_to_negative" | "unchanged";
  distance_pct: number;
}

interface Sections {
  ranked: { all_expiry_top_10: RankedStrike[]; odte_top_10: RankedStrike[] };
  max_pain: { strike: number; value: number; expiry: Iso } | null;
  expected_move: { upper_1sd: number; lower_1sd: number; upper_2sd: number; lower_2sd: number } | null;
  zones: Zone[];
  spot: { spot_price: number; perps_price: number | null };
  candles: Candle[];
}

// The section that `zones` asks for has another name in the answer.
type Included<I extends keyof Sections> = Pick<Sections, Exclude<I, "zones">> &
  ("zones" extends I ? { gamma_flip_zones: Zone[] } : unknown);

type Levels<I extends keyof Sections> = { all_expiry: Walls; odte: OdteWalls } & Included<I>;

type InBundle = "ranked" | "max_pain" | "expected_move" | "zones";

interface Bundle<I extends InBundle> {
  results: Record<string, (Levels<I> & { spot_price: number; computed_at: Iso }) | null>;
  requested: string[];
  served: string[];
  missing: string[];
  invalid: string[];
}

type Code =
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "VALIDATION_ERROR"
  | "RATE_LIMIT_EXCEEDED"
  | "UPSTREAM_ERROR"
  | "INTERNAL_ERROR"
  | "BAD_REQUEST"
  | "METHOD_NOT_ALLOWED"
  | "PAYLOAD_TOO_LARGE";

interface Details {
  errors?: { type: "unknown" | "missing" | "repeated" | "value"; loc: string[]; msg: string }[];
  retry_after_seconds?: number;
  limit?: number;
}

interface Success<D, M> { success: true; data: D; meta: M }
interface Failure { success: false; error: { code: Code; message: string; details: Details }; meta: Meta }
type Envelope<D, M> = Success<D, M> | Failure;

declare const process: { argv: string[]; exitCode: number };

const [base = "", key = ""] = process.argv.slice(2);

async function ask<D, M>(
  path: string,
  query: Record<string, string> = {},
  headers: Record<string, string> = { "X-API-Key": key },
): Promise<{ status: number; headers: Headers; body: Envelope<D, M> | null }> {
  const answer = await fetch(`${base}${path}?${new URLSearchParams(query)}`, { headers });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text ? (JSON.parse(text) as Envelope<D, M>) : null,
  };
}

function data<D, M>(body: Envelope<D, M> | null): D {
  if (body === null || !body.success) {
    throw new Error(body === null ? "nothing came" : `${body.error.code}: ${body.error.message}`);
  }
  return body.data;
}

async function levels<I extends keyof Sections>(symbol: string, ...include: I[]): Promise<Levels<I>> {
  const query = { symbol, include: include.join(",") };
  const { body } = await ask<Levels<I>, SymbolMeta>("/gex/levels", query);
  return data(body);
}

async function bundle<I extends InBundle>(symbols: string[], ...include: I[]): Promise<Bundle<I>> {
  const query = { symbols: symbols.join(","), include: include.join(",") };
  const { body } = await ask<Bundle<I>, Meta>("/multi/gex/levels", query);
  return data(body);
}

async function refusal(query: Record<string, string>, headers?: Record<string, string>) {
  const { status, body } = await ask<Levels<never>, SymbolMeta>("/gex/levels", query, headers);
  if (body === null || body.success) {
    throw new Error("this should have been refused");
  }
  const { code, details } = body.error;
  return { status, code, kinds: (details.errors ?? []).map((one) => one.type) };
}

async function conditional(): Promise<number[]> {
  const statuses: number[] = [];
  let tag = "";
  // Between two requests a new snapshot may come; three in a row are never all new.
  for (let time = 0; time < 4; time += 1) {
    const headers: Record<string, string> = { "X-API-Key": key };
    if (tag) {
      headers["If-None-Match"] = tag;
    }
    const answer = await ask<Levels<"zones">, SymbolMeta>("/gex/levels", { include: "zones" }, headers);
    statuses.push(answer.status);
    tag = answer.headers.get("ETag") ?? "";
  }
  return statuses;
}

async function main(): Promise<void> {
  const whole = await levels("BTCUSDT", "candles", "expected_move", "max_pain", "ranked", "spot", "zones");
  const watched = await bundle(["BTCUSDT", "ETHUSDT", "NOPE"], "ranked", "zones");
  const { headers } = await ask<Levels<never>, SymbolMeta>("/gex/levels");
  console.log(JSON.stringify({
    spot: whole.spot.spot_price,
    hvl: whole.all_expiry.hvl,
    odte: Object.keys(whole.odte),
    strongest: whole.ranked.all_expiry_top_10[0]?.strike ?? null,
    band: whole.expected_move?.upper_1sd ?? null,
    pain: whole.max_pain?.strike ?? null,
    flips: whole.gamma_flip_zones.map((zone) => zone.flip),
    opened: whole.candles.map((candle) => candle.datetime),
    served: watched.served,
    invalid: watched.invalid,
    prices: watched.served.map((symbol) => watched.results[symbol]?.spot_price ?? null),
    remaining: Number(headers.get("X-RateLimit-Remaining")),
    unknown: await refusal({ symbol: "BTC", exchange: "okx" }),
    stranger: await refusal({}, {}),
    statuses: await conditional(),
  }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
