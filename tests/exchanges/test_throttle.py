import asyncio
import pickle
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.exchanges.terms import Limit, Terms
from bot.exchanges.throttle import Throttle, Window
from tests.exchanges.timers import ManualTimer

FREE = Terms((Limit(1_000, 1.0),))


def throttle(timer, terms=FREE):
    return Throttle("okx", terms, timer, timer.now)


async def passes(gate, path="/a"):
    async with gate.admitted(path, {}):
        pass


async def times_of(gate, timer, count, path="/a"):
    """When each of so many requests was let through."""
    times = []
    for _ in range(count):
        await passes(gate, path)
        times.append(timer.passed)
    return times


async def shut_by(gate, status, body=b"{}", **headers):
    """What is said when the venue answers so."""
    with pytest.raises(SourceError) as caught:
        gate.heed(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)
    return caught.value.reason


async def is_open(gate):
    try:
        await passes(gate)
    except SourceError:
        return False
    return True


async def test_half_of_a_limit_passes_at_once_and_the_rest_waits_its_turn():
    timer = ManualTimer()
    gate = throttle(timer, Terms((Limit(10, 2.0),)))

    times = await times_of(gate, timer, 11)

    assert times == pytest.approx([0.0] * 5 + [2.0] * 5 + [4.0])


@given(gaps=st.lists(st.floats(0, 3), max_size=40), amount=st.integers(2, 12))
def test_no_span_of_the_limits_seconds_ever_holds_more_than_half(gaps, amount):
    async def scenario():
        timer = ManualTimer()
        gate, times = throttle(timer, Terms((Limit(amount, 5.0),))), []
        for gap in gaps:
            timer.passed += gap
            times += await times_of(gate, timer, 1)
        return times

    times = asyncio.run(scenario())

    for start in times:
        assert sum(start <= time < start + 5.0 - 1e-5 for time in times) <= amount / 2


async def test_every_limit_is_kept():
    timer = ManualTimer()
    gate = throttle(timer, Terms((Limit(4, 1.0), Limit(6, 60.0))))

    times = await times_of(gate, timer, 4)

    assert times == pytest.approx([0, 0, 1, 60])


async def test_a_limit_of_some_paths_leaves_the_others_alone():
    timer = ManualTimer()
    gate = throttle(timer, Terms((Limit(2, 60.0, "/slow"),)))
    await passes(gate, "/slow")

    await times_of(gate, timer, 50, "/quick")

    assert timer.passed == 0


async def test_each_path_may_have_a_limit_to_itself():
    timer = ManualTimer()
    gate = throttle(timer, Terms((Limit(2, 60.0, each_path=True),)))

    await passes(gate, "/a")
    await passes(gate, "/b")
    at_once = timer.passed
    await passes(gate, "/a")

    assert (at_once, timer.passed) == (0, 60)


async def test_a_request_counts_with_its_weight():
    timer = ManualTimer()
    gate = throttle(timer, Terms((Limit(20, 60.0),), cost=lambda path, params: 5.0))

    assert await times_of(gate, timer, 3) == pytest.approx([0, 0, 60])


async def test_a_request_heavier_than_the_budget_goes_alone():
    timer = ManualTimer()
    gate = throttle(timer, Terms((Limit(4, 60.0),), cost=lambda path, params: 5.0))

    assert await times_of(gate, timer, 2) == pytest.approx([0, 60])


