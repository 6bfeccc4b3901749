"""Flip zones: where total GEX, re-priced at a hypothetical spot, changes sign.

With x = ln(s / S) the total is 0.01 e^x sum a_i exp(-((x - m_i) / v_i)^2 / 2): one exponential
a row and point. Between neighbouring nodes that resolve the narrowest row, value and slope
tell whether a turning point hides inside; with the turning points added the curve is monotone
from node to node, so that each sign change holds exactly one root.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bot.core.chain import Floats, Ints
from bot.core.gex import ONE_PERCENT, ROOT_TWO_PI, LiveRows
from bot.core.levels import ROUNDING, sign_changes

SEARCHED = (0.5, 1.5)  # of spot: where flips are looked for
PEAK_RANGE = (0.75, 1.25)  # of spot: where the peak is taken
BAND = 0.05  # of the peak: a zone is where the total stays below
NOISE = 1e-6  # of the gross peak: a root in weaker surroundings is no flip
COARSE_STEP = 2.0**-5  # in ln s: resolves every row that is wider
WINDOW = 5.0  # standard deviations around d1 = 0 that a narrow row has nodes in
SMALL = 0.1  # of the peak: turning points below may decide a root or an edge
LARGE = 0.8  # of the peak: turning points above may be the peak
CELLS_AT_ONCE = 1 << 15  # points x rows worked on together, so that they stay in cache
NEARLY_EXACT = 1e-8  # in ln s: the last step of a search is smaller
TURN_STEPS = 2  # secants from the cubic's guess: the height's error is the square of the place's
MAX_STEPS = 60  # bisections alone reach EXACT from a cell's width in fewer

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
        v = rows.v[used]
        m = -rows.d1[used] * v
        a = (rows.side() * rows.oi * rows.forward)[used] / (v * ROOT_TWO_PI) * ONE_PERCENT
        self.m, self.v, a = _collapse(m, v, a)  # (n,)
        precision = 1 / (self.v * self.v)
        self._exponent = np.stack((-precision / 2, precision * self.m, -precision * self.m**2 / 2))
        self._sums = np.stack((a, a * precision, a * precision * self.m, np.abs(a)), axis=1)
        # Work space that every evaluation uses again.
        self._weights = np.empty((max(1, CELLS_AT_ONCE // max(1, len(a))), len(a)))

    def __call__(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Total, its slope by x, and gross (unsigned) GEX at each x: (k,) USD per +1 %."""
        sums = np.empty((len(x), 4))
        powers = np.stack((x * x, x, np.ones_like(x)), axis=1)
        block = len(self._weights)
        for start in range(0, len(x), block):
            part = powers[start : start + block]
            weight = np.matmul(part, self._exponent, out=self._weights[: len(part)])
            np.matmul(np.exp(weight, out=weight), self._sums, out=sums[start : start + block])
        scaled = np.exp(x)[:, None] * sums
        total, gross = scaled[:, 0], scaled[:, 3]
        return total, total - x * scaled[:, 1] + scaled[:, 2], gross


def reprice(rows: LiveRows, spots: Floats) -> Floats:
    """Total GEX at each hypothetical spot, IV staying with its strike: (k,) USD per +1 %."""
    return Curve(rows)(np.log(spots / rows.spot))[0]


def flip_zones(rows: LiveRows) -> tuple[FlipZone, ...]:
    """Every flip zone between half and one and a half times spot, ascending."""
    curve = Curve(rows)
    if not len(curve.m):
        return ()
    x, total, gross, peak = _monotone_nodes(curve)
    if peak == 0:
        return ()
    cells = np.flatnonzero(sign_changes(total, gross))
    if not len(cells):
        return ()
    limit = peak * BAND
    lower_cells, lower_targets = _band_cells(total, limit, cells, side=-1)
    upper_cells, upper_targets = _band_cells(total, limit, cells, side=+1)
    solved, heard = _solve(
        curve,
        x,
        total,
        np.concatenate((cells, lower_cells, upper_cells)),
        np.concatenate((np.zeros(len(cells)), lower_targets, upper_targets)),
    )
    kept = heard[: len(cells)] >= NOISE * gross.max()
    if not kept.any():
        return ()
    roots, lower, upper = (part[kept] for part in np.split(solved, 3))
    return tuple(
        _zone(rows.spot, total, cells[kept][group], roots[group], lower[group], upper[group])
        for group in _touching(lower, upper)
    )


