"""The engine's levels beside the oracle's."""

import math
from dataclasses import asdict

from bot.core.snapshot import Levels
from tests.oracle import Answer

NUMBERS = 1e-9  # relative
EDGES = 1e-5  # relative, of a zone's lower and upper


def as_data(levels: Levels) -> dict:
    """The engine's levels in the API's shape."""
    return {
        "all_expiry": asdict(levels.all_expiry),
        "odte": asdict(levels.odte),
        "ranked": {
            "all_expiry_top_10": [asdict(one) for one in levels.ranked],
            "odte_top_10": [asdict(one) for one in levels.ranked_odte],
        },
        "max_pain": levels.max_pain and asdict(levels.max_pain),
        "expected_move": levels.expected_move and asdict(levels.expected_move),
        "gamma_flip_zones": [asdict(zone) for zone in levels.gamma_flip_zones],
        "net_gex": levels.net_gex,
        "regime": levels.regime,
    }


def differences(levels: Levels, answer: Answer) -> list[str]:
    """What the two say differently, a line each, apart from the answer's doubts."""
    got, want, doubts = as_data(levels), answer.data, answer.doubts
    lines: list[str] = []
    for name in ("all_expiry", "odte"):
        for level, value in want[name].items():
            doubt = f"{name}.hvl" if level == "hvl" else f"{name}.walls"
            if doubt not in doubts and got[name][level] != value:
                lines.append(f"{name}.{level}: {got[name][level]} is not {value}")
    for name, top in want["ranked"].items():
        if name not in doubts:
            lines += _ranked(name, got["ranked"][name], top)
    if "max_pain" not in doubts:
        lines += _section("max_pain", got["max_pain"], want["max_pain"], exact=("strike", "expiry"))
    lines += _section("expected_move", got["expected_move"], want["expected_move"])
    if "gamma_flip_zones" not in doubts:
        lines += _zones(got["gamma_flip_zones"], want["gamma_flip_zones"], doubts)
    if "net_gex" not in doubts and not _near(got["net_gex"], want["net_gex"], answer.gross_gex):
        lines.append(f"net_gex: {got['net_gex']} is not {want['net_gex']}")
    if "regime" not in doubts and got["regime"] != want["regime"]:
        lines.append(f"regime: {got['regime']} is not {want['regime']}")
    return lines


def _near(got: float | None, want: float | None, terms: float = 0.0) -> bool:
    """Equal to 1e-9; a sum that cancels is measured by its terms."""
    if got is None or want is None:
        return got is want
    return math.isclose(got, want, rel_tol=NUMBERS, abs_tol=1e-12 * terms)


def _ranked(name: str, got: list[dict], want: list[dict]) -> list[str]:
    if [one["strike"] for one in got] != [one["strike"] for one in want]:
        return [f"{name}: {[o['strike'] for o in got]} is not {[o['strike'] for o in want]}"]
    lines = []
    for one, other in zip(got, want, strict=True):
        terms = abs(other["call_gex"]) + abs(other["put_gex"])
        for field, value in other.items():
            slack = terms if field == "net_gex" else 100.0 if field == "distance_pct" else 0.0
            if not _near(one[field], value, slack):
                lines.append(f"{name} {other['strike']} {field}: {one[field]} is not {value}")
    return lines


def _section(
    name: str, got: dict | None, want: dict | None, exact: tuple[str, ...] = ()
) -> list[str]:
    if got is None or want is None:
        return [] if got is want else [f"{name}: {got} is not {want}"]
    return [
        f"{name}.{field}: {got[field]} is not {value}"
        for field, value in want.items()
        if not (got[field] == value if field in exact else _near(got[field], value))
    ]


def _zones(got: list[dict], want: list[dict], doubts: set[str]) -> list[str]:
    if [len(zone["flips"]) for zone in got] != [len(zone["flips"]) for zone in want]:
        return [f"flips: {[z['flips'] for z in got]} is not {[z['flips'] for z in want]}"]
    lines = []
    for one, other in zip(got, want, strict=True):
        pairs = [("flip", one["flip"], other["flip"])]
        pairs += [("flips", a, b) for a, b in zip(one["flips"], other["flips"], strict=True)]
        lines += [f"zone {name}: {a} is not {b}" for name, a, b in pairs if not _near(a, b)]
        if not _near(one["distance_pct"], other["distance_pct"], 1e6):
            lines.append(f"zone distance_pct: {one['distance_pct']} is not {other['distance_pct']}")
        for edge in ("lower", "upper"):
            if not math.isclose(one[edge], other[edge], rel_tol=EDGES):
                lines.append(f"zone {edge}: {one[edge]} is not {other[edge]}")
        if "direction" not in doubts and one["direction"] != other["direction"]:
            lines.append(f"zone direction: {one['direction']} is not {other['direction']}")
    return lines
