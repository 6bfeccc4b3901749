"""The engine beside a second implementation written from the definitions alone.

GAMMABELL_EXAMPLES=5000 hunts: so many fresh random chains, and every chain of every recording.
"""

import os
from datetime import UTC, datetime, time, timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.snapshot import compute_levels
from tests.core.chains import NAN, NOW, make_chain, make_row
from tests.core.compare import differences
from tests.core.recordings import Recording
from tests.oracle import Row, compute
from tests.shared import RECORDINGS, needs_shared

EXAMPLES = int(os.environ.get("GAMMABELL_EXAMPLES", "0"))
INF = float("inf")
MINUTE = timedelta(minutes=1)

LEFT = st.one_of(
    st.sampled_from([timedelta(0), timedelta(hours=1), timedelta(hours=24), timedelta(seconds=1)]),
    st.integers(-60, 120).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(2, 48).map(lambda hours: timedelta(hours=hours)),
    st.integers(2, 365).map(lambda days: timedelta(days=days)),
)
OI = st.one_of(st.floats(0.01, 1_000), st.sampled_from([1.0, 10.0, 0.0, NAN, INF, -5.0]))
IV = st.one_of(st.floats(0.15, 1.5), st.sampled_from([0.5, NAN, 0.0, 50.0, 0.01, 5.0, 0.0099]))
SPOT = st.one_of(st.sampled_from([0.85, 77.5, 70_000.0]), st.floats(0.1, 200_000))


@st.composite
def chains(draw):
    """A chain of one to four venues with the spot; Binance quotes no forward."""
    spot = draw(SPOT)
    venues = draw(st.permutations(["deribit", "bybit", "okx", "binance"]))
    venues = venues[: draw(st.integers(1, 4))]
    basis = st.floats(-0.03, 0.03)
    expiries = draw(st.lists(st.tuples(LEFT, basis), min_size=1, max_size=6))
    step, lowest = draw(st.sampled_from([0.01, 0.02, 0.05, 0.1])), draw(st.integers(-9, 6))
    digits = 0 if spot > 1_000 else 1 if spot > 20 else 3
    strikes = [round(spot * (1 + step * (lowest + k)), digits) for k in range(12)]

    def row(venue, expiry, strike, side, oi, iv, index, gap) -> Row:
        forward = spot * (1 + expiry[1]) if venue != "binance" and gap != "forward" else NAN
        return make_row(
            strike,
            side,
            oi=oi,
            iv=iv,
            left=expiry[0],
            venue=venue,
            forward=forward,
            index=NAN if gap == "index" else spot * index,
        )

    rows = st.builds(
        row,
        st.sampled_from(venues),
        st.sampled_from(expiries),
        st.sampled_from([strike for strike in strikes if strike > 0]),
        st.sampled_from(["call", "put"]),
        OI,
        IV,
        st.sampled_from([1.0, 1.0, 1.001, 0.998]),
        st.sampled_from([*[None] * 10, "forward", "index"]),
    )
    count = draw(st.integers(1, 40))
    return draw(st.lists(rows, min_size=count, max_size=count)), spot


@settings(max_examples=EXAMPLES or 120, suppress_health_check=[HealthCheck.too_slow])
@given(chains())
def test_every_level_of_any_chain_is_the_oracles(case):
    rows, spot = case

    levels = compute_levels(make_chain(rows), spot, NOW)

    assert differences(levels, compute(rows, spot, NOW)) == []


@needs_shared
@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("deribit-2026-01-22_24", "BTCUSDT"),
        ("deribit-2026-01-22_24", "ETHUSDT"),
        ("deribit-2026-04-23_24", "BTCUSDT"),
        ("deribit-2026-04-23_24", "ETHUSDT"),
        ("derive-hype-2026-08-22", "HYPEUSDT"),
    ],
)
def test_every_level_of_a_recorded_chain_is_the_oracles(name, symbol):
    recording = load(name)

    for now in moments(recording, symbol):
        rows, spot = recording.at(symbol, now)
        answer = compute(rows, spot, now)

        levels = compute_levels(make_chain(rows), spot, now)

        assert not answer.doubts, now
        assert differences(levels, answer) == [], now


def test_the_oracle_itself_gives_the_published_dollar_gamma():
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1711162003672)
    expiry = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1735286400000)
    row = Row("bybit", expiry, 55_000, False, 0.01, 0.8866, 71690.55303594, 63838.92)

    answer = compute([row], 63838.92, now)

    assert answer.data["net_gex"] == pytest.approx(-2.82658184, abs=5e-9)


@cache
def load(name: str) -> Recording:
    return Recording(RECORDINGS / f"{name}.jsonl.gz")


def moments(recording: Recording, symbol: str) -> list[datetime]:
    """The first chain and the last, and the minutes around an 08:00 expiry between them."""
    chains = recording.chain_times(symbol)
    expiry = datetime.combine(chains[-1].date(), time(8), UTC)
    if expiry > chains[-1]:
        expiry -= timedelta(days=1)
    around = [expiry - left for left in (5 * MINUTE, timedelta(microseconds=1), timedelta(0))]
    return sorted({*(chains if EXAMPLES else (chains[0], chains[-1])), *around})
