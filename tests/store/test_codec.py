from collections.abc import Awaitable, Callable, Mapping
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bot.core.chain import OptionChain, Source
from bot.core.chats import Chat
from bot.core.crossings import Latches
from bot.core.events import Alert, event_object
from bot.core.reply import Picture, Reply
from bot.core.rules import Rule
from bot.core.snapshot import Candle, Snapshot
from bot.errors import StoreError
from bot.store import codec
from tests.store.values import (
    CHAIN,
    NOON,
    SNAPSHOT,
    bits_of,
    make_candles,
    make_crossing,
    make_snapshot,
)

words = st.text(st.characters(codec="utf-8"), max_size=8)
PLAIN = {
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    datetime: st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC)),  # noqa: DTZ001 (hypothesis adds the zone)
    float: st.floats(allow_nan=False, allow_infinity=False),  # all that JSON has
    int: st.integers(-(2**53), 2**53),
    object: words | st.integers(-(2**53), 2**53),
    str: words,
    time: st.times(),
    timedelta: st.timedeltas(timedelta(0), timedelta(days=10**6)),
    type(None): st.none(),
    Callable[[], Awaitable[Picture | None]]: st.none(),  # is never stored
}


def values_of(kind):
    """Any value that the annotation allows."""
    if kind in PLAIN:
        return PLAIN[kind]
    if is_dataclass(kind):
        hints = get_type_hints(kind).items()
        return st.builds(kind, **{name: values_of(hint) for name, hint in hints})
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(values_of(args[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(values_of(args[0]), values_of(args[1]), max_size=2)
    return st.one_of([values_of(choice) for choice in args])


@st.composite
def chains(draw):
    sources = draw(st.lists(values_of(Source), min_size=1, max_size=3))
    size = draw(st.integers(0, 12))

    def column(dtype, **limits):
        return draw(hnp.arrays(dtype, size, elements=hnp.from_dtype(np.dtype(dtype), **limits)))

    floats = {name: column("u8").view("f8") for name in ("strike", "oi", "iv", "forward", "index")}
    return OptionChain(
        draw(words),
        tuple(sources),
        venue=column("i8", min_value=0, max_value=len(sources) - 1),
        expiry=column("i8"),
        is_call=column("?"),
        at=column("i8"),
        **floats,
        unreadable=draw(values_of(Mapping[str, int])),
    )


@given(chains())
def test_any_chain_comes_back_to_the_bit(chain):
    layout, parts = codec.split_chain(chain)
    stored = codec.pack(layout), [codec.pack_columns(part.columns) for part in parts]

    back = codec.join_chain(codec.unpack(stored[0], codec.Layout), stored[1])

    assert bits_of(back) == bits_of(chain)
    assert all(getattr(back, name).flags.writeable for name in ("strike", "at"))


@given(st.one_of(map(values_of, (Alert, Chat, Rule, Latches))))
def test_any_value_comes_back_equal_from_json(value):
    assert codec.from_json(codec.to_json(value), type(value)) == value


@given(st.one_of(map(values_of, codec.KINDS.values())))
def test_any_event_comes_back_as_its_event_object(event):
    line = codec.event_line(event, "BTCUSDT")

    assert codec.event_body(line.kind, line.body) == event_object(event)


def test_the_journal_keeps_a_messages_text_without_its_card():
    alert = Alert("a1", NOON, "1", "discord:42", "BTCUSDT", "words", NOON)

    told = codec.event_line(replace(alert, card=Reply("words")), "BTCUSDT")

    assert told == codec.event_line(alert, "BTCUSDT")


@given(values_of(Snapshot))
@settings(max_examples=30)  # they are large
def test_any_snapshot_comes_back_equal(snapshot):
    body, closed = codec.split_snapshot(snapshot)

    assert codec.join_snapshot(body, closed.body if closed else None) == snapshot


def test_closed_candles_are_shared_while_the_last_one_moves():
    candles = make_candles(96)
    moved = (*candles[:-1], Candle(candles[-1].datetime, 1.0, 2.0, 0.5, 1.5, 9.0))

    _, before = codec.split_snapshot(make_snapshot(candles=candles))
    small, after = codec.split_snapshot(make_snapshot(candles=moved))

    assert before == after
    assert len(small) < len(codec.pack(make_snapshot(candles=moved))) / 1.5


def test_equal_rows_have_one_name_and_other_rows_another():
    def names(**changes):
        chain = OptionChain(
            changes.get("underlying", "BTC"),
            CHAIN.sources,
            **({name: getattr(CHAIN, name) for name in codec.COLUMNS} | changes.get("columns", {})),
        )
        return {part.id for part in codec.split_chain(chain)[1]}

    other = [
        {"underlying": "ETH"},
        {"columns": {"oi": CHAIN.oi * 2}},
        {"columns": {"at": CHAIN.at + 1}},
    ]

    assert names() == names()
    assert all(names().isdisjoint(names(**changes)) for changes in other)


def test_a_chain_takes_less_than_half_its_bytes():
    _, parts = codec.split_chain(CHAIN)
    raw = sum(column.nbytes for part in parts for column in part.columns.values())

    assert sum(len(codec.pack_columns(part.columns)) for part in parts) < raw / 2


@pytest.mark.parametrize("damaged", [b"", b"\x00" * 40, codec.pack({"format": 1})])
def test_bytes_that_are_no_columns_are_a_store_error(damaged):
    with pytest.raises(StoreError, match=r"cannot be read .* restore a backup"):
        codec.unpack_columns(damaged)


def test_cut_and_future_columns_are_store_errors():
    (part, *_) = codec.split_chain(CHAIN)[1]
    whole = codec.pack_columns(part.columns)
    future = whole.replace(b"\xa6format\x01", b"\xa6format\x02")

    for damaged in (whole[:-1], whole[:-9] + bytes(9)):
        with pytest.raises(StoreError, match="cannot be read"):
            codec.unpack_columns(damaged)
    with pytest.raises(StoreError, match="format 2, this version knows 1"):
        codec.unpack_columns(future)


def test_bodies_of_another_shape_are_store_errors():
    with pytest.raises(StoreError, match="a Latches that cannot be read"):
        codec.from_json('{"sides": 1}', Latches)
    with pytest.raises(StoreError, match="a Snapshot that cannot be read"):
        codec.unpack(codec.pack(make_crossing()), Snapshot)
    with pytest.raises(StoreError, match="a Snapshot that cannot be read"):
        codec.unpack(codec.pack(SNAPSHOT)[:-1], Snapshot)
    with pytest.raises(StoreError, match="unknown kind 'Storm'"):
        codec.event_body("Storm", "{}")
