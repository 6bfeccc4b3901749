from datetime import timedelta
from types import SimpleNamespace

import pytest

from bot.errors import SourceError
from bot.exchanges.terms import Limit, Terms
from bot.exchanges.throttle import Throttle
from bot.health import clock_fields, venue_fields
from tests.exchanges.timers import ManualTimer


@pytest.fixture
def market():
    """One venue, whose stream is live since noon and which allows 600 requests a minute."""
    timer = ManualTimer()
    return SimpleNamespace(
        streams=[SimpleNamespace(name="okx", live_since=timer.now(), trouble="")],
        throttles={"okx": Throttle("okx", Terms((Limit(20, 2.0),)), timer, timer.now)},
    )


def said(market, **unlisted):
    (field,) = venue_fields(market, unlisted)
    assert field.name == "okx"
    return field.value


async def test_a_venue_in_order_says_what_is_asked_of_it_beside_what_it_allows(market):
    for _ in range(3):
        async with market.throttles["okx"].admitted("/a", {}):
            pass

    assert said(market) == "prices live since 12:00:00 UTC; 3 a minute asked, 600 allowed"


def test_a_venue_says_which_coins_it_does_not_list(market):
    assert said(market, okx=["HYPE", "XRP"]).endswith("; lists no HYPE, XRP")


def test_a_venue_that_wants_no_requests_says_until_when_and_why(market):
    with pytest.raises(SourceError):
        market.throttles["okx"].heed(451, {}, b"")

    assert said(market).startswith("blocked (HTTP 451), asked again at 02 Mar 12:30:00 UTC; ")


@pytest.mark.parametrize(
    ("trouble", "why"), [("HTTP 503", "HTTP 503"), ("", "stream not open yet")]
)
def test_prices_that_are_asked_for_say_why(market, trouble, why):
    market.streams[0].live_since, market.streams[0].trouble = None, trouble

    assert said(market).startswith(f"prices polled ({why}); ")


def test_a_clock_that_seems_wrong_is_shown_and_one_that_is_right_is_not():
    ahead, right = (
        SimpleNamespace(clock_is_off_by=timedelta(seconds=20)),
        SimpleNamespace(clock_is_off_by=None),
    )

    assert [field.value for field in clock_fields(ahead)] == ["every price comes 20 s old: set it"]
    assert clock_fields(right) == []
