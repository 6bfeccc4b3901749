"""Flip zones: where total GEX, re-priced at a hypothetical spot, changes sign.

With x = ln(s / S) the total is 0.01 e^x sum a_i exp(-((x - m_i) / v_i)^2 / 2): one exponential
a row and point. Nodes resolve the narrowest row around; between two of them the quintic through
value, slope and curvature tells where the curve turns. With its turning points added the curve is
monotone from node to node, so that each sign change holds exactly one root.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bot.core.chain import Bools, Floats, Ints
from bot.core.gex import ONE_PERCENT, ROOT_TWO_PI, LiveRows, rounded
from bot.core.levels import sign_changes

SEARCHED = (0.5, 1.5)  # of spot: where flips are looked for
PEAK_RANGE = (0.75, 1.25)  # of spot: where the peak is taken
BAND = 0.05  # of the peak: a zone is where the total stays below
NOISE = 1e-6  # of the gross peak: a root in weaker surroundings is no flip
COARSE_STEP = 2.0**-5  # in ln s: resolves every row that is wider
WINDOW = 8.0  # standard deviations around d1 = 0 that a narrow row has nodes in
PARTS = np.linspace(0, 1, 9)  # of a cell, where the quintic's slope is looked at
SMALL = 0.1  # of the peak: turning points below may decide a root or an edge
LARGE = 0.8  # of the peak: turning points above may be the peak
CELLS_AT_ONCE = 1 << 15  # points x rows worked on together, so that they stay in cache
NEAR = 1e-3  # of a cell: a parabola's height is exact to the cube of this
NEARLY_EXACT = 1e-8  # in ln s: the last step of a search is smaller
MAX_STEPS = 60  # bisections alone come that near from a cell's width in fewer

Direction = Literal["negative_to_positive", "positive_to_negative", "unchanged"]


@dataclass(frozen=True, slots=True)
class FlipZone:
    """The band around one flip or several in which total GEX is next to nothing."""

    flip: float  # USD, the flip nearest to spot
    flips: tuple[float, ...]  # USD, ascending
    lower: float  # USD
    upper: float  # USD
    direction: Direction
    distance_pct: float  # % from spot, of `flip`


class Curve:
    """Total GEX as a function of x = ln(s / S)."""

    def __init__(self, rows: LiveRows) -> None:
        used = (rows.oi > 0) & np.isfinite(rows.v)
        rows = rows if used.all() else rows.take(used)
        m = -rows.d1 * rows.v
        a = rows.side() * rows.oi * rows.forward / (rows.v * ROOT_TWO_PI) * ONE_PERCENT
        self.m, self.v, a, unsigned = _collapse(m, rows.v, a)  # (n,)
        p, pm = self.v**-2, self.v**-2 * self.m
        self._exponent = np.stack((-p / 2, pm, -pm * self.m / 2))
        # The sums that value, slope and curvature are made of, and the unsigned one.
        moments = (a, a * p, a * pm, a * p * p, a * p * pm, a * pm * pm, unsigned)
        self._moments = np.stack(moments, axis=1)
        # Work space that every evaluation uses again.
        self._weights = np.empty((max(1, CELLS_AT_ONCE // max(1, len(a))), len(a)))

    def __call__(self, x: Floats) -> "Values":
        """The curve at each x, (k,)."""
        sums = np.empty((len(x), self._moments.shape[1]))
        powers = np.stack((x * x, x, np.ones_like(x)), axis=1)
        block = len(self._weights)
        for start in range(0, len(x), block):
            part = powers[start : start + block]
            weight = np.matmul(part, self._exponent, out=self._weights[: len(part)])
            np.matmul(np.exp(weight, out=weight), self._moments, out=sums[start : start + block])
        value, p, pm, pp, ppm, pmpm, unsigned = np.exp(x) * sums.T
        first = pm - x * p  # derivatives of the sum without its factor e^x
        second = pmpm - 2 * x * ppm + x * x * pp - p
        return Values(rounded(value, unsigned), value + first, value + 2 * first + second, unsigned)


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The curve at k points, USD per +1 %: derivatives by x; a total within rounding is 0."""

    total: Floats  # (k,)
    slope: Floats  # (k,)
    curvature: Floats  # (k,)
    gross: Floats  # (k,) every row unsigned


