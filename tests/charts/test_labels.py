import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.labels import choose, spread

HAIR = 1e-6  # px

boxes = st.lists(st.tuples(st.floats(-500, 1500), st.floats(1, 60)), min_size=1, max_size=40).map(
    lambda pairs: tuple(np.array(sorted(pairs)).T)
)


def spread_with_room(wanted, heights, spare=100.0):
    """The boxes on an axis that begins at 0, and its length."""
    room = float(heights.sum()) + spare
    return spread(wanted, heights, 0.0, room), room


@given(boxes=boxes, spare=st.floats(0, 1000))
def test_labels_never_overlap_and_keep_their_order(boxes, spare):
    wanted, heights = boxes

    centres, _ = spread_with_room(wanted, heights, spare)

    lower, upper = centres - heights / 2, centres + heights / 2
    assert np.all(lower[1:] >= upper[:-1] - HAIR)


@given(boxes=boxes, spare=st.floats(0, 1000))
def test_labels_stay_within_the_axis(boxes, spare):
    wanted, heights = boxes

    centres, room = spread_with_room(wanted, heights, spare)

    assert np.all(centres - heights / 2 >= -HAIR)
    assert np.all(centres + heights / 2 <= room + HAIR)


@given(gaps=st.lists(st.floats(31, 300), min_size=1, max_size=20))
def test_labels_with_room_around_them_stay_where_they_belong(gaps):
    wanted = np.cumsum(gaps)
    heights = np.full(len(gaps), 31.0)

    centres = spread(wanted, heights, 0.0, wanted[-1] + 31)

    np.testing.assert_allclose(centres, wanted, atol=HAIR)


@given(boxes=boxes, nudge=st.floats(-40, 40), which=st.integers(0, 39))
def test_no_label_could_be_moved_alone_without_straying_or_overlapping(boxes, nudge, which):
    wanted, heights = boxes
    centres, room = spread_with_room(wanted, heights)
    moved = centres.copy()
    moved[which % len(moved)] += nudge

    lower, upper = moved - heights / 2, moved + heights / 2
    allowed = np.all(lower[1:] >= upper[:-1]) and lower[0] >= 0 and upper[-1] <= room

    reached = np.sum((centres - wanted) ** 2)
    assert not allowed or np.sum((moved - wanted) ** 2) >= reached * (1 - 1e-9) - HAIR


@given(heights=st.lists(st.integers(1, 90), max_size=60), room=st.integers(0, 900))
def test_the_first_labels_are_kept_as_far_as_they_fit(heights, room):
    kept = choose(heights, room)

    assert kept == sorted(kept)
    assert sum(heights[position] for position in kept) <= room
    left_out = set(range(len(heights))) - set(kept)
    for position in left_out:
        before = sum(heights[other] for other in kept if other < position)
        assert before + heights[position] > room
