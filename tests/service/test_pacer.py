import asyncio
import logging
from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ports import Urgency
from bot.service.pacer import (
    FEW_PLACES,
    LONGEST_REPLY_WAIT,
    MOST_REFUSALS,
    Pacer,
    Places,
)
from tests.service.builders import VirtualTimer, run_virtually

REPLY, ALERT, NOTICE, DIGEST = Urgency
PER_SECOND = 29.0


def of_telegram(place):
    return 3.0 if place.startswith("-") else 1.0


class Line:
    """A pacer and what was sent through it: the place, the urgency and the time of each start."""

    def __init__(self, per_second=PER_SECOND, spacing=of_telegram, seconds=0.0, timer=None):
        self.pacer = Pacer(per_second, spacing, timer or VirtualTimer())
        self.starts = []
        self.in_flight = self.most_in_flight = 0
        self._seconds = seconds

    async def send(self, place, urgency=ALERT, at=0.0, seconds=None):
        """One request that comes at that time and takes so long."""
        await asyncio.sleep(at - now())
        async with self.pacer.turn(place, urgency):
            self.starts.append((place, urgency, now()))
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            try:
                await asyncio.sleep(self._seconds if seconds is None else seconds)
            finally:
                self.in_flight -= 1

    def times(self, place=None, *urgencies):
        return [
            at
            for where, urgency, at in self.starts
            if place in (None, where) and urgency in (urgencies or Urgency)
        ]


def now():
    return asyncio.get_running_loop().time()


def sent(line, *requests):
    """The line that is made, once all the requests are through."""

    async def scenario():
        made = line()
        await asyncio.gather(*(made.send(*request) for request in requests))
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, "something still waits"
        return made

    return run_virtually(scenario())


def busiest(times, seconds=1.0):
    """The most starts within one window of that length, its end left out."""
    return max(
        (bisect_left(times, at + seconds - 1e-9) - number for number, at in enumerate(times)),
        default=0,
    )


class TestPushes:
    @pytest.mark.parametrize("per_second", [29.0, 48.0])
    def test_go_out_to_many_chats_as_fast_as_the_token_allows_and_never_faster(self, per_second):
        requests = [(str(number),) for number in range(600)]

        line = sent(lambda: Line(per_second, seconds=0.2), *requests)

        gaps = [b - a for a, b in pairwise(line.times())]
        assert min(gaps) >= 1 / per_second - 1e-9
        assert busiest(line.times()) <= per_second
        assert 599 / line.times()[-1] >= 0.95 * per_second

    @pytest.mark.parametrize(("place", "spacing"), [("7", 1.0), ("-100", 3.0)])
    def test_to_one_chat_are_spaced_as_its_kind_asks(self, place, spacing):
        line = sent(Line, *[(place,)] * 4)

        assert line.times() == pytest.approx([spacing * number for number in range(4)])

    def test_to_one_chat_are_spaced_from_the_end_of_the_last_which_may_have_arrived_then(self):
        line = sent(lambda: Line(seconds=0.2), *[("7",)] * 3)

        assert line.times() == pytest.approx([0, 1.2, 2.4])

    def test_of_one_chat_that_must_wait_hold_up_no_other(self):
        line = sent(Line, *[("-1",)] * 5, *[(str(number),) for number in range(10)])

        others = [at for place, _, at in line.starts if place != "-1"]
        assert max(others) <= 11 / PER_SECOND

    def test_leave_alerts_before_notices_before_digests_and_each_in_its_order(self):
        waiting = [
            (f"{urgency.name}{n}", urgency) for urgency in (DIGEST, NOTICE, ALERT) for n in (1, 2)
        ]

        line = sent(Line, ("first",), *waiting)

        assert [place for place, _, _ in line.starts] == [
            "first",
            *("ALERT1", "ALERT2", "NOTICE1", "NOTICE2", "DIGEST1", "DIGEST2"),
        ]

    def test_that_are_slow_block_no_start_while_fewer_than_twenty_are_on_their_way(self):
        requests = [(str(number), ALERT, 0.0, 100.0) for number in range(25)]

        line = sent(lambda: Line(48.0), *requests)

        assert line.most_in_flight == 20
        assert line.times()[19] == pytest.approx(19 / 48)
        assert line.times()[20] == pytest.approx(100.0)

    def test_that_the_event_loop_starts_late_are_as_many_and_still_never_too_many(self):
        class Late(VirtualTimer):
            async def sleep(self, seconds):
                await super().sleep(seconds + 0.002)

        line = sent(lambda: Line(48.0, timer=Late()), *[(str(number),) for number in range(500)])

        assert busiest(line.times()) <= 48
        assert 499 / line.times()[-1] >= 0.99 * 48

    def test_after_a_pause_make_no_burst(self):
        late = [(str(number), ALERT, 60.0) for number in range(30)]

        line = sent(Line, ("first",), *late)

        assert busiest(line.times(), 0.5) <= PER_SECOND / 2 + 1