async def test_no_more_connections_are_open_at_once_than_are_allowed():
    gate = throttle(ManualTimer(), Terms((Limit(1_000, 1.0),), connections=2))
    release, entered = asyncio.Event(), []

    async def request(number):
        async with gate.admitted("/a", {}):
            entered.append(number)
            await release.wait()

    asked = [asyncio.create_task(request(number)) for number in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    at_once = list(entered)
    release.set()
    await asyncio.gather(*asked)

    assert (at_once, entered) == ([0, 1], [0, 1, 2])


@pytest.mark.parametrize(
    ("status", "body", "seconds", "word"),
    [
        (429, b"{}", 5, "too many requests"),
        (418, b"{}", 120, "banned"),
        (403, b"<html>Access denied by country</html>", 1_800, "blocked"),
        (451, b"{}", 1_800, "blocked"),
        (403, b"access too frequent", 600, "too many requests"),
        (403, b'{"retMsg":"Access Too Frequent"}', 600, "too many requests"),
    ],
)
async def test_a_refusal_leaves_the_venue_alone_for_as_long_as_it_takes(
    status, body, seconds, word
):
    timer = ManualTimer()
    gate = throttle(timer)

    reason = await shut_by(gate, status, body)
    timer.passed = seconds - 1
    before = await is_open(gate)
    timer.passed = seconds

    assert (before, await is_open(gate)) == (False, True)
    assert f"{word} (HTTP {status})" in reason


async def test_a_403_that_names_the_limit_is_the_limits_however_it_is_worded():
    timer = ManualTimer()
    gate = throttle(timer, Terms((), is_too_many=lambda body: b"10006" in body))

    assert "02 Mar 12:10:00 UTC" in await shut_by(gate, 403, b'{"retCode":10006}')


@pytest.mark.parametrize("status", [418, 429])
async def test_the_pause_that_the_venue_asks_for_is_obeyed(status):
    timer = ManualTimer()
    gate = throttle(timer)

    reason = await shut_by(gate, status, Retry_After="300")
    timer.passed = 299
    before = await is_open(gate)
    timer.passed = 300

    assert (before, await is_open(gate)) == (False, True)
    assert "02 Mar 12:05:00 UTC" in reason


async def test_a_pause_may_be_asked_for_as_a_date():
    timer = ManualTimer()
    gate = throttle(timer)
    timer.passed = 90

    later = format_datetime(timer.now().replace(minute=10, second=0), usegmt=True)
    reason = await shut_by(gate, 429, Retry_After=later)

    assert "02 Mar 12:10:00 UTC" in reason


@pytest.mark.parametrize("text", ["", "soon", "-5", "0", "Wed, 32 Foo 2026", "99999999999999999"])
async def test_a_pause_that_is_none_is_the_usual_one_or_the_longest(text):
    gate = throttle(ManualTimer())

    await shut_by(gate, 429, Retry_After=text)

    assert not await is_open(gate)


async def test_a_refusal_in_the_body_counts_whatever_the_status():
    gate = throttle(ManualTimer(), Terms((), is_too_many=lambda body: b"10006" in body))

    await shut_by(gate, 200, b'{"retCode":10006}')

    assert not await is_open(gate)


async def test_data_that_happens_to_hold_such_a_number_is_no_refusal():
    gate = throttle(ManualTimer(), Terms((), is_too_many=lambda body: b"10006" in body))

    gate.heed(200, {}, b"10006" + b" " * 5_000)

    assert await is_open(gate)


@pytest.mark.parametrize("status", [200, 400, 404, 500, 503])
async def test_other_answers_shut_nothing(status):
    gate = throttle(ManualTimer())

    gate.heed(status, {"Retry-After": "60"}, b"{}")

    assert await is_open(gate)


async def test_a_shorter_refusal_does_not_shorten_a_longer_one():
    timer = ManualTimer()
    gate = throttle(timer)

    await shut_by(gate, 451)
    await shut_by(gate, 429, Retry_After="1")
    timer.passed = 60

    assert not await is_open(gate)


async def test_who_waits_for_the_budget_is_told_when_the_venue_shuts():
    timer = ManualTimer()
    gate = throttle(timer, Terms((Limit(2, 5.0),)))
    await passes(gate)
    waiting = asyncio.create_task(passes(gate))
    await asyncio.sleep(0)

    await shut_by(gate, 429, Retry_After="60")

    with pytest.raises(SourceError, match="too many requests"):
        await waiting


async def test_usage_is_what_was_asked_in_the_last_minute_beside_what_is_allowed():
    timer = ManualTimer()
    gate = throttle(timer, Terms((Limit(100, 5.0),)))
    await passes(gate)
    timer.passed = 50
    await passes(gate)

    before = gate.usage()
    timer.passed = 61

    assert (before.per_minute, before.allowed, before.shut) == (2, 1_200, "")
    assert gate.usage().per_minute == 1


async def test_usage_says_why_a_venue_is_left_alone():
    gate = throttle(ManualTimer())

    await shut_by(gate, 451)

    assert gate.usage().shut == "blocked (HTTP 451), asked again at 02 Mar 12:30:00 UTC"


def test_what_was_spent_long_ago_is_forgotten_though_nobody_asks_for_it():
    window = Window(Limit(20, 2.0))

    for second in range(10_000):
        window.spend(1.0, second)

    assert len(pickle.dumps(window)) < 1_000
    assert window.total(9_999.0) == 2.0
