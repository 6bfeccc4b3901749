"""What is pushed: where it arrives, and what every refusal means for the subscription."""

import asyncio
from datetime import timedelta

import pytest

from bot.chat.discord.directory import Directory
from bot.core.reply import Field, Reply
from bot.errors import (
    DeliveryError,
    DeliveryInDoubt,
    MessageRefused,
    PermissionMissing,
    RecipientGone,
    TokenRefused,
)
from bot.ports import Urgency
from bot.store.memory import MemoryStore
from tests.chat.discord.world import eventually, running, sending, town
from tests.fakes.discord_faults import CLOUDFLARE_BAN, Answer, Hang, Reset, too_many
from tests.fakes.discord_limits import Bucket
from tests.fakes.discord_model import ChannelType, Permission
from tests.fakes.discord_server import FakeDiscord

MESSAGES, CROSSPOST = "/messages", "/crosspost"


async def refused(error, at_work, target, **fields):
    """The error that sending there raises."""
    with pytest.raises(error) as caught:
        await at_work.send(target, **fields)
    return caught.value


@pytest.mark.parametrize(
    "kind", [ChannelType.TEXT, ChannelType.ANNOUNCEMENT, ChannelType.PUBLIC_THREAD]
)
async def test_a_ring_arrives_with_its_buttons(kind):
    async with FakeDiscord() as fake:
        _, guild, channel = town(fake)
        place = fake.add_channel(guild, "here", kind, channel)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{place.id}", text="BTC crossed **HVL**")

    (message,) = fake.messages(place)
    assert r"BTC crossed \*\*HVL\*\*" in message.text
    assert message.labels == ["Levels", "Chart", "Snooze 1 h", "Pause alert"]
    assert (f"discord:{place.id}", Urgency.ALERT) in at_work.pace.turns
    assert fake.violations == []


async def test_a_card_of_its_own_wins():
    card = Reply("Digest", fields=(Field("BTC", "$80,000"),))
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{channel.id}", kind="digest", card=card, symbol="")

    assert fake.messages(channel)[0].text == "Digest\n**BTC** $80,000"
    assert at_work.pace.turns[-1][1] is Urgency.DIGEST


async def test_a_person_is_reached_in_direct_messages_that_are_opened_once():
    facts = MemoryStore()
    async with FakeDiscord() as fake:
        anna = fake.add_user("anna")
        for number in range(2):
            async with sending(fake, facts=facts) as at_work:
                await at_work.send(f"discord:@{anna.id}", id=str(number))

    assert len(fake.messages(fake.direct(anna))) == 2
    assert len(fake.requests("POST", "/users/@me/channels")) == 1


async def test_only_the_person_who_agreed_is_called_by_name():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with sending(fake) as at_work:
            text = "@everyone <@1>"
            await at_work.send(f"discord:{channel.id}", text=text, mention=f"discord:@{anna.id}")

    assert fake.messages(channel)[0].pings == {anna.id}


async def test_a_button_of_a_ring_is_answered_beside_it():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{channel.id}")
        (ring,) = fake.messages(channel)
        async with running(fake):
            pressed = await (await fake.press(anna, ring, "Levels")).answered()

    assert len(ring.history) == 1
    assert "BTC levels" in pressed.message.text
    assert pressed.message.seen_by is anna


@pytest.mark.parametrize(
    ("status", "code", "error", "told"),
    [
        (404, 10003, RecipientGone, "gone"),
        (403, 50001, PermissionMissing, "View Channel"),
        (403, 50013, PermissionMissing, "Send Messages"),
        (403, 50007, PermissionMissing, "direct messages are closed"),
        (400, 50008, PermissionMissing, "takes no messages"),
        (400, 50083, PermissionMissing, "archived"),
        (400, 50035, MessageRefused, "50035"),
        (400, 0, MessageRefused, "400"),
        (401, 0, TokenRefused, "GAMMABELL_DISCORD_TOKEN"),
    ],
)
async def test_each_refusal_has_its_meaning(status, code, error, told):
    body = f'{{"message": "no", "code": {code}}}'
    answer = Answer(status, body, headers={"Content-Type": "application/json"})
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        async with sending(fake) as at_work:
            fake.fail("POST", MESSAGES, answer)
            caught = await refused(error, at_work, f"discord:{channel.id}")

    assert told in str(caught)
    assert "\n" not in str(caught)
    assert at_work.pace.refusals == (status in (401, 403))


