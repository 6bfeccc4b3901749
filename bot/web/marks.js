// What is drawn over the candles: flip zones, the expected move, levels with their names, spot.
import { fullName } from "./levels.js";
import { spread } from "./scales.js";
import { isSimulated, plain } from "./words.js";

const ROW = 15; // pixels of a label
const LEADER = 16; // between a level's line and its label
const PAD = 5;
const BAREST = 80; // pixels that spot alone needs
const FONT = "11px system-ui, sans-serif";
const BOLD = `600 ${FONT}`;
const DASHES = { move: [4, 3], pain: [1, 3], flip: [6, 3, 1, 3] };
const STAMP = "SIMULATED";
const OUT = { above: "↑ ", below: "↓ ", within: "" };

/** A series primitive of lightweight-charts; `scene` says what there is to see. */
export class Marks {
  constructor() {
    this.scene = null;
    this.views = [
      { zOrder: () => "bottom", renderer: () => this.renderer((pen) => this.drawBands(pen)) },
      { zOrder: () => "normal", renderer: () => this.renderer((pen) => this.drawLevels(pen)) },
    ];
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, requestUpdate });
  }

  /** Draw that scene: {levels, zones, move, spot, last, low, high, colours, gutter, isBrief}. */
  show(scene) {
    this.scene = scene;
    this.requestUpdate();
  }

  paneViews() {
    return this.scene ? this.views : [];
  }

  autoscaleInfo() {
    const { low, high } = this.scene ?? {};
    return low ? { priceRange: { minValue: low, maxValue: high } } : null;
  }

  renderer(draw) {
    return {
      draw: (target) => target.useMediaCoordinateSpace(({ context, mediaSize }) => {
        this.pen = context;
        this.size = mediaSize;
        this.edge = mediaSize.width - this.scene.gutter + LEADER; // where labels begin
        context.save();
        draw(context);
        context.restore();
      }),
    };
  }

  y(price) {
    return this.series.priceToCoordinate(price);
  }

  drawBands(pen) {
    const { zones, move, last, colours } = this.scene;
    for (const { lower, upper } of zones) this.band(lower, upper, 0, colours.flip, 0.16);
    const now = this.chart.timeScale().timeToCoordinate(last) ?? 0;
    if (move) {
      this.band(move.lower_2sd, move.upper_2sd, now, colours.move, 0.12);
      this.band(move.lower_1sd, move.upper_1sd, now, colours.move, 0.16);
    }
    if (isSimulated()) this.stamp(pen, colours);
  }

  band(lower, upper, left, colour, strength) {
    const [top, bottom] = [this.y(upper), this.y(lower)];
    this.pen.globalAlpha = strength;
    this.pen.fillStyle = colour;
    this.pen.fillRect(left, top, this.edge - LEADER - left, bottom - top);
    this.pen.globalAlpha = 1;
  }

  stamp(pen, colours) {
    pen.font = `700 ${Math.round(this.edge / STAMP.length)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.globalAlpha = 0.13;
    pen.fillStyle = colours.text;
    pen.fillText(STAMP, this.edge / 2, this.size.height * 0.9);
    pen.globalAlpha = 1;
  }

  drawLevels(pen) {
    const { levels, spot, colours } = this.scene;
    const lines = [...levels, { kind: "spot", name: "Spot", brief: "Spot", price: spot }].map((level) => this.lineOf(level));
    const shown = this.thatFit(lines).sort((one, other) => one.place - other.place || other.level.price - one.level.price);
    const places = spread(shown.map(({ place }) => place), ROW, 0, this.size.height);
    pen.fillStyle = colours.panel; // no line of the grid runs through a name
    pen.fillRect(this.edge - LEADER, 0, this.scene.gutter, this.size.height);
    for (const line of shown) if (line.side === "within") this.line(pen, line, colours);
    shown.forEach((line, at) => this.label(pen, line, places[at], colours));
  }

  lineOf(level) {
    const y = this.y(level.price);
    const side = y < 0 ? "above" : y > this.size.height ? "below" : "within";
    return { level, side, y, place: Math.max(0, Math.min(y, this.size.height)) };
  }

  /** Spot and what matters most, as many as there is room for. */
  thatFit(lines) {
    const most = Math.floor(this.size.height / ROW);
    return [lines.at(-1), ...lines.slice(0, -1)].slice(0, most);
  }

  line(pen, { level, y }, colours) {
    pen.strokeStyle = colours[level.kind];
    pen.lineWidth = 1;
    pen.globalAlpha = level.scope === "0DTE" ? 0.55 : 0.9;
    pen.setLineDash(DASHES[level.kind] ?? []);
    stroke(pen, [0, Math.round(y) + 0.5], [this.edge - LEADER, Math.round(y) + 0.5]);
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  label(pen, { level, side, y }, place, colours) {
    const colour = colours[level.kind];
    const isSpot = level.kind === "spot";
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    if (side === "within") stroke(pen, [this.edge - LEADER, Math.round(y) + 0.5], [this.edge - 2, place]);
    if (isSpot) {
      pen.fillStyle = colour;
      pen.fillRect(this.edge - 2, place - ROW / 2, this.size.width - this.edge + 2, ROW);
    }
    pen.fillStyle = isSpot ? colours.panel : colour;
    pen.font = isSpot ? BOLD : FONT;
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    pen.fillText(OUT[side] + nameOf(level, this.scene.isBrief), this.edge + PAD, place);
    pen.textAlign = "right";
    pen.fillText(priceOf(level, this.scene.isBrief), this.size.width - PAD, place);
  }
}

function stroke(pen, from, to) {
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
}

function nameOf(level, isBrief) {
  return isBrief ? `${level.brief}${level.scope === "0DTE" ? " 0DTE" : ""}` : fullName(level);
}

/** Its price; whole dollars are near enough where room is short. */
function priceOf({ price }, isBrief) {
  return plain(isBrief && price >= 1e3 ? Math.round(price) : price);
}

/** Pixels that the names and prices of these levels need beside the candles, with what leads to them. */
export function gutterOf(levels, isBrief) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = BOLD;
  const wide = (level) => pen.measureText(`${OUT.above}${nameOf(level, isBrief)} ${priceOf(level, isBrief)}`).width;
  return Math.ceil(Math.max(...levels.map(wide), BAREST) + 3 * PAD + LEADER);
}
