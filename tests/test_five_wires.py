"""One market behind five venues' wires: whoever is asked, the levels are the same.

Units are what this is about: a venue's open interest in contracts, its IV in percent or a strike
read wrongly would part it from the others.
"""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bot.config import Config
from bot.core.snapshot import compute_levels
from bot.exchanges.http import open_session
from bot.markets import VENUES, networked_market
from bot.sim.server import Simulator
from tests.core.compare import as_data, differences
from tests.exchanges.timers import ManualTimer
from tests.oracle import Answer

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LISTED = {
    "BTC": ["deribit", "bybit", "okx", "binance", "derive"],
    "ETH": ["deribit", "bybit", "okx", "binance", "derive"],
    "SOL": ["deribit", "bybit", "okx", "binance", "derive"],
    "HYPE": ["deribit", "derive"],
}
PAIRS = [(coin, venue) for coin, venues in LISTED.items() for venue in venues[1:]]


@asynccontextmanager
async def simulated(at=AT):
    """The adapters of every venue before one simulator at that time."""
    timer = ManualTimer(at)
    server = Simulator(7, lambda: at, limits=False)
    async with server as simulator, open_session() as session:
        addresses = {
            name: dict.fromkeys(venue.hosts.values(), simulator.base_url)
            | {"ws_url": simulator.ws_url}
            for name, venue in VENUES.items()
        }
        yield networked_market("sim", Config(), session, addresses, timer)


@pytest.fixture(scope="module")
def chains():
    """Every venue's chain of every coin that it lists, by coin and venue."""

    async def fetch():
        async with simulated() as market:
            return {
                (coin, venue): await market.venues[venue].fetch_chain(coin)
                for coin, venues in LISTED.items()
                for venue in venues
            }

    return asyncio.run(fetch())


def levels(chain, forward):
    """The levels of the chain alone at its own index; without forwards where one venue has none."""
    rows = chain if forward else replace(chain, forward=np.full(len(chain), np.nan))
    return compute_levels(rows, float(np.nanmedian(chain.index)), AT)


def assert_one_market(chain, other):
    forward = "binance" not in (chain.sources[0].venue, other.sources[0].venue)
    reference = levels(other, forward)
    assert differences(levels(chain, forward), Answer(as_data(reference))) == []
    assert reference.net_gex


@pytest.mark.parametrize(("coin", "venue"), PAIRS)
def test_every_venue_alone_gives_the_levels_that_deribit_gives(chains, coin, venue):
    assert_one_market(chains[coin, venue], chains[coin, "deribit"])


def held(chain):
    """The options with open interest."""
    rows = chain.take(chain.oi > 0)
    columns = (rows.expiry.tolist(), rows.strike.tolist(), rows.is_call.tolist())
    return set(zip(*columns, strict=True))


@pytest.mark.parametrize(("coin", "venue"), PAIRS)
def test_every_venue_sends_every_option_that_somebody_holds(chains, coin, venue):
    own, reference = held(chains[coin, venue]), held(chains[coin, "deribit"])

    assert own == reference
    assert len(own) > 100


MISTAKES = {
    "open interest times the contract size": lambda chain: replace(chain, oi=chain.oi * 10),
    "open interest in contracts of a hundredth": lambda chain: replace(chain, oi=chain.oi * 100),
    "half of the open interest": lambda chain: replace(chain, oi=chain.oi / 2),
    "IV in percent": lambda chain: replace(chain, iv=chain.iv * 100),
    "IV of a percent": lambda chain: replace(chain, iv=chain.iv / 100),
    "77_5 read as 775": lambda chain: replace(
        chain, strike=np.where(chain.strike % 1 > 0, chain.strike * 10, chain.strike)
    ),
    "calls for puts": lambda chain: replace(chain, is_call=~chain.is_call),
    "expiry at midnight": lambda chain: replace(chain, expiry=chain.expiry + 57_600_000),
    "two thirds of the rows forgotten": lambda chain: chain.take(chain.oi % 3 > 1),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistaken_unit_is_noticed(chains, mistake):
    wrong = MISTAKES[mistake](chains["HYPE", "derive"])

    with pytest.raises(AssertionError):
        assert_one_market(wrong, chains["HYPE", "deribit"])