class TestReplies:
    def test_find_room_while_slow_pushes_have_all_of_theirs(self):
        pushes = [(str(number), ALERT, 0.0, 100.0) for number in range(25)]
        replies = [(f"r{number}", REPLY, 1.0, 100.0) for number in range(6)]

        line = sent(lambda: Line(48.0), *pushes, *replies)

        assert line.most_in_flight == 25
        assert line.times(None, REPLY)[4] <= 1 + LONGEST_REPLY_WAIT
        assert line.times(None, REPLY)[5] >= 100.0

    def test_to_a_group_are_twenty_a_minute_whatever_is_pushed_beside(self):
        replies = [("-1", REPLY, 2.0 * number) for number in range(40)]
        pushes = [("-1", ALERT, 2.0 * number) for number in range(10)]

        line = sent(Line, *replies, *pushes)

        assert busiest(line.times("-1"), 60.0) <= 20
        assert line.times("-1", ALERT)[5] <= 70.0
        assert line.times("-1")[-1] <= 3 * 62.0

    def test_borrow_no_slot_for_a_while_after_the_platform_refused_one(self):
        async def scenario():
            line = Line()
            flood = [line.send(f"r{number}", REPLY) for number in range(60)]
            await asyncio.gather(*flood)
            line.pacer.hold(1.0, "r59")  # a 429: nobody knows whether it was about that chat
            later = [line.send(f"s{number}", REPLY, 10.0) for number in range(60)]
            await asyncio.gather(*later)
            return line

        line = run_virtually(scenario())

        assert busiest(line.times()[:60]) > PER_SECOND
        assert busiest(line.times()[60:]) <= PER_SECOND

    def test_overtake_every_push_that_waits(self):
        pushes = [(str(number),) for number in range(100)]

        line = sent(Line, *pushes, ("someone", REPLY, 1.0))

        [at] = line.times("someone")
        assert at - 1.0 <= 1 / PER_SECOND

    def test_wait_for_a_slot_only_shortly_and_the_pushes_pay_for_what_they_borrow(self):
        replies = [(f"r{number}", REPLY) for number in range(60)]
        pushes = [(f"p{number}",) for number in range(60)]

        line = sent(Line, *replies, *pushes)

        assert max(line.times(None, REPLY)) <= LONGEST_REPLY_WAIT
        assert line.times(None, ALERT)[0] >= 60 / PER_SECOND - 1e-9
        assert line.times()[-1] == pytest.approx(119 / PER_SECOND, rel=0.01)

    def test_a_few_take_their_turns_without_a_burst(self):
        line = sent(Line, *[(f"r{number}", REPLY) for number in range(3)])

        assert line.times() == pytest.approx([number / PER_SECOND for number in range(3)])

    def test_to_one_chat_are_a_second_apart_and_push_its_next_push_back(self):
        line = sent(Line, ("-1", REPLY), ("-1", REPLY), ("-1",))

        assert line.times("-1", REPLY) == pytest.approx([0.0, 1.0])
        assert line.times("-1", ALERT) == pytest.approx([4.0])

    def test_of_a_chat_that_must_wait_hold_up_no_other_reply(self):
        line = sent(Line, *[("1", REPLY)] * 5, ("2", REPLY))

        assert line.times("2")[0] <= LONGEST_REPLY_WAIT

    def test_are_never_kept_off_for_long_after_a_flood_of_them(self):
        flood = [(f"r{number}", REPLY) for number in range(5_000)]

        line = sent(Line, *flood, ("p", ALERT))

        assert line.times("p")[0] <= 31.0


class TestAHold:
    def test_of_one_chat_delays_that_chat_alone(self):
        async def scenario():
            line = Line()
            line.pacer.hold(10.0, "1")
            await asyncio.gather(
                *(line.send(place, urgency) for place in "12" for urgency in (REPLY, ALERT))
            )
            return line

        line = run_virtually(scenario())

        assert line.times("1") == pytest.approx([10.0, 11.0])
        assert max(line.times("2")) == pytest.approx(1.0)

    def test_of_everything_delays_replies_too_and_the_longest_wish_counts(self):
        async def scenario():
            line = Line()
            line.pacer.hold(10.0)
            line.pacer.hold(3.0)
            line.pacer.hold(0.5, "1")
            states = [line.pacer.state()]
            await asyncio.gather(line.send("1", REPLY), line.send("2"))
            return line, [*states, line.pacer.state()]

        line, states = run_virtually(scenario())

        assert line.times()[0] == pytest.approx(10.0)
        assert states == ["29/s; held 10 s", "29/s"]

    def test_that_comes_while_others_wait_holds_them_as_well(self):
        async def scenario():
            line = Line()
            waiting = [asyncio.create_task(line.send(str(number))) for number in range(3)]
            await asyncio.sleep(0.001)
            line.pacer.hold(5.0)
            state = line.pacer.state()
            await asyncio.gather(*waiting)
            return line, state

        line, state = run_virtually(scenario())

        assert line.times() == pytest.approx([0.0, 5.001, 5.001 + 1 / PER_SECOND])
        assert state == "29/s; 2 waiting; held 5 s"