async def test_the_missing_right_and_the_channel_are_named():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        channel.permissions &= ~Permission.EMBED_LINKS
        async with sending(fake) as at_work:
            caught = await refused(PermissionMissing, at_work, f"discord:{channel.id}")
            channel.permissions |= Permission.EMBED_LINKS
            await at_work.send(f"discord:{channel.id}")

    assert str(caught) == "missing Embed Links in #alerts"
    assert len(fake.messages(channel)) == 1


async def test_no_right_is_named_that_is_missing_only_because_another_is():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        channel.permissions &= ~Permission.SEND_MESSAGES
        async with sending(fake) as at_work:
            caught = await refused(PermissionMissing, at_work, f"discord:{channel.id}")

    assert str(caught) == "missing Send Messages in #alerts"


async def test_a_channel_of_a_server_that_we_left_is_gone_after_a_restart_too():
    facts = MemoryStore()
    async with FakeDiscord() as fake:
        _, guild, channel = town(fake)
        async with sending(fake, facts=facts) as at_work:
            await at_work.send(f"discord:{channel.id}")
            fake.remove_bot(guild)
            await refused(RecipientGone, at_work, f"discord:{channel.id}", id="2")
        async with sending(fake, facts=facts) as at_work:
            await refused(RecipientGone, at_work, f"discord:{channel.id}", id="2")


async def test_a_channel_that_we_may_no_longer_see_can_be_given_back():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        channel.permissions &= ~Permission.VIEW_CHANNEL
        async with sending(fake) as at_work:
            caught = await refused(PermissionMissing, at_work, f"discord:{channel.id}")
            channel.permissions |= Permission.VIEW_CHANNEL
            await at_work.send(f"discord:{channel.id}")

    assert "View Channel" in str(caught)


async def test_closed_direct_messages_are_said():
    async with FakeDiscord() as fake:
        anna = fake.add_user("anna")
        fake.deny(fake.direct(anna), 50007)
        async with sending(fake) as at_work:
            caught = await refused(PermissionMissing, at_work, f"discord:@{anna.id}")

    assert "direct messages are closed" in str(caught)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_broken_server_means_later_at_once(status):
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        async with sending(fake) as at_work:
            fake.fail("POST", MESSAGES, Answer(status, "<html>"))
            await refused(DeliveryError, at_work, f"discord:{channel.id}")
            await at_work.send(f"discord:{channel.id}")

    assert len(fake.requests("POST", f"/channels/{channel.id}/messages")) == 2
    assert len(fake.messages(channel)) == 1


@pytest.mark.parametrize("after_work", [False, True])
async def test_a_lost_reply_and_its_repeat_make_one_message(after_work):
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        async with sending(fake) as at_work:
            fake.fail("POST", MESSAGES, Reset(after_work=after_work))
            caught = await refused(DeliveryError, at_work, f"discord:{channel.id}")
            await at_work.send(f"discord:{channel.id}")

    assert isinstance(caught, DeliveryInDoubt)
    assert len(fake.messages(channel)) == 1


async def test_a_ring_that_someone_deleted_is_not_sent_again():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{channel.id}")
            fake.delete_message(fake.messages(channel)[0])
            await at_work.send(f"discord:{channel.id}")

    assert fake.messages(channel) == []


async def test_a_limit_is_obeyed_for_the_chat_or_for_everything():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        target = f"discord:{channel.id}"
        async with sending(fake) as at_work:
            await at_work.send(target)
            errors = []
            for scope in ("user", "global", "shared"):
                fake.fail("POST", MESSAGES, too_many(4, scope))
                errors.append(await refused(DeliveryError, at_work, target, id=scope))
            await at_work.send(target, id="then")

    assert [error.retry_after for error in errors] == [5.0, 5.0, 5.0]
    assert at_work.pace.holds == [(5.0, target), (5.0, None), (5.0, target)]
    assert at_work.pace.refusals == 2  # a shared limit does not count


