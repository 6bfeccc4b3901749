import msgspec
import pytest

from bot.core.events import (
    ODTE_LEVELS,
    OTHER_LEVELS,
    SET_LEVELS,
    Alert,
    Crossing,
    Delivery,
    Freshness,
    LevelKey,
    Moved,
    RegimeChange,
    event_object,
    level_price,
    levels_of,
)
from tests.service.builders import BTC, NOON, after, make_levels, make_snapshot

HVL = LevelKey("all_expiry", "hvl")
FLIP = LevelKey("all_expiry", "flip", 1)


def test_every_level_of_a_snapshot_has_its_key_and_price():
    snapshot = make_snapshot(
        hvl=1.0,
        call_resistance=2.0,
        call_wall_2=3.0,
        call_wall_3=4.0,
        put_support=5.0,
        put_wall_2=6.0,
        put_wall_3=7.0,
        odte={"hvl": 8.0, "call_resistance": 9.0, "put_support": 10.0},
        flips=(11.0, 12.0),
        max_pain=13.0,
        one_day=1_000.0,
    )

    prices = {str(key): price for key, price in levels_of(snapshot).items()}

    assert prices == {
        "all_expiry.hvl": 1.0,
        "all_expiry.call_resistance": 2.0,
        "all_expiry.call_wall_2": 3.0,
        "all_expiry.call_wall_3": 4.0,
        "all_expiry.put_support": 5.0,
        "all_expiry.put_wall_2": 6.0,
        "all_expiry.put_wall_3": 7.0,
        "odte.hvl": 8.0,
        "odte.call_resistance": 9.0,
        "odte.put_support": 10.0,
        "all_expiry.flip.0": 11.0,
        "all_expiry.flip.1": 12.0,
        "all_expiry.max_pain": 13.0,
        "all_expiry.em_upper_1sd": 81_000.0,
        "all_expiry.em_lower_1sd": 79_000.0,
        "all_expiry.em_upper_2sd": 82_000.0,
        "all_expiry.em_lower_2sd": 78_000.0,
    }


def test_a_level_that_does_not_exist_is_absent_and_never_zero():
    assert levels_of(make_snapshot(hvl=80_000.0)) == {HVL: 80_000.0}


@pytest.mark.parametrize(
    "key",
    [
        *(LevelKey("all_expiry", name) for name in (*SET_LEVELS, *OTHER_LEVELS)),
        *(LevelKey("odte", name) for name in ODTE_LEVELS),
        FLIP,
    ],
    ids=str,
)
def test_the_price_of_an_absent_level_is_none(key):
    assert level_price(key, make_levels(flips=(80_000.0,))) is None


@pytest.mark.parametrize(
    ("key", "is_fact", "rule_name"),
    [
        (HVL, True, "hvl"),
        (LevelKey("odte", "hvl"), True, "odte.hvl"),
        (FLIP, True, "flip"),
        (LevelKey("all_expiry", "put_wall_3"), True, "put_wall_3"),
        (LevelKey("all_expiry", "max_pain"), False, "max_pain"),
        (LevelKey("all_expiry", "em_upper_1sd"), False, "em_upper_1sd"),
        (LevelKey("price", "70000"), False, "70000"),
    ],
    ids=str,
)
def test_a_key_knows_its_rules_word_and_whether_it_is_worth_an_event(key, is_fact, rule_name):
    assert (key.is_fact, key.rule_name) == (is_fact, rule_name)


EVENTS = [
    (
        Crossing(NOON, BTC, HVL, 80_000.0, "up", 80_100.0, 79_900.0, "id", 0.0005),
        {
            "event": "crossing",
            "at": NOON,
            "symbol": BTC,
            "scope": "all_expiry",
            "level": "hvl",
            "price": 80_000.0,
            "direction": "up",
            "spot": 80_100.0,
            "previous_spot": 79_900.0,
            "snapshot": "id",
            "late": False,
        },
    ),
    (
        Moved(NOON, BTC, FLIP, 80_000.0, 81_000.0, 0.01, {"spot": 1_000.0}),
        {
            "event": "moved",
            "at": NOON,
            "symbol": BTC,
            "scope": "all_expiry",
            "level": "flip",
            "zone": 1,
            "from": 80_000.0,
            "to": 81_000.0,
            "cause": {"spot": 1_000.0},
        },
    ),
    (
        RegimeChange(NOON, BTC, "negative", "neutral", 80_000.0),
        {
            "event": "regime",
            "at": NOON,
            "symbol": BTC,
            "from": "negative",
            "to": "neutral",
            "spot": 80_000.0,
        },
    ),
    (
        Freshness(after(200), BTC, True, NOON),
        {"event": "stale", "at": after(200), "symbol": BTC, "data_at": NOON},
    ),
    (
        Freshness(after(200), BTC, False, NOON),
        {"event": "fresh", "at": after(200), "symbol": BTC, "data_at": NOON},
    ),
    (
        Alert("a1", NOON, "7", "terminal:", BTC, "rings", after(900)),
        {
            "event": "alert",
            "at": NOON,
            "id": "a1",
            "rule": "7",
            "target": "terminal:",
            "symbol": BTC,
            "text": "rings",
        },
    ),
    (
        Delivery(NOON, "a1", "terminal:", "sent"),
        {
            "event": "delivery",
            "at": NOON,
            "alert": "a1",
            "target": "terminal:",
            "state": "sent",
        },
    ),
]


@pytest.mark.parametrize(("event", "expected"), EVENTS, ids=lambda value: type(value).__name__)
def test_an_event_is_written_with_the_documented_keys_in_their_order(event, expected):
    written = event_object(event)

    assert list(written.items()) == list(expected.items())


def test_times_are_written_as_iso_8601_in_utc():
    written = msgspec.json.encode(event_object(EVENTS[-1][0]))

    assert written.startswith(b'{"event":"delivery","at":"2026-03-02T12:00:00Z"')
