"""Rings on their way to Telegram, over sockets and the real client."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.chat.buttons import Signer
from bot.chat.telegram.sender import TelegramSender
from bot.core.events import Alert
from bot.core.reply import Reply
from bot.core.secret import Secret
from bot.errors import (
    DeliveryError,
    DeliveryInDoubt,
    MessageRefused,
    PermissionMissing,
    RecipientGone,
    RecipientMoved,
    TokenRefused,
)
from bot.ports import Urgency
from tests.chat.telegram.kit import FreePace, House, pacer
from tests.fakes.telegram_server import FakeTelegram

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_sender(fake, pace=None, *, token=None, api_base=None, simulated=False):
    secret = Secret(token or fake.token)
    base = api_base or fake.api_base
    return TelegramSender(secret, base, pace or FreePace(), Signer("key"), simulated=simulated)


def make_alert(target, **fields):
    ring = Alert(
        "a1b2c3",
        NOON,
        "3",
        target,
        "BTCUSDT",
        "BTC crossed HVL going up. #a1b2c3",
        NOON + timedelta(minutes=15),
    )
    return replace(ring, **fields)


@pytest_asyncio.fixture
async def sender(fake):
    made = make_sender(fake)
    yield made
    await made.close()


@pytest.fixture
def chat(fake):
    return fake.private(fake.add_user("Ann"))


async def test_a_ring_arrives_with_its_buttons(fake, sender, chat):
    await sender.send(make_alert(f"telegram:{chat.id}"))

    [ring] = fake.sent(chat)
    assert ring.pieces("bold") == ["🔔 BTC"]
    assert "BTC crossed HVL going up. #a1b2c3" in ring.text
    assert [label for row in ring.buttons for label in row][:3] == ["Levels", "Chart", "Snooze 1 h"]


async def test_simulated_data_is_marked(fake, chat):
    sender = make_sender(fake, simulated=True)

    await sender.send(make_alert(f"telegram:{chat.id}"))
    await sender.close()

    assert "SIMULATED" in fake.sent(chat)[0].text


async def test_a_ring_stays_when_its_button_is_pressed(fake, sender, chat):
    await sender.send(make_alert(f"telegram:{chat.id}"))
    [ring] = fake.sent(chat)

    async with House(fake).open():
        fake.press(chat.user, ring, "Levels")
        await fake.until(lambda: len(fake.sent(chat)) == 2)

    assert fake.sent(chat)[1].text == "you asked levels btc"
    assert ring.edits == 0


async def test_each_kind_has_its_urgency(fake, chat):
    pace = FreePace()
    sender = make_sender(fake, pace)

    for kind in ("alert", "notice", "digest"):
        await sender.send(make_alert(f"telegram:{chat.id}", kind=kind, card=Reply("card")))
    await sender.close()

    assert pace.turns == [
        (str(chat.id), urgency) for urgency in (Urgency.ALERT, Urgency.NOTICE, Urgency.DIGEST)
    ]


async def test_the_topic_is_kept(fake, sender):
    forum = fake.add_group("Traders", forum=True)
    topic = fake.add_topic(forum, "Gamma")

    await sender.send(make_alert(f"telegram:{forum.id}/{topic.id}"))

    assert fake.sent(forum)[0].topic is topic


async def test_a_deleted_topic_is_gone_and_nothing_lands_elsewhere(fake, sender):
    forum = fake.add_group("Traders", forum=True)
    topic = fake.add_topic(forum, "Gamma")
    topic.deleted = True

    with pytest.raises(RecipientGone):
        await sender.send(make_alert(f"telegram:{forum.id}/{topic.id}"))

    assert fake.sent(forum) == []


async def test_who_is_to_be_called_is_mentioned(fake, sender):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")

    await sender.send(make_alert(f"telegram:{group.id}", mention=f"telegram:{ann.id}"))

    [ring] = fake.sent(group)
    [mention] = [e for e in ring.entities if e["type"] in ("text_mention", "text_link")]
    assert str(ann.id) in str(mention)


async def test_a_repeat_in_doubt_says_so_with_its_id(fake, sender, chat):
    await sender.send(make_alert(f"telegram:{chat.id}", doubts=1))

    text = fake.sent(chat)[0].text
    assert "#a1b2c3" in text
    assert "(perhaps a repeat)" in text


async def test_a_long_digest_is_cut_at_a_line(fake, sender, chat):
    card = Reply("Digest", lines=tuple(f"line {n} " + "😀" * 50 for n in range(100)))

    await sender.send(make_alert(f"telegram:{chat.id}", card=card, kind="digest"))

    text = fake.sent(chat)[0].text
    assert text.endswith("😀" * 50)
    assert 3_700 < len(text.encode("utf-16-le")) / 2 <= 4_096


@pytest.mark.parametrize(
    ("trouble", "error", "says"),
    [
        ("blocked", RecipientGone, "blocked"),
        ("deactivated", RecipientGone, "deactivated"),
        ("deleted", RecipientGone, "deleted"),
        ("kicked", RecipientGone, "kicked"),
        ("not member", RecipientGone, "not a member"),
        ("not found", RecipientGone, "not found"),
        ("not started", PermissionMissing, "press Start"),
        ("no rights", PermissionMissing, "Send Messages"),
        ("no channel rights", PermissionMissing, "Post Messages"),
        ("topic closed", PermissionMissing, "Manage Topics"),
    ],
)
async def test_each_refusal_has_its_meaning(fake, sender, trouble, error, says):
    group = fake.add_group("Traders")
    fake.set_trouble(group, trouble)

    with pytest.raises(error, match=says):
        await sender.send(make_alert(f"telegram:{group.id}"))


async def test_a_group_that_moved_is_followed_with_its_topic(fake, sender):
    group = fake.add_group("Traders")
    new = fake.migrate(group)

    with pytest.raises(RecipientMoved) as caught:
        await sender.send(make_alert(f"telegram:{group.id}/7"))

    assert caught.value.to == f"telegram:{new.id}/7"


@pytest.mark.parametrize("fault", ["bad gateway", "reset", "reply lost"])
async def test_what_may_have_arrived_is_in_doubt(fake, sender, chat, fault):
    fake.fail("sendMessage", fault)

    with pytest.raises(DeliveryInDoubt):
        await sender.send(make_alert(f"telegram:{chat.id}"))


async def test_what_never_left_is_not_in_doubt(fake, chat, unused_tcp_port):
    sender = make_sender(fake, api_base=f"http://127.0.0.1:{unused_tcp_port}")

    with pytest.raises(DeliveryError) as caught:
        await sender.send(make_alert(f"telegram:{chat.id}"))
    await sender.close()

    assert not isinstance(caught.value, DeliveryInDoubt)


async def test_our_own_mistake_is_never_tried_again(fake, sender, chat):
    with pytest.raises(MessageRefused):
        await sender.send(make_alert(f"telegram:{chat.id}", card=Reply(" ")))


async def test_a_wrong_token_is_refused_without_being_shown(fake, chat, caplog):
    sender = make_sender(fake, token="77:wrong-token")

    with pytest.raises(TokenRefused) as caught:
        await sender.send(make_alert(f"telegram:{chat.id}"))
    await sender.close()

    assert "wrong-token" not in f"{caught.value!r} {caught.value.__cause__!r} {sender!r}"
    assert "wrong-token" not in caplog.text


async def test_a_message_has_begun_when_its_request_leaves_and_not_while_it_waits():
    begun = []

    def noting(when):
        async def note():
            begun.append(when)

        return note

    async with FakeTelegram(limits=False) as fake:
        sender = make_sender(fake, pacer())
        chat = fake.private(fake.add_user("Ann"))
        fake.fail("sendMessage", "flood", seconds=600)
        ring = make_alert(f"telegram:{chat.id}")

        with pytest.raises(DeliveryError):
            await sender.send(ring, noting("at once"))
        waiting = asyncio.create_task(sender.send(ring, noting("after 600 s")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        await sender.close()

    assert begun == ["at once"]


async def test_one_chats_limit_holds_that_chat_alone():
    async with FakeTelegram(limits=False) as fake:
        pace = pacer()
        sender = make_sender(fake, pace)
        slow, quick = (fake.private(fake.add_user(name)) for name in ("Ann", "Bob"))
        fake.fail("sendMessage", "flood", seconds=600)

        with pytest.raises(DeliveryError) as caught:
            await sender.send(make_alert(f"telegram:{slow.id}"))
        waiting = asyncio.create_task(sender.send(make_alert(f"telegram:{slow.id}")))
        await sender.send(make_alert(f"telegram:{quick.id}"))
        waiting.cancel()
        await asyncio.wait({waiting})
        await sender.close()

    assert caught.value.retry_after == 600
    assert len(fake.sent(quick)) == 1
    assert fake.sent(slow) == []


async def test_a_topic_that_was_deleted_says_where_to_go_on(fake, sender):
    forum = fake.add_group("Traders", forum=True)

    with pytest.raises(RecipientGone, match=r"topic was deleted; switch the feed on in another"):
        await sender.send(make_alert(f"telegram:{forum.id}/7"))


async def test_the_one_repeat_is_not_spent_while_telegram_answers_nobody(fake, sender, chat):
    doubtful = make_alert(f"telegram:{chat.id}", doubts=1)
    fake.fail(".*", "bad gateway")

    with pytest.raises(DeliveryError) as caught:
        await sender.send(doubtful)
    await sender.send(doubtful)

    assert not isinstance(caught.value, DeliveryInDoubt)
    assert len(fake.called("sendMessage")) == len(fake.sent(chat)) == 1