async def test_a_ban_stops_everything_for_minutes():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        async with sending(fake) as at_work:
            fake.fail("POST", MESSAGES, CLOUDFLARE_BAN)
            caught = await refused(DeliveryError, at_work, f"discord:{channel.id}")

    assert "banned" in str(caught)
    assert at_work.pace.holds == [(300.0, None)]


async def test_a_server_that_hangs_is_given_up():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        async with sending(fake, seconds=0.2) as at_work:
            fake.fail("POST", MESSAGES, Hang())
            await refused(DeliveryError, at_work, f"discord:{channel.id}")


async def test_a_wrong_token_and_a_dead_server_are_told_apart():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        target = f"discord:{channel.id}"
        async with sending(fake, token="wrong") as at_work:
            caught = await refused(TokenRefused, at_work, target)
        async with sending(fake) as at_work:
            await fake.rest_down()
            await refused(DeliveryError, at_work, target)
            await fake.rest_up()
            await at_work.send(target)

    assert "wrong" not in str(caught)
    assert len(fake.messages(channel)) == 1


async def test_many_at_once_log_in_once():
    async with FakeDiscord() as fake:
        _, guild, _ = town(fake)
        channels = [fake.add_channel(guild, f"c{number}") for number in range(10)]
        async with sending(fake) as at_work:
            sends = (at_work.send(f"discord:{c.id}", id=str(c.id)) for c in channels)
            await asyncio.gather(*sends)

    assert len(fake.requests("GET", "/users/@me")) == 1
    assert all(len(fake.messages(channel)) == 1 for channel in channels)


async def test_an_announcement_is_published_ten_times_an_hour():
    sends = "POST /channels/{channel}/messages"
    buckets = {sends: Bucket(100, 1.0), f"{sends}/{{message}}/crosspost": Bucket(10, 3_600.0)}
    async with FakeDiscord(buckets=buckets) as fake:
        _, _, channel = town(fake, ChannelType.ANNOUNCEMENT)
        async with sending(fake) as at_work:
            for number in range(12):
                await at_work.send(f"discord:{channel.id}", id=str(number))
            await eventually(lambda: len(channel.crossposts) == 10)
            at_work.clock.advance(at_work.clock.now() + timedelta(hours=1))
            fake.advance(3_600)
            await at_work.send(f"discord:{channel.id}", id="later")
            await eventually(lambda: len(channel.crossposts) == 1)

    assert len(fake.messages(channel)) == 13
    assert len(crossposts(fake)) == 11
    assert at_work.pace.refusals == 0


async def test_what_an_earlier_run_published_counts():
    async with FakeDiscord() as fake:
        _, _, channel = town(fake, ChannelType.ANNOUNCEMENT)
        async with sending(fake) as at_work:
            fake.fail("POST", CROSSPOST, too_many(1_800))
            await at_work.send(f"discord:{channel.id}")
            await eventually(lambda: at_work.pace.holds)
            await at_work.send(f"discord:{channel.id}", id="2")

    assert len(fake.messages(channel)) == 2
    assert len(crossposts(fake)) == 1
    assert at_work.pace.holds[0][1] != f"discord:{channel.id}"


@pytest.mark.parametrize("fault", [Hang(), Answer(500, "<html>")])
async def test_a_ring_does_not_wait_until_it_is_published(fault):
    async with FakeDiscord() as fake:
        _, _, channel = town(fake, ChannelType.ANNOUNCEMENT)
        async with sending(fake) as at_work:
            fake.fail("POST", CROSSPOST, fault)
            await at_work.send(f"discord:{channel.id}")
            await eventually(lambda: crossposts(fake))

    assert len(fake.messages(channel)) == 1


