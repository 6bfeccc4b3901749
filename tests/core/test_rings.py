from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bot.core.events import Crossing, Freshness, LevelKey, Moved, RegimeChange
from bot.core.rings import NOTHING_RINGS, event_card
from tests.service.builders import BTC, NOON, after, make_snapshot

HVL = LevelKey("all_expiry", "hvl")
CROSSING = Crossing(NOON, BTC, HVL, 80_000.0, "up", 80_100.0, 79_900.0, "id", 0.0005)
MOVED = Moved(NOON, BTC, HVL, 80_000.0, 82_000.0, 0.01, {"reformed": False, "spot": 2_000.0})


def test_a_crossing_is_the_title_and_spot_and_regime_follow():
    snapshot = make_snapshot(regime="positive", heard={"deribit": -4, "derive": -4})

    card = event_card(CROSSING, snapshot, NOON)

    assert card.title == "🔔 BTC crossed HVL $80,000 ↑"
    assert card.lines == ("Spot $80,100 (+0.12%), regime positive",)
    assert card.footer == ("data: deribit, derive 4 s old",)
    assert card.tone == "positive"


def test_a_crossing_down_of_a_flip_shows_the_regime_on_both_sides():
    snapshot = make_snapshot(80_100.0, regime="positive", flips=(80_000.0,))
    flip = LevelKey("all_expiry", "flip", 0)
    crossing = replace(CROSSING, key=flip, direction="down", spot=79_900.0)

    card = event_card(crossing, snapshot, NOON)

    assert card.title == "🔔 BTC crossed Flip $80,000 ↓"
    assert card.lines == ("Spot $79,900 (-0.12%), regime positive → negative",)
    assert card.tone == "negative"


def test_a_late_crossing_begins_with_that_and_tells_its_time_on_the_readers_clock():
    late = replace(CROSSING, late=True)

    card = event_card(late, make_snapshot(), after(300), ZoneInfo("Europe/Berlin"))

    assert card.title == "🔔 LATE: BTC crossed HVL $80,000 ↑"
    assert card.lines[-1] == "Seen at 13:00 CET, after a pause"


def test_a_move_shows_both_ends_its_size_and_its_cause():
    card = event_card(MOVED, make_snapshot(), NOON)

    assert card.title == "🔔 BTC HVL moved $80,000 → $82,000"
    assert card.lines == (
        "By +2.50%; spot $80,000, regime positive",
        "Why: +2,000 USD from spot's move",
    )


def test_a_change_of_regime_shows_both_ends():
    change = RegimeChange(NOON, BTC, "positive", "negative", 80_000.0)

    card = event_card(change, make_snapshot(), NOON)

    assert (card.title, card.lines) == ("🔔 BTC regime positive → negative", ("Spot $80,000",))
    assert card.tone == "negative"


@pytest.mark.parametrize(
    ("stale", "title", "lines", "tone"),
    [
        (True, "🔔 BTC data is STALE", (NOTHING_RINGS,), "stale"),
        (False, "🔔 BTC data is fresh again", (), "neutral"),
    ],
)
def test_stale_data_and_its_all_clear_have_their_own_look(stale, title, lines, tone):
    card = event_card(Freshness(NOON, BTC, stale, NOON), make_snapshot(), NOON)

    assert (card.title, card.lines, card.tone) == (title, lines, tone)


def test_the_age_of_the_data_is_that_at_the_time_of_the_ring():
    card = event_card(CROSSING, make_snapshot(heard={"deribit": -4}), after(60))

    assert card.footer == ("data: deribit 1 min old",)
