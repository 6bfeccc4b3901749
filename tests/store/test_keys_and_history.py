"""What every store promises of the HTTP API's keys and of the levels over time."""

from dataclasses import replace

from bot.core.history import Past, PastLevels
from bot.core.keys import ApiKey
from tests.store.values import BTC, DAY, ETH, HOUR, MINUTE, NOON, make_record, make_snapshot

KEY = ApiKey("desk", "ab" * 32, 60, NOON)


async def record_each(store, *moments, symbol=BTC):
    for at in moments:
        await store.record(make_record(symbol=symbol, at=at, snapshot=make_snapshot(symbol, at)))


async def moments_of(store, since, until, step, symbol=BTC):
    return [past.at for past in await store.history(symbol, since, until, step)]


async def test_keys_are_read_back_equal_and_by_name(store, other):
    await store.add_key(KEY)
    await store.add_key(replace(KEY, name="Bot", per_minute=1))

    assert await other.keys() == [replace(KEY, name="Bot", per_minute=1), KEY]


async def test_a_name_is_given_once(store):
    assert await store.add_key(KEY)
    assert not await store.add_key(replace(KEY, digest="cd" * 32))

    assert await store.keys() == [KEY]


async def test_a_deleted_key_is_gone_at_once_everywhere(store, other):
    await store.add_key(KEY)

    assert await other.delete_key("desk")
    assert not await store.delete_key("desk")

    assert await store.keys() == []


async def test_history_has_the_newest_snapshot_of_each_step(store):
    await record_each(store, *(NOON + n * MINUTE for n in range(5)))

    found = await moments_of(store, NOON - DAY, NOON + DAY, 2 * MINUTE)

    assert found == [NOON + MINUTE, NOON + 3 * MINUTE, NOON + 4 * MINUTE]


async def test_history_is_of_that_time_and_symbol_alone(store):
    await record_each(store, NOON - HOUR, NOON, NOON + HOUR, NOON + 2 * HOUR)
    await record_each(store, NOON, symbol=ETH)

    assert await moments_of(store, NOON, NOON + HOUR, MINUTE) == [NOON, NOON + HOUR]


async def test_history_tells_what_the_snapshot_said(store):
    snapshot = make_snapshot()
    await record_each(store, NOON)

    past = await store.history(BTC, NOON, NOON, MINUTE)

    levels = snapshot.levels
    followed = PastLevels(levels.all_expiry, levels.net_gex, levels.regime)
    assert past == [Past(NOON, snapshot.spot, followed)]
