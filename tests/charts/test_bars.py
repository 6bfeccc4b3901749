import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.bars import MOST_BARS, make_bars, nice_step
from tests.charts.pictures import a_profile

strikes = st.lists(st.floats(1, 400), min_size=1, max_size=60, unique=True)


@given(strikes=strikes)
def test_bars_are_few_and_never_cover_each_other(strikes):
    bars = make_bars(a_profile(strikes), (50.0, 150.0))

    assert len(bars.strike) <= MOST_BARS + 2
    assert np.all(np.diff(bars.strike) >= bars.thickness * (1 - 1e-9))


def test_each_strike_has_its_own_bar_while_there_is_room():
    bars = make_bars(a_profile([90.0, 95.0, 100.0, 102.5]), (65.0, 135.0))

    assert bars.strike == (90.0, 95.0, 100.0, 102.5)
    assert bars.step is None


def test_thousands_of_strikes_share_bars_that_add_up():
    profile = a_profile(np.linspace(60, 140, 4001))

    bars = make_bars(profile, (60.0, 140.0))

    assert bars.step == 1.0
    assert bars.strike[:3] == (60.0, 61.0, 62.0)
    assert sum(bars.call_gex) == pytest.approx(profile.call_gex.sum())
    assert sum(bars.put_gex) == pytest.approx(profile.put_gex.sum())


@given(least=st.floats(1e-6, 1e6))
def test_a_step_is_round_and_hardly_larger_than_needed(least):
    step = nice_step(least)

    assert least * (1 - 1e-9) <= step <= least * 2.01