def reprice(rows: LiveRows, spots: Floats) -> Floats:
    """Total GEX at each hypothetical spot, IV staying with its strike: (k,) USD per +1 %."""
    return Curve(rows)(np.log(spots / rows.spot)).total


def flip_zones(rows: LiveRows) -> tuple[FlipZone, ...]:
    """Every flip zone between half and one and a half times spot, ascending."""
    curve = Curve(rows)
    if not len(curve.m):
        return ()
    x, total, gross, peak = _monotone_nodes(curve)
    cells = np.flatnonzero(sign_changes(total))
    if not len(cells):
        return ()
    lower_cells, lower_targets = _band_cells(total, peak * BAND, cells, side=-1)
    upper_cells, upper_targets = _band_cells(total, peak * BAND, cells, side=+1)
    targets = (np.zeros(len(cells)), lower_targets, upper_targets)
    solved, heard = _solve(
        curve, x, total, np.concatenate((cells, lower_cells, upper_cells)), np.concatenate(targets)
    )
    kept = _heard(curve, heard[: len(cells)], gross)
    if not kept.any():
        return ()
    roots, lower, upper = (part[kept] for part in np.split(solved, 3))
    # At a clipped edge the sign beside the flip counts: a root beyond it is noise.
    turned = np.sign(total[cells + 1])
    before = np.where(np.isnan(lower_targets), -turned, np.sign(lower_targets))[kept]
    after = np.where(np.isnan(upper_targets), turned, np.sign(upper_targets))[kept]
    return tuple(
        _zone(rows.spot, roots[group], lower[group][0], upper[group][-1], turn)
        for group in _touching(lower, upper)
        for turn in [(before[group][0], after[group][-1])]
    )