async def test_what_a_command_told_of_its_place_is_not_asked_for_again():
    facts = MemoryStore()
    async with FakeDiscord() as fake:
        anna, guild, news = town(fake, ChannelType.ANNOUNCEMENT)
        thread = fake.add_channel(guild, "talk", ChannelType.ANNOUNCEMENT_THREAD, news)
        places = {f"discord:@{anna.id}": fake.direct(anna)}
        places |= {f"discord:{place.id}": place for place in (news, thread)}
        async with running(fake, facts=facts) as at_work:
            for target, place in places.items():
                await (await fake.invoke(anna, place, "levels")).answered()
                await stored(at_work, target)
        async with sending(fake, facts=facts) as at_work:
            for target in places:
                await at_work.send(target)
            await eventually(lambda: len(news.crossposts) == 1)

    assert [turn[0] for turn in at_work.pace.turns if "look up" in turn[0]] == []
    assert not fake.requests("POST", "/users/@me/channels")
    assert not fake.requests("GET", "/channels/")


async def test_a_server_is_left_although_nothing_was_ever_sent_there():
    facts = MemoryStore()
    async with FakeDiscord() as fake:
        anna, guild, channel = town(fake)
        async with running(fake, facts=facts) as at_work:
            await (await fake.invoke(anna, channel, "levels")).answered()
            await stored(at_work, f"discord:{channel.id}")
        fake.remove_bot(guild)
        async with sending(fake, facts=facts) as at_work:
            await refused(RecipientGone, at_work, f"discord:{channel.id}")


def crossposts(fake):
    """The requests to publish something."""
    return [call for call in fake.requests("POST", "/channels/") if call.path.endswith(CROSSPOST)]


async def stored(at_work, target):
    """Wait until it is stored where the target is."""
    async with asyncio.timeout(5):
        while await Directory(at_work.facts).find(target) is None:  # noqa: ASYNC110 - as eventually
            await asyncio.sleep(0.005)


async def test_direct_messages_that_are_gone_are_opened_anew():
    async with FakeDiscord() as fake:
        anna = fake.add_user("anna")
        async with sending(fake) as at_work:
            await at_work.send(f"discord:@{anna.id}")
            fake.deny(fake.direct(anna), 10003)
            await refused(DeliveryError, at_work, f"discord:@{anna.id}", id="2")
            fake.allow(fake.direct(anna))
            await at_work.send(f"discord:@{anna.id}", id="2")

    assert len(fake.requests("POST", "/users/@me/channels")) == 2


async def test_a_ring_goes_into_a_post_of_a_forum():
    async with FakeDiscord() as fake:
        _, guild, _ = town(fake)
        forum = fake.add_channel(guild, "ideas", ChannelType.FORUM)
        post = fake.add_channel(guild, "levels", ChannelType.PUBLIC_THREAD, forum)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{post.id}")

    assert len(fake.messages(post)) == 1


def forum_of(fake):
    """A forum, and a way to see the posts in it."""
    _, guild, _ = town(fake)
    forum = fake.add_channel(guild, "ideas", ChannelType.FORUM)
    return forum, lambda: [it for it in guild.channels if it.parent is forum]


async def test_a_forum_gets_one_post_for_all_rings():
    facts = MemoryStore()
    async with FakeDiscord() as fake:
        forum, posts = forum_of(fake)
        for number in range(2):
            async with sending(fake, facts=facts) as at_work:
                await at_work.send(f"discord:{forum.id}", id=str(number))

    (post,) = posts()
    assert len(fake.messages(post)) == 3
    assert "look up" not in at_work.pace.turns[-1][0]


async def test_a_forum_that_changes_keeps_its_post():
    facts = MemoryStore()
    async with FakeDiscord() as fake:
        forum, posts = forum_of(fake)
        async with sending(fake, facts=facts) as at_work:
            await at_work.send(f"discord:{forum.id}")
        async with running(fake, facts=facts) as at_work:
            await eventually(lambda: at_work.connection.text.startswith("connected"))
            fake.permit(forum, forum.permissions & ~Permission.ATTACH_FILES)
            await eventually(lambda: ("revived", f"discord:{forum.id}") in at_work.chats.noted)
        async with sending(fake, facts=facts) as at_work:
            await at_work.send(f"discord:{forum.id}", id="2")

    (post,) = posts()
    assert len(fake.messages(post)) == 3


async def test_a_forum_whose_post_was_deleted_gets_another_one():
    async with FakeDiscord() as fake:
        forum, posts = forum_of(fake)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{forum.id}")
            fake.delete_channel(posts()[0])
            await refused(DeliveryError, at_work, f"discord:{forum.id}", id="2")
            await at_work.send(f"discord:{forum.id}", id="2")

    (post,) = posts()
    assert len(fake.messages(post)) == 2


