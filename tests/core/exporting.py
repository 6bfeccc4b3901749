"""Snapshots of any levels at all, on their way out."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from bot.core.exports.export import Export
from bot.core.levels import ExpectedMove, LevelSet, MaxPain, OdteSet, RankedStrike
from bot.core.zones import FlipZone
from tests.fakes import NOON, make_chain, make_snapshot

LATER = NOON + timedelta(seconds=70)
SNAPSHOT = make_snapshot(make_chain(("deribit", "derive")))

prices = st.floats(1e-9, 1e15)
level_sets = st.builds(LevelSet, *[st.none() | prices] * 7)
odte_sets = st.builds(OdteSet, *[st.none() | prices] * 3)
ranked = st.lists(prices.map(lambda price: RankedStrike(price, *[1.0] * 6)), max_size=10).map(tuple)
zones = st.builds(
    lambda low, flip, high: FlipZone(flip, (flip,), low, high, "unchanged", 0.0),
    *[prices] * 3,
)


@st.composite
def exports(draw) -> Export:
    """Any levels that there can be, even nonsensical ones, at any spot."""
    levels = replace(
        SNAPSHOT.levels,
        all_expiry=draw(level_sets),
        odte=draw(odte_sets),
        ranked=draw(ranked),
        ranked_odte=draw(ranked),
        gamma_flip_zones=tuple(draw(st.lists(zones, max_size=3))),
        max_pain=draw(st.none() | prices.map(lambda price: MaxPain(price, 1.0, NOON))),
        expected_move=draw(st.none() | st.builds(ExpectedMove, *[prices] * 4)),
    )
    snapshot = replace(SNAPSHOT, spot=draw(prices), levels=levels)
    return Export(snapshot, LATER, stale=draw(st.booleans()), simulated=draw(st.booleans()))


def export_of(snapshot=SNAPSHOT, *, stale=False, simulated=False) -> Export:
    return Export(snapshot, LATER, stale=stale, simulated=simulated)
