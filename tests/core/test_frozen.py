from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from bot.core.frozen import median_index, observe
from tests.service.builders import NAN, NOON, after, make_chain

LIMIT = timedelta(minutes=3)


def seen(*sights):
    """The stillness after each sight: seconds, own index, the others' price."""
    still = None
    for seconds, index, others in sights:
        still = observe(still, make_chain(index=index), others, after(seconds))
    return still


def is_frozen(still, others, seconds):
    return still.is_frozen(others, after(seconds), LIMIT)


def test_a_venue_that_stands_still_while_the_others_move_on_is_frozen():
    still = seen((0, 80_000.0, 80_000.0), (181, 80_000.0, 80_100.0))

    assert is_frozen(still, 80_100.0, 181)
    assert still.since == NOON


def test_a_venue_is_given_the_time_after_which_data_is_stale():
    still = seen((0, 80_000.0, 80_000.0))

    assert not is_frozen(still, 80_100.0, 180)


def test_nobody_is_frozen_while_all_stand_still():
    still = seen((0, 80_000.0, 80_000.0), (3_600, 80_000.0, 80_079.0))

    assert not is_frozen(still, 80_079.0, 3_600)


def test_a_venue_alone_is_never_frozen():
    still = seen((0, 80_000.0, NAN), (3_600, 80_000.0, NAN))

    assert not is_frozen(still, NAN, 3_600)


def test_company_counts_from_when_it_comes():
    still = seen((0, 80_000.0, NAN), (600, 80_000.0, 90_000.0))

    assert not is_frozen(still, 90_000.0, 601)


def test_one_changed_price_is_a_sign_of_life():
    still = seen((0, 80_000.0, 80_000.0), (170, 80_000.5, 80_100.0))

    assert not is_frozen(still, 80_100.0, 181)


def test_the_order_of_the_rows_is_none():
    options = [("call", 85_000.0 + step, timedelta(days=9), 1.0, 0.5) for step in range(3)]
    chain = make_chain(options)
    chain = replace(chain, forward=np.array([80_000.0, 80_100.0, NAN]))

    first = observe(None, chain, 80_000.0, NOON)

    assert observe(first, chain.take(np.array([2, 0, 1])), 80_000.0, after(1)) is first


@pytest.mark.parametrize("index", [NAN, 0.0, -1.0])
def test_rows_without_an_index_have_no_median(index):
    assert np.isnan(median_index(make_chain(index=index)))