class TestTheBreaker:
    def test_stops_everything_while_half_of_a_ban_s_refusals_are_ten_minutes_young(self, caplog):
        async def scenario():
            line = Line()
            for _ in range(MOST_REFUSALS):
                await asyncio.sleep(0.1)
                line.pacer.hold(0.2)
                line.pacer.refused()
            line.pacer.refused()
            began = now()
            await asyncio.gather(line.send("1", REPLY), line.send("2"))
            return line.times()[0], began

        with caplog.at_level(logging.ERROR):
            resumed, began = run_virtually(scenario())

        assert began == pytest.approx(500.0)
        assert resumed == pytest.approx(600.2)  # the second of them is ten minutes old
        assert len(caplog.records) == 1

    def test_lets_everything_pass_below(self):
        async def scenario():
            line = Line()
            for _ in range(MOST_REFUSALS - 1):
                line.pacer.refused()
            await line.send("1")
            return line.times()

        assert run_virtually(scenario()) == [0.0]


class TestAWaiterThatIsCancelled:
    def test_leaves_its_turn_to_the_next(self):
        async def scenario():
            line = Line()
            tasks = [asyncio.create_task(line.send(str(number))) for number in range(10)]
            await asyncio.sleep(0.001)
            for task in tasks[1:9]:
                task.cancel()
            await asyncio.wait(tasks)
            return line, line.pacer.state()

        line, state = run_virtually(scenario())

        assert line.times() == pytest.approx([0.0, 1 / PER_SECOND])
        assert state == "29/s"

    def test_at_the_very_moment_it_may_start_keeps_no_room(self):
        async def scenario():
            line = Line(1_000.0)
            for number in range(100):
                task = asyncio.create_task(line.send(str(number), ALERT, 0.0, 5.0))
                await asyncio.sleep(0)  # it is waiting, or may start and has not begun
                task.cancel()
                await asyncio.wait([task])
                await asyncio.sleep(0.01)
            await asyncio.gather(
                *(line.send(f"p{number}", ALERT, 0.0, 1.0) for number in range(20))
            )
            return line.most_in_flight

        assert run_virtually(scenario()) == 20

    def test_in_the_middle_of_its_request_makes_room(self):
        async def scenario():
            line = Line(1_000.0)
            slow = [
                asyncio.create_task(line.send(str(number), ALERT, 0.0, 99.0))
                for number in range(20)
            ]
            await asyncio.sleep(1)
            slow[0].cancel()
            await line.send("x", ALERT, 0.0, 0.0)
            for task in slow:
                task.cancel()
            return line.times("x")

        assert run_virtually(scenario()) == pytest.approx([1.0])


def test_chats_that_need_not_wait_any_more_are_forgotten():
    places = Places()
    for second in range(10 * FEW_PLACES):
        places.hold(str(second), second, second + 1.0, second + 3.0)

    assert len(places) <= FEW_PLACES
    assert places.start_at(str(second), REPLY) == second + 1.0
    assert places.start_at("unheard of", ALERT) == 0.0


places = st.sampled_from(["1", "2", "3", "-1", "-2", "4", "5", "6"])
requests = st.tuples(places, st.sampled_from(Urgency), st.floats(0, 20), st.floats(0, 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(requests, max_size=60), st.integers(0, 2**60))
def test_whatever_comes_and_whoever_gives_up_the_limits_hold_and_everyone_else_is_sent(
    wanted, given_up
):
    async def scenario():
        line = Line(10.0)
        tasks = [asyncio.create_task(line.send(*one)) for one in wanted]
        await asyncio.sleep(10)
        for number, task in enumerate(tasks):
            if given_up >> number & 1:
                task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        finished = sum(one is None for one in done)
        return line, finished, line.pacer.state(), len(asyncio.all_tasks())

    line, finished, state, tasks = run_virtually(scenario())

    kept = sum(not given_up >> number & 1 for number in range(len(wanted)))
    pushes = line.times(None, ALERT, NOTICE, DIGEST)
    assert finished >= kept
    assert all(b - a >= 0.1 - 1e-9 for a, b in pairwise(pushes))
    for place in {place for place, *_ in line.starts}:
        starts = [(at, urgency) for where, urgency, at in line.starts if where == place]
        for (before, _), (at, urgency) in pairwise(starts):
            assert at - before >= (1.0 if urgency == REPLY else of_telegram(place)) - 1e-9
    assert line.most_in_flight <= 20
    assert (state, tasks) == ("10/s", 1)  # nobody waits, no alarm is left
