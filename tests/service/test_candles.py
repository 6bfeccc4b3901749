import asyncio

from bot.core.snapshot import Candle
from bot.errors import NotListed, SourceError
from bot.service.candles import Candles
from tests.service.builders import BTC, NOON

DOWN = SourceError("x", "HTTP 503")


class Venue:
    """Gives one answer after the other, the last one for ever, and counts the questions."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    async def fetch_candles(self, symbol):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SourceError):
            raise answer
        return answer


class Slow(Venue):
    """Answers once it is told to."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.ready = asyncio.Event()

    async def fetch_candles(self, symbol):
        self.asked += 1
        await self.ready.wait()
        return self.answers[0]


def candle(price):
    return [Candle(NOON, price, price, price, price, 1.0)]


async def test_the_first_venue_that_has_candles_gives_them():
    venues = [
        Venue(DOWN),
        Venue(NotListed("y", "no such coin")),
        Venue(candle(3)),
        Venue(candle(4)),
    ]

    assert await Candles(venues).fetch(BTC, 1.0) == candle(3)
    assert venues[3].asked == 0


async def test_the_preferred_venue_stays_preferred_while_it_answers():
    venues = [Venue(candle(1)), Venue(candle(2))]
    candles = Candles(venues)

    assert [await candles.fetch(BTC, 1.0) for _ in range(3)] == [candle(1)] * 3


async def test_a_venue_that_failed_is_asked_last_from_then_on():
    venues = [Venue(DOWN, candle(1)), Venue(candle(2))]
    candles = Candles(venues)

    assert [await candles.fetch(BTC, 1.0) for _ in range(2)] == [candle(2)] * 2
    assert venues[0].asked == 1


async def test_candles_that_take_their_time_serve_the_next_look():
    slow = Slow(candle(2))
    candles = Candles([slow])

    before = await candles.fetch(BTC, 0.0)
    slow.ready.set()
    await asyncio.sleep(0)

    assert before == ()
    assert await candles.fetch(BTC, 1.0) == candle(2)
    assert slow.asked == 1


async def test_the_last_candles_serve_while_no_venue_answers():
    candles = Candles([Venue(candle(1), DOWN)])

    assert [await candles.fetch(BTC, 1.0) for _ in range(3)] == [candle(1)] * 3


async def test_a_coin_that_nobody_trades_has_none():
    candles = Candles([Venue([]), Venue(DOWN)])

    assert await candles.fetch(BTC, 1.0) == ()


async def test_one_symbols_trouble_does_not_change_whom_another_asks():
    venues = [Venue(DOWN, candle(1)), Venue(candle(2))]
    candles = Candles(venues)
    await candles.fetch(BTC, 1.0)

    assert await candles.fetch("ETHUSDT", 1.0) == candle(1)