def _collapse(m: Floats, v: Floats, a: Floats) -> tuple[Floats, Floats, Floats]:
    """The same curve with rows of equal m and v added up, and what cancelled left out."""
    if not len(m):
        return m, v, a
    order = np.argsort(m.view(np.int64) * 3 ^ v.view(np.int64))  # equals become neighbours
    m, v, a = m[order], v[order], a[order]
    differs = (m[1:] != m[:-1]) | (v[1:] != v[:-1])
    starts = np.concatenate(([0], np.flatnonzero(differs) + 1))
    gross, a = np.add.reduceat(np.abs(a), starts), np.add.reduceat(a, starts)
    left = np.abs(a) > ROUNDING * gross  # less is the rounding of an exact cancellation
    return m[starts][left], v[starts][left], a[left]


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
        first = np.clip((curve.m[rows] - reach - low) // step, 0, size).astype(np.int64)
        last = np.clip((curve.m[rows] + reach - low) // step + 2, 0, size).astype(np.int64)
        open_windows = np.cumsum(
            np.bincount(first, minlength=size + 1) - np.bincount(last, minlength=size + 1)
        )
        at = np.ceil(low / step) + np.flatnonzero(open_windows[:size])
        lattices.append(at * step)
    ends = np.log([*SEARCHED, *PEAK_RANGE])
    nodes = np.unique(np.concatenate((*lattices, ends)))
    searched: Floats = nodes[(nodes >= low) & (nodes <= high)]
    return searched


def _monotone_nodes(curve: Curve) -> tuple[Floats, Floats, Floats, float]:
    """Nodes with the turning points that matter among them, the totals there, and the peak."""
    x = _nodes(curve)
    total, slope, gross = curve(x)
    turning, guess, height = _turning_points(x, total, slope)
    inside = (x >= np.log(PEAK_RANGE[0])) & (x <= np.log(PEAK_RANGE[1]))
    peak = np.abs(total[inside]).max()
    ends = np.minimum(np.abs(total[turning]), np.abs(total[turning + 1]))
    least = np.minimum(np.abs(height), ends)
    matters = (least < SMALL * peak) | (np.abs(height) > LARGE * peak)
    extra = _turn(curve, x, slope, turning[matters], guess[matters])
    extra_total, _, extra_gross = curve(extra)
    order = np.argsort(np.concatenate((x, extra)), kind="stable")
    x = np.concatenate((x, extra))[order]
    total = np.concatenate((total, extra_total))[order]
    gross = np.concatenate((gross, extra_gross))[order]
    inside = (x >= np.log(PEAK_RANGE[0])) & (x <= np.log(PEAK_RANGE[1]))
    return x, total, gross, float(np.abs(total[inside]).max())


def _turning_points(x: Floats, total: Floats, slope: Floats) -> tuple[Ints, Floats, Floats]:
    """Cells whose slope changes sign, with the cubic's guess of where and how high it turns."""
    cells = np.flatnonzero(slope[:-1] * slope[1:] < 0)
    a, b = x[cells], x[cells + 1]
    width = b - a
    fa, fb = total[cells], total[cells + 1]
    da, db = slope[cells] * width, slope[cells + 1] * width
    # Hermite cubic on t in [0, 1]: its slope is q t^2 + p t + da, of opposite signs at the ends.
    q, p = 3 * (da + db - 2 * (fb - fa)), 2 * (3 * (fb - fa) - 2 * da - db)
    root = np.sqrt(np.maximum(p * p - 4 * q * da, 0))
    t = 2 * da / np.where(da > 0, -p + root, -p - root)
    t = np.where(np.isfinite(t) & (t > 0) & (t < 1), t, da / (da - db))
    height = fa + t * (da + t * (p / 2 + t * q / 3))
    return cells, a + t * width, height


def _turn(curve: Curve, x: Floats, slope: Floats, cells: Ints, guess: Floats) -> Floats:
    """Where the slope is zero in each cell: secant steps that keep their bracket."""
    a, b = x[cells], x[cells + 1]
    slope_a, slope_b = slope[cells], slope[cells + 1]
    for _ in range(TURN_STEPS if len(cells) else 0):
        here = curve(guess)[1]
        left = here * slope_a > 0
        a, slope_a = np.where(left, guess, a), np.where(left, here, slope_a)
        b, slope_b = np.where(left, b, guess), np.where(left, slope_b, here)
        guess = a - slope_a * (b - a) / np.where(slope_b != slope_a, slope_b - slope_a, 1)
    return guess


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
        value, slope, gross = curve(guess)
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
    return guess, gross


def _touching(lower: Floats, upper: Floats) -> list[slice]:
    """Runs of roots whose bands touch: each run is one zone."""
    starts = [k for k in range(len(lower)) if k == 0 or lower[k] > upper[k - 1]]
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(lower)], strict=True)]


def _zone(
    spot: float, total: Floats, cells: Ints, roots: Floats, lower: Floats, upper: Floats
) -> FlipZone:
    flips = spot * np.exp(roots)
    nearest = float(flips[np.lexsort((flips, np.abs(flips - spot)))[0]])
    before, after = _sign_before(total, cells[0]), np.sign(total[cells[-1] + 1])
    direction: Direction = "unchanged"
    if before != after:
        direction = "negative_to_positive" if after > 0 else "positive_to_negative"
    return FlipZone(
        flip=nearest,
        flips=tuple(flips.tolist()),
        lower=float(spot * np.exp(lower[0])),
        upper=float(spot * np.exp(upper[-1])),
        direction=direction,
        distance_pct=(nearest / spot - 1) * 100,
    )


def _sign_before(total: Floats, cell: np.int64) -> float:
    """The sign on the left of a root: zeros carry the sign before them."""
    signs = np.sign(total[: cell + 1])
    return float(signs[np.flatnonzero(signs)[-1]])
