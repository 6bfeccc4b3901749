from hypothesis import given
from hypothesis import strategies as st

from bot.service.limits import CHAT, OFFERS, PERSON, Buckets, Limit, Limits


class Watch:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_a_person_has_some_at_once_and_then_one_a_second():
    watch = Watch()
    limits = Limits(watch)

    at_once = [limits.wait("me", "here") for _ in range(PERSON.at_once + 2)]
    watch.time += 1
    later = [limits.wait("me", "here") for _ in range(2)]

    assert at_once == [0] * PERSON.at_once + [1, 1]
    assert later == [0, 1]


def test_a_chat_has_its_limit_whoever_asks():
    limits = Limits(Watch())

    waits = [limits.wait(f"person {number}", "here") for number in range(CHAT.at_once + 1)]

    assert waits == [0] * CHAT.at_once + [1]
    assert limits.wait("person 0", "elsewhere") == 0


def test_what_is_offered_while_they_type_uses_nothing_up_of_their_commands():
    limits = Limits(Watch())

    offered = [limits.wait_to_offer("me") for _ in range(OFFERS.at_once + 1)]

    assert offered == [0] * OFFERS.at_once + [1]
    assert limits.wait("me", "me") == 0


def test_a_refusal_costs_nothing():
    watch = Watch()
    limits = Limits(watch)
    for _ in range(PERSON.at_once * 10):
        limits.wait("me", "here")

    watch.time += 1

    assert limits.wait("me", "here") == 0


def test_a_person_who_asks_too_much_uses_nothing_up_of_the_chat():
    limits = Limits(Watch())
    for _ in range(CHAT.at_once):
        limits.wait("me", "here")

    left = [limits.wait(f"person {n}", "here") for n in range(CHAT.at_once - PERSON.at_once)]

    assert set(left) == {0}


@given(st.lists(st.floats(0, 30), max_size=200))
def test_no_span_of_time_has_more_than_the_burst_and_the_rate(pauses):
    watch, limit = Watch(), Limit(5, 2)
    buckets = Buckets(limit, watch)
    taken: list[float] = []

    for pause in pauses:
        watch.time += pause / 10
        if not buckets.missing("me"):
            buckets.take("me")
            taken.append(watch.time)

    for first, start in enumerate(taken):
        for count, end in enumerate(taken[first:], 1):
            assert count <= limit.at_once + (end - start) * limit.per_second + 1e-6


def test_whoever_has_been_quiet_long_enough_is_forgotten():
    watch = Watch()
    buckets = Buckets(PERSON, watch)

    for second in range(10_000):
        watch.time = second / 10
        buckets.take(f"person {second}")

    assert len(buckets) <= PERSON.full_after * 10 + 1


def test_forgetting_gives_nobody_more_than_they_had():
    watch = Watch()
    buckets = Buckets(PERSON, watch)
    for _ in range(PERSON.at_once):
        buckets.take("me")

    watch.time = PERSON.full_after - 1
    buckets.take("you")
    remembered = len(buckets), buckets.missing("me")
    watch.time = PERSON.full_after
    buckets.take("you")

    assert remembered == (2, 0)
    assert len(buckets) == 1
