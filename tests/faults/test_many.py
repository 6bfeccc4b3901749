from random import Random
from types import SimpleNamespace

import pytest

from bot.sim.refusals import VENUES
from tests.faults.cases import BLOCKED
from tests.faults.loop import played
from tests.faults.many import DRAWN, TooMuch, check, drawn, next_turn, struck
from tests.service.builders import after


def test_the_daemon_goes_on_through_faults_by_chance():
    memory = played(struck(3, seed=1))

    assert [megabytes > 10 for megabytes in memory] == [True]


def test_a_daemon_that_hears_nobody_is_noticed():
    clock, store = SimpleNamespace(now=lambda: after(0)), SimpleNamespace(records=[])
    idle = SimpleNamespace(clock=clock, store=store, log=[])

    with pytest.raises(TooMuch, match="nothing of binance"):
        check(idle, {})


def test_a_third_venue_fails_only_once_one_of_two_is_well():
    ends = {"okx": after(60), "bybit": after(40)}

    assert next_turn({"okx": after(60)}, after(0)) == after(0)
    assert next_turn(ends, after(0)) == after(40)
    assert next_turn(ends, after(50)) == after(50)


def test_a_fault_strikes_a_venue_that_was_well_and_does_not_silence_it_for_long():
    ends = {"okx": after(60)}
    draws = [drawn(Random(seed), ends) for seed in range(100)]

    assert {venue for _, venue, _ in draws} == set(VENUES) - {"okx"}
    assert all(row.wait < BLOCKED and seconds <= 60 for row, _, seconds in draws)
    assert len(DRAWN) > 25
