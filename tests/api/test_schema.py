import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from bot.api.journal import journal_line, journal_text, snapshot_object
from bot.api.schema import envelope
from bot.core.events import Alert, Delivery, event_object
from bot.core.snapshot import Candle
from bot.ports import JournalEntry
from tests.fakes import NOON, make_chain, make_snapshot

LATER = NOON + timedelta(seconds=12.5)


def decoded(snapshot, exchanges=None):
    return json.loads(envelope(snapshot, LATER, "request-1", exchanges))


def test_meta_says_when_from_whom_and_for_whom():
    snapshot = make_snapshot(make_chain(["deribit", "derive"]), left_out={"okx": "HTTP 503"})

    meta = decoded(snapshot, ["deribit", "derive"])["meta"]

    assert (meta["version"], meta["request_id"]) == ("2.0", "request-1")
    assert meta["computed_at"] == "2026-03-02T12:00:00Z"
    assert meta["timestamp"] == "2026-03-02T12:00:12.500000Z"
    assert meta["freshness_seconds"] == 12.5
    assert meta["source"] == meta["exchanges_filtered"] == ["deribit", "derive"]
    assert meta["extra"]["venue_ages_seconds"] == {"deribit": 12.5, "derive": 12.5}
    assert meta["extra"]["left_out"] == {"okx": "HTTP 503"}


def test_without_a_filter_none_is_named():
    assert decoded(make_snapshot(make_chain()))["meta"]["exchanges_filtered"] is None


def test_what_does_not_exist_is_null():
    nothing = make_chain().take(np.zeros(0, np.int64))

    answer = decoded(make_snapshot(nothing))

    data, extra = answer["data"], answer["meta"]["extra"]
    assert set(data["all_expiry"].values()) == set(data["odte"].values()) == {None}
    assert data["ranked"] == {"all_expiry_top_10": [], "odte_top_10": []}
    assert data["max_pain"] is data["expected_move"] is data["spot"]["perps_price"] is None
    assert data["gamma_flip_zones"] == data["candles"] == []
    assert extra["net_gex"] is extra["regime"] is None


def test_no_number_is_ever_written_as_text_that_is_no_json():
    candle = Candle(NOON, float("nan"), float("inf"), 1.0, 1.0, 0.0)

    text = envelope(make_snapshot(make_chain(), candles=(candle,)), LATER, "r", None).decode()

    assert "NaN" not in text
    assert "Infinity" not in text
    json.loads(text)


def test_the_same_snapshot_is_the_same_line():
    snapshot = make_snapshot(make_chain())

    once, twice = (journal_line(JournalEntry(1, None, one)) for one in (snapshot, snapshot))

    assert once == twice
    assert once.endswith(b"}\n")
    assert once.count(b"\n") == 1


def test_an_alert_with_a_line_break_is_one_line():
    alert = Alert("1", NOON, "2", "terminal:", "BTCUSDT", "first\nsecond", LATER)

    line = journal_line(JournalEntry(1, event_object(alert), None))

    assert line.count(b"\n") == 1
    assert json.loads(line)["text"] == "first\nsecond"


def test_people_read_snapshots_and_rings_alone():
    alert = Alert("1", NOON, "2", "terminal:", "BTCUSDT", "BTC crossed HVL", LATER)
    delivery = Delivery(NOON, "1", "terminal:", "sent")
    entries = [
        JournalEntry(1, None, make_snapshot(make_chain())),
        JournalEntry(2, event_object(alert), None),
        JournalEntry(3, event_object(delivery), None),
    ]

    shown, rang, sent = (journal_text(entry).decode() for entry in entries)

    assert shown.startswith("2026-03-02 12:00:00 UTC  BTC $80,000")
    assert rang == "2026-03-02 12:00:00 UTC  RING BTC crossed HVL\n"
    assert sent == ""


@pytest.mark.parametrize("stale", [False, True])
def test_a_snapshot_says_whether_it_is_stale(stale):
    snapshot = replace(make_snapshot(make_chain()), stale=stale)

    assert snapshot_object(snapshot)["meta"].extra.stale is stale