def _collapse(m: Floats, v: Floats, a: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The same curve with rows of equal m and v added up, signed and unsigned."""
    if not len(m):
        return m, v, a, a
    order = np.argsort(m.view(np.int64) * 3 ^ v.view(np.int64))  # equals become neighbours
    m, v, a = m[order], v[order], a[order]
    differs = (m[1:] != m[:-1]) | (v[1:] != v[:-1])
    starts = np.concatenate(([0], np.flatnonzero(differs) + 1))
    unsigned, a = np.add.reduceat(np.abs(a), starts), np.add.reduceat(a, starts)
    return m[starts], v[starts], rounded(a, unsigned), unsigned


def _nodes(curve: Curve) -> Floats:
    """Ascending x over the searched range, as near to each other as the narrowest row around.

    Steps are powers of two, so that the lattices of several widths share their points.
    """
    low, high = np.log(SEARCHED)
    lattices = [np.arange(np.ceil(low / COARSE_STEP), high / COARSE_STEP) * COARSE_STEP]
    steps = 2.0 ** np.floor(np.log2(curve.v))
    for step in np.unique(steps[steps < COARSE_STEP]):
        rows = steps == step
        size = int((high - low) / step) + 2
        reach = WINDOW * curve.v[rows]
        first = np.clip((curve.m[rows] - reach - low) / step, 0, size).astype(np.int64)
        last = np.clip((curve.m[rows] + reach - low) / step + 2, 0, size).astype(np.int64)
        open_windows = np.cumsum(
            np.bincount(first, minlength=size + 1) - np.bincount(last, minlength=size + 1)
        )
        at = np.ceil(low / step) + np.flatnonzero(open_windows[:size])
        lattices.append(at * step)
    ends = np.log([*SEARCHED, *PEAK_RANGE])
    nodes = np.unique(np.concatenate((*lattices, ends)))
    searched: Floats = nodes[(nodes >= low) & (nodes <= high)]
    return searched


def _monotone_nodes(curve: Curve) -> tuple[Floats, Floats, float, float]:
    """Nodes with the turning points that matter among them, totals there, gross and net peak."""
    x = _nodes(curve)
    at = curve(x)
    gross = float(at.gross.max())
    peak = _peak(x, at.total)
    cells, guess, height = _turning_points(x, at)
    near_zero = np.minimum(np.abs(at.total[cells]), np.abs(at.total[cells + 1])) < SMALL * peak
    decides = near_zero | (np.abs(height) < SMALL * peak) | (np.abs(height) > LARGE * peak)
    audible = np.maximum(at.gross[cells], at.gross[cells + 1]) >= NOISE * min(gross, peak)
    matters = decides & audible
    extra, extra_total = _turn(curve, x, cells[matters], guess[matters])
    order = np.argsort(np.concatenate((x, extra)), kind="stable")
    total = np.concatenate((at.total, extra_total))[order]
    x = np.concatenate((x, extra))[order]
    return x, total, gross, _peak(x, total)


def _peak(x: Floats, total: Floats) -> float:
    """The largest abs(total) of the nodes around spot."""
    low, high = np.log(PEAK_RANGE)
    return float(np.abs(total[(x >= low) & (x <= high)]).max())


def _turning_points(x: Floats, at: Values) -> tuple[Ints, Floats, Floats]:
    """Cells in which the curve turns, where it does and how high it is there, by the quintic.

    On t in [0, 1] it is f + d t + c t^2 / 2 + p3 t^3 + p4 t^4 + p5 t^5; a cell may turn twice.
    """
    h = np.diff(x)
    f, d, c = at.total[:-1], at.slope[:-1] * h, at.curvature[:-1] * h * h
    rise = at.total[1:] - f - d - c / 2
    bend = at.slope[1:] * h - d - c
    twist = at.curvature[1:] * h * h - c
    p3 = 10 * rise - 4 * bend + twist / 2
    p4 = -15 * rise + 7 * bend - twist
    p5 = 6 * rise - 3 * bend + twist / 2
    slopes = np.stack((d, c, 3 * p3, 4 * p4, 5 * p5), axis=1) @ np.vander(PARTS, 5, True).T
    slopes[:, -1] = at.slope[1:] * h  # exactly, so that neighbouring cells agree
    cells, part = np.nonzero(slopes[:, :-1] * slopes[:, 1:] < 0)
    left, right = slopes[cells, part], slopes[cells, part + 1]
    t = PARTS[part] + left / (left - right) * (PARTS[1] - PARTS[0])
    powers = np.vander(t, 6, increasing=True)
    coefficients = np.stack((f, d, c / 2, p3, p4, p5), axis=1)[cells]
    return cells, x[cells] + t * h[cells], np.sum(coefficients * powers, axis=1)


def _turn(curve: Curve, x: Floats, cells: Ints, guess: Floats) -> tuple[Floats, Floats]:
    """Where the curve really turns, within the cell, and its total there.

    A Newton step from the quintic's guess; so near, the parabola it rests on has the height.
    """
    if not len(cells):
        return guess, guess
    at = curve(guess)
    step = at.slope / np.where(at.curvature != 0, at.curvature, np.inf)
    turned = np.clip(guess - step, x[cells], x[cells + 1])
    if np.any(np.abs(step) > NEAR * (x[cells + 1] - x[cells])):
        return turned, curve(turned).total
    return turned, rounded(at.total - at.slope * step / 2, at.gross)


def _band_cells(total: Floats, limit: float, cells: Ints, side: int) -> tuple[Ints, Floats]:
    """Outwards from each root's cell, the first where abs(total) reaches `limit`, and its sign.

    Where it never does, the outermost cell with a target out of reach: the range's end.
    """
    strong = np.flatnonzero(np.abs(total) >= limit)
    ends = np.concatenate(([-1], strong, [len(total)]))
    if side < 0:
        node = ends[np.searchsorted(ends, cells, side="right") - 1]
        found, cell = node >= 0, np.maximum(node, 0)
    else:
        node = ends[np.searchsorted(ends, cells + 1)]
        found, cell = node < len(total), np.minimum(node, len(total) - 1) - 1
    target = np.sign(total[np.clip(node, 0, len(total) - 1)]) * limit
    return cell, np.where(found, target, np.nan)


def _solve(
    curve: Curve, x: Floats, total: Floats, cells: Ints, target: Floats
) -> tuple[Floats, Floats]:
    """Where the total meets its target in each cell, and gross GEX there.

    Newton steps that keep their bracket. Only an outermost cell has a NaN target: its
    answer is the range's end.
    """
    a, b = x[cells], x[cells + 1]
    drop = total[cells + 1] - total[cells]
    rising = drop > 0
    share = (target - total[cells]) / np.where(drop != 0, drop, 1)
    guess = a + (b - a) * np.clip(share, 0, 1)
    guess = np.where(np.isnan(target), np.where(cells == 0, x[0], x[-1]), guess)
    for _ in range(MAX_STEPS):
        at = curve(guess)
        value, slope = at.total, at.slope
        below = (value < target) == rising
        a, b = np.where(below, guess, a), np.where(below, b, guess)
        newton = guess - (value - target) / np.where(slope != 0, slope, 1)
        safe = (newton >= a) & (newton <= b) & (slope != 0)
        following = np.where(safe, newton, (a + b) / 2)
        moved = np.where(np.isnan(target), 0.0, np.abs(following - guess))
        guess = np.where(np.isnan(target), guess, following)
        # A Newton step this small leaves an error of its square.
        if np.all(np.where(safe, moved, moved * 1e5) < NEARLY_EXACT):
            break
    return guess, at.gross


def _touching(lower: Floats, upper: Floats) -> list[slice]:
    """Runs of roots whose bands touch: each run is one zone."""
    starts = [k for k in range(len(lower)) if k == 0 or lower[k] > upper[k - 1]]
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(lower)], strict=True)]


def _heard(curve: Curve, at_roots: Floats, peak: float) -> Bools:
    """Which roots are more than noise, beside the continuous maximum of gross GEX.

    Between two nodes it may be an eighth above both; it is looked for only where that decides.
    """
    if np.any((at_roots >= NOISE * peak) & (at_roots < 1.25 * NOISE * peak)):
        x = _nodes(curve)
        gross = curve(x).gross
        for k in np.flatnonzero(gross > LARGE * peak).tolist():
            low, high = x[max(k - 1, 0)], x[min(k + 1, len(x) - 1)]
            for _ in range(3):
                fine = np.linspace(low, high, 33)
                here = curve(fine).gross
                best = int(here.argmax())
                low, high = fine[max(best - 1, 0)], fine[min(best + 1, 32)]
                peak = max(peak, float(here[best]))
    heard: Bools = at_roots >= NOISE * peak
    return heard


def _zone(
    spot: float, roots: Floats, lower: float, upper: float, turn: tuple[float, float]
) -> FlipZone:
    flips = spot * np.exp(roots)
    nearest = float(flips[np.lexsort((flips, np.abs(flips - spot)))[0]])
    before, after = turn
    direction: Direction = "unchanged"
    if before != after:
        direction = "negative_to_positive" if after > 0 else "positive_to_negative"
    return FlipZone(
        flip=nearest,
        flips=tuple(flips.tolist()),
        lower=float(spot * np.exp(lower)),
        upper=float(spot * np.exp(upper)),
        direction=direction,
        distance_pct=(nearest / spot - 1) * 100,
    )
