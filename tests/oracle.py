"""The levels a second time: slow, plain Python, written from the definitions alone.

It shares no line with the engine and no method of its search: cells of the flip curve are
split until a bound proves that each holds no root or exactly one. Where an answer would hang
on rounding, its section is named in `doubts`, and nobody should compare it.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from statistics import median

HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
YEAR = timedelta(days=365)
HAIR = 1e-11  # relative; two numbers nearer than this may change places by rounding
SMALLEST_CELL = 1e-12  # of ln s; a cell that is undecided at this size is a doubt
LOW, HIGH = math.log(0.5), math.log(1.5)  # where flips are searched
ALL_OF_ZONES = {"gamma_flip_zones", "regime"}
PATIENCE = 60_000  # cells; a curve that needs more is rounding noise nearly everywhere


@dataclass(frozen=True)
class Row:
    """One option of one venue, in coins, USD, fractions and UTC; NaN is "not given"."""

    venue: str
    expiry: datetime
    strike: float
    is_call: bool
    oi: float
    iv: float
    forward: float
    index: float


@dataclass
class Answer:
    """The data of the API, with the sections that rounding could turn either way."""

    data: dict
    doubts: set[str] = field(default_factory=set)
    gross_gex: float = 0.0  # USD per +1 %, unsigned: what an error of net_gex is measured by


@dataclass(frozen=True)
class Option:
    """A live row after cleaning."""

    expiry: datetime
    strike: float
    is_call: bool
    oi: float
    iv: float | None
    forward: float  # F of the page, at spot S
    left: timedelta

    @property
    def v(self) -> float:
        return self.iv * math.sqrt(max(self.left, HALF_HOUR) / YEAR)

    @property
    def gex(self) -> float:
        if self.oi == 0 or self.iv is None:
            return 0.0
        d1 = math.log(self.forward / self.strike) / self.v + self.v / 2
        phi = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
        sign = 1 if self.is_call else -1
        return sign * self.oi * phi / (self.forward * self.v) * self.forward**2 * 0.01


def compute(rows: Iterable[Row], spot: float, now: datetime) -> Answer:
    """Every section of the data for this spot and time."""
    options = clean(rows, spot, now)
    today = [option for option in options if option.left <= DAY]
    answer = Answer({})
    all_expiry, odte = per_strike(options), per_strike(today)
    levels_of_day = level_set(odte, spot, answer, "odte")
    answer.data = {
        "all_expiry": level_set(all_expiry, spot, answer, "all_expiry"),
        "odte": {name: levels_of_day[name] for name in ("hvl", "call_resistance", "put_support")},
        "ranked": {
            "all_expiry_top_10": ranked(all_expiry, spot, answer, "all_expiry_top_10"),
            "odte_top_10": ranked(odte, spot, answer, "odte_top_10"),
        },
        "max_pain": max_pain(options, spot, answer),
        "expected_move": expected_move(options, spot),
        "gamma_flip_zones": flip_zones(options, spot, answer),
    }
    regime(options, spot, answer)
    return answer


# Input


def clean(rows: Iterable[Row], spot: float, now: datetime) -> list[Option]:
    live = [row for row in rows if row.expiry > now]
    own = {id(row): row.forward * spot / row.index for row in live if quotes_forward(row)}
    quoting = {row.venue for row in live if id(row) in own}
    options = []
    for row in live:
        if id(row) in own:
            forward = own[id(row)]
        elif row.venue in quoting:
            forward = spot
        else:
            others = [
                own[id(other)] for other in live if id(other) in own and other.expiry == row.expiry
            ]
            forward = median(others) if others else spot
        oi = row.oi if math.isfinite(row.oi) and row.oi >= 0 else 0.0
        iv = row.iv if 0.01 <= row.iv <= 5 else None
        options.append(
            Option(row.expiry, row.strike, row.is_call, oi, iv, forward, row.expiry - now)
        )
    return options


def quotes_forward(row: Row) -> bool:
    return all(math.isfinite(value) and value > 0 for value in (row.forward, row.index))


# Per strike, and the levels of a set


@dataclass
class Strike:
    strike: float
    call_gex: float
    put_gex: float
    call_oi: float
    put_oi: float

    @property
    def net(self) -> float:
        return self.call_gex + self.put_gex

    @property
    def gross(self) -> float:
        return self.call_gex - self.put_gex


def per_strike(options: list[Option]) -> list[Strike]:
    at = defaultdict(list)
    for option in options:
        at[option.strike].append(option)
    return [
        Strike(
            strike,
            call_gex=math.fsum(o.gex for o in here if o.is_call),
            put_gex=math.fsum(o.gex for o in here if not o.is_call),
            call_oi=math.fsum(o.oi for o in here if o.is_call),
            put_oi=math.fsum(o.oi for o in here if not o.is_call),
        )
        for strike, here in sorted(at.items())
    ]


def level_set(strikes: list[Strike], spot: float, answer: Answer, name: str) -> dict:
    above = [s for s in strikes if s.strike >= spot and s.net > 0]
    below = [s for s in strikes if s.strike <= spot and s.net < 0]
    calls = [s.strike for s in strongest(above, spot, 3, answer, f"{name}.walls")]
    puts = [s.strike for s in strongest(below, spot, 3, answer, f"{name}.walls")]
    doubt_cancelled(strikes, answer, f"{name}.walls")
    calls, puts = [*calls, None, None, None], [*puts, None, None, None]
    return {
        "hvl": hvl(strikes, spot, answer, f"{name}.hvl"),
        "call_resistance": calls[0],
        "call_wall_2": calls[1],
        "call_wall_3": calls[2],
        "put_support": puts[0],
        "put_wall_2": puts[1],
        "put_wall_3": puts[2],
    }


def strongest(
    strikes: list[Strike], spot: float, count: int, answer: Answer, doubt: str
) -> list[Strike]:
    order = sorted(strikes, key=lambda s: (-abs(s.net), abs(s.strike - spot), s.strike))
    for one, other in pairwise(order[: count + 1]):
        gap = abs(one.net) - abs(other.net)
        if 0 < gap <= HAIR * (one.gross + other.gross):
            answer.doubts.add(doubt)
    return order[:count]


def doubt_cancelled(strikes: list[Strike], answer: Answer, doubt: str) -> None:
    if any(0 < abs(s.net) <= HAIR * s.gross for s in strikes):
        answer.doubts.add(doubt)


def hvl(strikes: list[Strike], spot: float, answer: Answer, doubt: str) -> float | None:
    crossings, sign = [], 0
    for count, here in enumerate(strikes, start=1):
        running = math.fsum(g for s in strikes[:count] for g in (s.call_gex, s.put_gex))
        gross = math.fsum(s.gross for s in strikes[:count])
        if 0 < abs(running) <= HAIR * gross:
            answer.doubts.add(doubt)
        new = (running > 0) - (running < 0)
        if new * sign < 0:
            crossings.append(here.strike)
        sign = new or sign
    return min(crossings, key=lambda k: (abs(k - spot), k), default=None)


def ranked(strikes: list[Strike], spot: float, answer: Answer, name: str) -> list[dict]:
    doubt_cancelled(strikes, answer, name)
    return [
        {
            "strike": s.strike,
            "net_gex": s.net,
            "call_gex": s.call_gex,
            "put_gex": s.put_gex,
            "call_oi": s.call_oi,
            "put_oi": s.put_oi,
            "distance_pct": (s.strike / spot - 1) * 100,
        }
        for s in strongest([s for s in strikes if s.net != 0], spot, 10, answer, name)
    ]


# Max pain and expected move


def max_pain(options: list[Option], spot: float, answer: Answer) -> dict | None:
    held = [option.expiry for option in options if option.oi > 0]
    if not held:
        return None
    expiry = min(held)
    listed = [option for option in options if option.expiry == expiry]
    paid = {strike: payout(listed, strike) for strike in {o.strike for o in listed}}
    best = min(paid, key=lambda k: (paid[k], abs(k - spot), k))
    if any(0 < paid[k] - paid[best] <= Fraction(HAIR) * paid[best] for k in paid):
        answer.doubts.add("max_pain")
    return {"strike": best, "value": float(paid[best]), "expiry": expiry}


def payout(options: list[Option], settled: float) -> Fraction:
    total = Fraction(0)
    for option in options:
        gain = Fraction(settled) - Fraction(option.strike)
        total += Fraction(option.oi) * max(gain if option.is_call else -gain, Fraction(0))
    return total


def expected_move(options: list[Option], spot: float) -> dict | None:
    usable = [o.expiry for o in options if o.left > HOUR and o.iv is not None]
    if not usable:
        return None
    here = [option for option in options if option.expiry == min(usable)]
    ivs = defaultdict(list)
    for option in here:
        if option.iv is not None:
            ivs[option.strike].append(option.iv)
    smile = [(strike, math.fsum(ivs[strike]) / len(ivs[strike])) for strike in sorted(ivs)]
    day = interpolate(smile, median(o.forward for o in here)) * math.sqrt(1 / 365)
    return {
        "upper_1sd": spot * math.exp(day),
        "lower_1sd": spot * math.exp(-day),
        "upper_2sd": spot * math.exp(2 * day),
        "lower_2sd": spot * math.exp(-2 * day),
    }


def interpolate(points: list[tuple[float, float]], x: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 <= x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[0][1] if x < points[0][0] else points[-1][1]


# Flip zones


@dataclass
class Here:
    """The curve at one point: the total, its slope, and the same sums of unsigned terms."""

    total: float
    slope: float
    gross: float
    gross_slope: float
    steepness: float  # sum of the unsigned terms of the slope


class Curve:
    """Total GEX in x = ln(s / S). A row is K phi(d2) / v, a bell: its bends have simple bounds."""

    def __init__(self, options: list[Option]) -> None:
        signed, unsigned = defaultdict(list), defaultdict(list)
        for o in options:
            if o.oi > 0 and o.iv is not None:
                weight = o.oi * 0.01 / o.v / math.sqrt(2 * math.pi)
                key = (o.forward, o.strike, o.v)
                signed[key].append(weight if o.is_call else -weight)
                unsigned[key].append(weight)
        self.bells = [
            (math.log(f / k), v, f * math.fsum(signed[f, k, v]), f * math.fsum(unsigned[f, k, v]))
            for f, k, v in sorted(signed)
        ]

    def at(self, x: float) -> Here:
        total = slope = gross = gross_slope = steepness = 0.0
        for moneyness, v, signed, unsigned in self.bells:
            d1 = (moneyness + x) / v + v / 2
            if abs(d1) > 39:  # phi is 0 in floating point
                continue
            phi = math.exp(-d1 * d1 / 2)
            steep = (1 - d1 / v) * phi
            total += signed * phi
            slope += signed * steep
            gross += unsigned * phi
            gross_slope += unsigned * steep
            steepness += unsigned * abs(steep)
        moved = math.exp(x)
        return Here(
            total * moved, slope * moved, gross * moved, gross_slope * moved, steepness * moved
        )

    def bend(self, x: float, radius: float) -> float:
        """At least the largest second derivative, of the total and of the gross, in the cell."""
        bound = 0.0
        for moneyness, v, _, unsigned in self.bells:
            d2 = (moneyness + x) / v - v / 2
            near = max(abs(d2) - radius / v, 0.0)
            if near > 39:
                continue
            height = 1.0 if near < math.sqrt(3) else (near * near - 1) * math.exp(-near * near / 2)
            bound += unsigned * math.exp(-moneyness) * height / (v * v)
        return bound


class OutOfPatience(Exception):
    """The curve is too near to nothing to be split in reasonable time."""


def find_peak(curve: Curve, low: float, high: float, value: Callable[[Here], tuple]) -> float:
    """The continuous maximum of abs(value) in [low, high], to 1e-13."""
    best = max(abs(value(curve.at(low))[0]), abs(value(curve.at(high))[0]))
    cells, spent = [(low, high)], 0
    while cells:
        a, b = cells.pop()
        middle, radius = (a + b) / 2, (b - a) / 2
        height, slope = value(curve.at(middle))
        best = max(best, abs(height))
        reach = abs(height) + abs(slope) * radius + curve.bend(middle, radius) * radius**2 / 2
        if reach > best * (1 + 1e-13) and radius > SMALLEST_CELL:
            cells += [(a, middle), (middle, b)]
        spent += 1
        if spent > PATIENCE:
            raise OutOfPatience
    return best


@dataclass
class Crossings:
    found: list[float]
    doubtful: list[float]  # places where two roots may be, or none


def find_crossings(
    curve: Curve, target: float, low: float, high: float, *, quiet: float
) -> Crossings:
    """Every x where total - target changes sign, but where gross is below `quiet`."""
    result = Crossings([], [])
    cells, spent = [(low, high)], 0
    while cells:
        spent += 1
        if spent > PATIENCE:
            raise OutOfPatience
        a, b = cells.pop()
        middle, radius = (a + b) / 2, (b - a) / 2
        here, bend = curve.at(middle), curve.bend(middle, radius)
        value = here.total - target
        curving = bend * radius**2 / 2
        rounding = 1e-15 * (here.gross + here.steepness * 1e-1)
        if here.gross + abs(here.gross_slope) * radius + curving < quiet:
            continue
        if abs(value) > abs(here.slope) * radius + curving + rounding:
            continue
        if abs(here.slope) > bend * radius:
            if (curve.at(a).total < target) != (curve.at(b).total < target):
                result.found.append(bisect(curve, target, a, b))
        elif radius < SMALLEST_CELL:
            result.doubtful.append(middle)
        else:
            cells += [(a, middle), (middle, b)]
    result.found.sort()
    return result


def bisect(curve: Curve, target: float, a: float, b: float) -> float:
    rising = curve.at(a).total < target
    while a < (middle := (a + b) / 2) < b:
        if (curve.at(middle).total < target) == rising:
            a = middle
        else:
            b = middle
    return (a + b) / 2


def flip_zones(options: list[Option], spot: float, answer: Answer) -> list[dict]:
    try:
        return search_zones(Curve(options), spot, answer)
    except OutOfPatience:
        answer.doubts |= ALL_OF_ZONES
        return []


def search_zones(curve: Curve, spot: float, answer: Answer) -> list[dict]:
    gross_peak = find_peak(curve, LOW, HIGH, lambda here: (here.gross, here.gross_slope))
    flips = find_flips(curve, gross_peak, answer)
    if not flips:
        return []
    peak = find_peak(curve, math.log(0.75), math.log(1.25), lambda here: (here.total, here.slope))
    if peak <= 1e-9 * gross_peak:  # the band then ends where the sum is rounding
        answer.doubts |= ALL_OF_ZONES
        return []
    edges = find_edges(curve, 0.05 * peak, answer)
    bands: list[tuple[float, float, list[float]]] = []
    for flip in flips:
        lower = max(edge for edge in edges if edge <= flip)
        upper = min(edge for edge in edges if edge >= flip)
        if bands and lower <= bands[-1][1]:
            bands[-1] = (bands[-1][0], upper, [*bands[-1][2], flip])
        else:
            bands.append((lower, upper, [flip]))
    return [describe(curve, *band, spot, answer) for band in bands]


def find_flips(curve: Curve, gross_peak: float, answer: Answer) -> list[float]:
    """Every x where the total changes sign and is more than noise."""
    if gross_peak == 0:
        return []
    noise = 1e-6 * gross_peak
    roots = find_crossings(curve, 0.0, LOW, HIGH, quiet=noise * 0.99)
    doubtful = bool(roots.doubtful)
    flips = []
    for x in roots.found:
        here = curve.at(x)
        doubtful |= abs(here.gross / noise - 1) < 1e-6 or ill_conditioned(here, 1e-10)
        doubtful |= min(x - LOW, HIGH - x) < 1e-9
        if here.gross >= noise:
            flips.append(x)
    if doubtful:
        answer.doubts |= ALL_OF_ZONES
    return flips


def find_edges(curve: Curve, limit: float, answer: Answer) -> list[float]:
    """Every x where abs(total) passes the limit, between the ends of the searched range."""
    strong = find_crossings(curve, limit, LOW, HIGH, quiet=0.0)
    weak = find_crossings(curve, -limit, LOW, HIGH, quiet=0.0)
    found = [*strong.found, *weak.found]
    if strong.doubtful or weak.doubtful or any(ill_conditioned(curve.at(x), 1e-7) for x in found):
        answer.doubts |= ALL_OF_ZONES
    return sorted([LOW, *found, HIGH])


def describe(
    curve: Curve, lower: float, upper: float, flips: list[float], spot: float, answer: Answer
) -> dict:
    if min(abs(lower), abs(upper)) < 1e-9:
        answer.doubts.add("regime")
    below, above = curve.at(lower).total, curve.at(upper).total
    # Where the range ends inside the band, a root that is noise may lie between.
    before, after = -curve.at(flips[0]).slope, curve.at(flips[-1]).slope
    if (lower == LOW and below * before < 0) or (upper == HIGH and above * after < 0):
        answer.doubts.add("direction")
    prices = [spot * math.exp(x) for x in flips]
    nearest = min(prices, key=lambda flip: (abs(flip - spot), flip))
    return {
        "flip": nearest,
        "flips": prices,
        "lower": spot * math.exp(lower),
        "upper": spot * math.exp(upper),
        "direction": direction(
            before if lower == LOW else below, after if upper == HIGH else above
        ),
        "distance_pct": (nearest / spot - 1) * 100,
    }


def ill_conditioned(here: Here, tolerance: float) -> bool:
    """Whether rounding of the terms could move a root by more than the tolerance in ln s."""
    return 2e-15 * here.gross + 4e-16 * here.steepness > tolerance * abs(here.slope)


def direction(before: float, after: float) -> str:
    if before < 0 < after:
        return "negative_to_positive"
    return "positive_to_negative" if after < 0 < before else "unchanged"


# Regime


def regime(options: list[Option], spot: float, answer: Answer) -> None:
    """Adds net_gex and regime to the answer."""
    with_gamma = [option.gex for option in options if option.oi > 0 and option.iv is not None]
    net = math.fsum(with_gamma) if with_gamma else None
    answer.gross_gex = math.fsum(map(abs, with_gamma))
    answer.data["net_gex"] = net
    if net is None:
        answer.data["regime"] = None
        return
    if answer.gross_gex == 0:  # every term underflows: a total of 0, or none at all
        answer.doubts |= {"net_gex", "regime"}
    inside = any(z["lower"] <= spot <= z["upper"] for z in answer.data["gamma_flip_zones"])
    if not inside and abs(net) <= HAIR * answer.gross_gex:
        answer.doubts.add("regime")
    sign = "positive" if net > 0 else "negative"
    answer.data["regime"] = "neutral" if inside else sign
