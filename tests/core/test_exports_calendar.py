import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import icalendar
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.core.exports.calendar import escaped, find_expiries, folded, ics_text
from tests.core.exporting import SNAPSHOT, export_of
from tests.fakes import EXPIRIES, NOON, make_chain, make_snapshot

CHAIN = make_chain(("deribit", "derive"))
LINE = re.compile(r"([A-Z-]+(?:;VALUE=DURATION)?):(.*)")
TEXT = re.compile(r"(?:[^\\;,\n\r]|\\[\\;,nN])*")
TIME = re.compile(r"\d{8}T\d{6}Z")


def read(text):
    """The calendar's properties and its events', by a strict reading of RFC 5545."""
    assert text.endswith("\r\n")
    lines = text.removesuffix("\r\n").split("\r\n")
    assert all(len(line.encode()) <= 75 and not re.search(r"[\r\n]", line) for line in lines)
    unfolded = "\r\n".join(lines).replace("\r\n ", "").split("\r\n")
    properties = [LINE.fullmatch(line).groups() for line in unfolded]
    assert properties[0] == ("BEGIN", "VCALENDAR")
    assert properties[-1] == ("END", "VCALENDAR")
    calendar, events, inside = {}, [], None
    for name, value in properties[1:-1]:
        if name == "BEGIN":
            assert (value, inside) == ("VEVENT", None)
            inside = {}
        elif name == "END":
            assert value == "VEVENT"
            events.append(inside)
            inside = None
        else:
            place = calendar if inside is None else inside
            assert name not in place
            place[name] = _value(name, value)
    assert inside is None
    return calendar, events


def _value(name, value):
    if name in ("DTSTAMP", "DTSTART", "LAST-MODIFIED"):
        assert TIME.fullmatch(value)
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert TEXT.fullmatch(value)
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def feed(chain=CHAIN, **marks):
    snapshot = make_snapshot(chain)
    return ics_text(export_of(snapshot, **marks), find_expiries(chain, snapshot.spot, snapshot.at))


def test_every_expiry_is_an_event_with_open_interest_and_max_pain():
    calendar, events = read(feed())

    assert calendar["VERSION"] == "2.0"
    assert calendar["X-WR-CALNAME"] == calendar["NAME"] == "BTC option expiries"
    assert [event["DTSTART"] for event in events] == [NOON + left for left in EXPIRIES]
    assert {event["DTSTAMP"] for event in events} == {SNAPSHOT.at}
    assert events[0]["SUMMARY"] == "BTC options expire: OI 7,605 BTC, max pain 80000 USD"
    assert events[0]["DESCRIPTION"].split("\n") == [
        "Open interest: 3,990 BTC in calls",
        "Open interest: 3,615 BTC in puts",
        "Max pain: 80000 USD",
        "Paid to holders there: 3,600,000 USD",
        "computed at 2026-03-02 12:00:00 UTC",
        "exported at 2026-03-02 12:01:10 UTC",
        "data: deribit, derive 1 min old",
    ]


def test_the_nearest_expiry_s_max_pain_is_the_snapshot_s():
    snapshot = make_snapshot(CHAIN)

    nearest, *_ = find_expiries(CHAIN, snapshot.spot, snapshot.at)

    assert nearest.pain == snapshot.levels.max_pain


def test_an_expiry_without_open_interest_has_no_max_pain():
    chain = replace(CHAIN, oi=np.zeros(len(CHAIN)))

    _, events = read(feed(chain))

    assert {event["SUMMARY"] for event in events} == {"BTC options expire: OI 0 BTC"}
    assert "Max pain" not in events[0]["DESCRIPTION"]


def test_what_has_expired_is_no_event():
    assert len(find_expiries(CHAIN, 80_000.0, NOON + EXPIRIES[0])) == len(EXPIRIES) - 1
    assert find_expiries(CHAIN, 80_000.0, NOON + EXPIRIES[-1]) == []


def test_an_event_keeps_its_name_when_its_numbers_change():
    later = NOON + timedelta(hours=3)
    grown = replace(CHAIN, oi=CHAIN.oi * 2)
    snapshot = make_snapshot(grown, at=later)

    _, first = read(feed())
    _, second = read(ics_text(export_of(snapshot), find_expiries(grown, snapshot.spot, later)))

    assert [event["UID"] for event in first] == [event["UID"] for event in second]
    assert len({event["UID"] for event in first}) == len(first)
    assert first[0]["SUMMARY"] != second[0]["SUMMARY"]
    assert {event["DTSTAMP"] for event in second} == {later}


def test_simulated_events_say_so_and_never_replace_real_ones():
    calendar, events = read(feed(simulated=True, stale=True))
    _, real = read(feed())

    assert calendar["X-WR-CALNAME"] == "SIMULATED · STALE · BTC option expiries"
    assert all(event["SUMMARY"].startswith("SIMULATED · STALE · BTC") for event in events)
    assert not {event["UID"] for event in events} & {event["UID"] for event in real}


def test_a_foreign_reader_finds_the_same():
    calendar = icalendar.Calendar.from_ical(feed(simulated=True))
    _, events = read(feed(simulated=True))

    found = calendar.walk("VEVENT")
    assert calendar.errors == []
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(hours=1)
    assert calendar["X-PUBLISHED-TTL"] == "PT1H"
    assert [event.errors for event in found] == [[]] * len(EXPIRIES)
    assert [event["UID"] for event in found] == [event["UID"] for event in events]
    assert {event["DTSTAMP"].dt for event in found} == {SNAPSHOT.at}
    assert [event["DTSTART"].dt for event in found] == [event["DTSTART"] for event in events]
    assert [str(event["SUMMARY"]) for event in found] == [event["SUMMARY"] for event in events]
    assert [str(event["DESCRIPTION"]) for event in found] == [
        event["DESCRIPTION"] for event in events
    ]


@given(text=st.text(max_size=300))
def test_any_text_is_folded_and_read_back(text):
    line = f"SUMMARY:{escaped(text)}"

    pieces = folded(line).split("\r\n")

    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert "".join([pieces[0], *(piece[1:] for piece in pieces[1:])]) == line
    assert all(piece.startswith(" ") for piece in pieces[1:])
    readable = "".join(c for c in text if c == "\n" or c.isprintable())
    assert _value("SUMMARY", line.removeprefix("SUMMARY:")) == readable