async def test_a_forum_that_was_deleted_is_gone():
    async with FakeDiscord() as fake:
        forum, posts = forum_of(fake)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{forum.id}")
            fake.delete_channel(posts()[0])
            fake.delete_channel(forum)
            await refused(DeliveryError, at_work, f"discord:{forum.id}", id="2")
            await refused(RecipientGone, at_work, f"discord:{forum.id}", id="2")


async def test_a_forum_post_that_refuses_is_not_made_again():
    async with FakeDiscord() as fake:
        forum, posts = forum_of(fake)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{forum.id}")
            (post,) = posts()
            fake.deny(post, 50013)
            await refused(PermissionMissing, at_work, f"discord:{forum.id}", id="2")
            fake.allow(post)
            await at_work.send(f"discord:{forum.id}", id="2")

    assert posts() == [post]
    assert len(fake.messages(post)) == 3


async def test_the_right_that_a_forum_lacks_is_named():
    async with FakeDiscord() as fake:
        forum, posts = forum_of(fake)
        forum.permissions &= ~Permission.SEND_MESSAGES
        async with sending(fake) as at_work:
            caught = await refused(PermissionMissing, at_work, f"discord:{forum.id}")

    assert str(caught) == "missing Send Messages in #ideas"
    assert posts() == []


@pytest.mark.parametrize(
    ("code", "told"), [(40067, "#ideas requires a tag"), (50008, "#ideas takes no messages")]
)
async def test_a_forum_that_takes_no_post_of_ours_can_be_mended(code, told):
    async with FakeDiscord() as fake:
        forum, posts = forum_of(fake)
        fake.deny(forum, code)
        async with sending(fake) as at_work:
            caught = await refused(PermissionMissing, at_work, f"discord:{forum.id}")
            fake.allow(forum)
            await at_work.send(f"discord:{forum.id}")

    assert told in str(caught)
    assert len(posts()) == 1


async def test_an_archived_thread_is_written_to_all_the_same():
    async with FakeDiscord() as fake:
        _, guild, channel = town(fake)
        thread = fake.add_channel(guild, "talk", ChannelType.PUBLIC_THREAD, channel)
        fake.archive(thread)
        async with sending(fake) as at_work:
            await at_work.send(f"discord:{thread.id}")

    assert not thread.archived


async def test_a_locked_thread_can_be_unlocked():
    async with FakeDiscord() as fake:
        _, guild, channel = town(fake)
        thread = fake.add_channel(guild, "talk", ChannelType.PUBLIC_THREAD, channel)
        fake.lock(thread)
        async with sending(fake) as at_work:
            caught = await refused(PermissionMissing, at_work, f"discord:{thread.id}")

    assert str(caught) == "#talk is locked: unlock it"


async def test_a_thread_needs_no_right_to_write_beside_it():
    async with FakeDiscord() as fake:
        _, guild, channel = town(fake)
        thread = fake.add_channel(guild, "talk", ChannelType.PUBLIC_THREAD, channel)
        channel.permissions &= ~(Permission.SEND_MESSAGES | Permission.SEND_MESSAGES_IN_THREADS)
        thread.permissions = channel.permissions
        async with sending(fake) as at_work:
            named = await refused(PermissionMissing, at_work, f"discord:{thread.id}")
            channel.permissions |= Permission.SEND_MESSAGES_IN_THREADS
            unknown = await refused(PermissionMissing, at_work, f"discord:{thread.id}")

    assert str(named) == "missing Send Messages in Threads in #talk"
    assert str(unknown) == "missing Send Messages or Embed Links in #talk"


async def test_no_error_shows_the_token(caplog):
    caplog.set_level("DEBUG", "bot")
    async with FakeDiscord() as fake:
        _, _, channel = town(fake)
        async with sending(fake) as at_work:
            fake.fail("POST", MESSAGES, Reset())
            caught = await refused(DeliveryError, at_work, f"discord:{channel.id}")

    assert fake.token not in f"{caught!r} {caught.__cause__!r} {at_work.sender!r} {caplog.text}"
