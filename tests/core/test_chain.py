from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chain import COLUMNS, OptionChain, from_milliseconds, merge, milliseconds, only_venues
from bot.core.gex import exposure, live_rows
from tests.core.chains import NOW, make_chain, make_row

DERIBIT = [make_row(90, "put"), make_row(0.85), make_row(77.5)]
OKX = [make_row(90, "put", venue="okx"), make_row(110, venue="okx")]
BYBIT = [make_row(120, venue="bybit")]


def test_merging_keeps_every_row_of_every_venue():
    merged = merge("BTC", [make_chain(DERIBIT), make_chain(OKX), make_chain(BYBIT)])

    assert [source.venue for source in merged.sources] == ["deribit", "okx", "bybit"]
    assert merged.strike.tolist() == [90, 0.85, 77.5, 90, 110, 120]
    assert names(merged) == ["deribit"] * 3 + ["okx"] * 2 + ["bybit"]


def test_merging_chains_of_several_venues_keeps_each_row_with_its_venue():
    merged = merge("BTC", [make_chain(DERIBIT + OKX), make_chain(BYBIT + OKX)])

    assert names(merged) == ["deribit"] * 3 + ["okx"] * 2 + ["bybit"] + ["okx"] * 2


def test_the_exposure_of_merged_venues_is_the_sum_of_theirs():
    parts = [make_chain(DERIBIT), make_chain(OKX), make_chain(BYBIT)]

    assert total(merge("BTC", parts)) == pytest.approx(sum(map(total, parts)))


def test_merging_nothing_is_an_empty_chain():
    merged = merge("BTC", [])

    assert len(merged) == 0
    assert merged.sources == ()
    assert live_rows(merged, 100.0, NOW).dropped == {}


def test_merging_adds_the_counts_of_unreadable_rows():
    parts = [
        with_unreadable(make_chain(DERIBIT), {"name": 1, "strike": 2}),
        with_unreadable(make_chain(OKX), {"name": 4}),
    ]

    assert merge("BTC", parts).unreadable == {"name": 5, "strike": 2}


def test_a_venue_filter_leaves_the_rows_and_the_source_of_that_venue():
    merged = merge("BTC", [make_chain(DERIBIT), make_chain(OKX), make_chain(BYBIT)])

    filtered = only_venues(merged, ["bybit", "okx"])

    assert [source.venue for source in filtered.sources] == ["okx", "bybit"]
    assert names(filtered) == ["okx", "okx", "bybit"]
    assert filtered.strike.tolist() == [90, 110, 120]


def test_a_venue_filter_for_a_venue_that_is_not_there_leaves_nothing():
    filtered = only_venues(make_chain(DERIBIT), ["okx"])

    assert len(filtered) == 0
    assert filtered.sources == ()


@given(st.sets(st.sampled_from(["deribit", "okx", "bybit", "derive"])))
def test_filtering_a_merged_chain_is_merging_the_venues_alone(wanted):
    parts = {"deribit": DERIBIT, "okx": OKX, "bybit": BYBIT}

    filtered = only_venues(merge("BTC", [make_chain(rows) for rows in parts.values()]), wanted)

    alone = merge("BTC", [make_chain(rows) for venue, rows in parts.items() if venue in wanted])
    assert filtered.sources == alone.sources
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(filtered, name), getattr(alone, name))


def test_taking_rows_keeps_the_sources():
    chain = make_chain(DERIBIT + OKX)

    taken = chain.take(chain.strike == 90)

    assert taken.sources == chain.sources
    assert names(taken) == ["deribit", "okx"]


def test_milliseconds_are_exact_to_the_microsecond():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    just_before = noon - timedelta(microseconds=1)

    assert milliseconds(noon) == 1772452800000
    assert milliseconds(just_before) < milliseconds(noon)


@given(st.integers(0, 4_000_000_000_000))
def test_a_millisecond_survives_the_way_there_and_back(value):
    assert milliseconds(from_milliseconds(value)) == pytest.approx(value, abs=1e-3)


def names(chain: OptionChain) -> list[str]:
    return [chain.sources[position].venue for position in chain.venue]


def total(chain: OptionChain) -> float:
    return float(exposure(live_rows(chain, 100.0, NOW)).sum())


def with_unreadable(chain: OptionChain, counts: dict[str, int]) -> OptionChain:
    columns = {name: getattr(chain, name) for name in COLUMNS}
    return OptionChain(chain.underlying, chain.sources, **columns, unreadable=counts)
