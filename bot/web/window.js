// Which prices a chart shows.
const FILLED = 0.5; // of the window that candles fill at least, whatever levels are taken in
const STILLEST = 0.5; // of the expected move: prices are taken to have moved so much
const NO_MOVE = 0.01; // of spot, where no move is expected
const MARGIN = 0.02; // of the window, so that nothing sits on its edge

/** {low, high}: where the price was, and the levels so near that candles still fill a good part. */
export function windowOf(candles, spot, prices, move) {
  const day = move ? (move.upper_1sd - move.lower_1sd) / 2 : spot * NO_MOVE;
  let low = Math.min(spot - day * STILLEST, ...candles.map((candle) => candle.low));
  let high = Math.max(spot + day * STILLEST, ...candles.map((candle) => candle.high));
  const most = (high - low) / FILLED;
  for (const price of [...prices].sort((one, other) => Math.abs(one - spot) - Math.abs(other - spot))) {
    const wider = [Math.min(low, price), Math.max(high, price)];
    if (wider[1] - wider[0] <= most) [low, high] = wider;
  }
  const margin = (high - low) * MARGIN;
  return { low: low - margin, high: high + margin };
}
