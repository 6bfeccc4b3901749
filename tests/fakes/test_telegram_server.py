import asyncio
import logging
import re
from contextlib import asynccontextmanager, suppress
from html import escape
from io import BytesIO

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputMediaPhoto,
    InputTextMessageContent,
    ReplyParameters,
    Update,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    InlineQueryHandler,
)
from telegram.request import HTTPXRequest

from tests.fakes.telegram_errors import ApiError
from tests.fakes.telegram_html import find_entities, parse_html
from tests.fakes.telegram_server import FakeTelegram
from tests.fakes.telegram_updates import Updates

# Merely making a RetryAfter warns that its attribute will become a timedelta one day.
pytestmark = pytest.mark.filterwarnings("ignore:.*retry_after:DeprecationWarning")

NO_CERTIFICATES = {"verify": False}  # reading them takes 50 ms a client


def picture(colour="red", kind="PNG", size=(40, 30)):
    data = BytesIO()
    Image.new("RGB", size, colour).save(data, kind)
    return data.getvalue()


def keyboard(*labels, data="d"):
    row = [InlineKeyboardButton(label, callback_data=f"{data}{label}") for label in labels]
    return InlineKeyboardMarkup([row])


class Clock:
    """Time that passes when told."""

    def __init__(self):
        self.seconds = 1_790_000_000.0

    def __call__(self):
        return self.seconds


def refusal(text, error=BadRequest):
    """The client writes the first letter of descriptions large, so that case means nothing."""
    return pytest.raises(error, match=f"(?i){re.escape(text)}")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def fake(clock):
    async with FakeTelegram(clock=clock) as server:
        yield server


@pytest.fixture
async def bot(fake):
    async with bot_of(fake) as client:
        yield client


def bot_of(fake, token=None):
    return Bot(
        token or fake.token,
        base_url=f"{fake.api_base}/bot",
        base_file_url=f"{fake.api_base}/file/bot",
        request=HTTPXRequest(read_timeout=0.3, httpx_kwargs=NO_CERTIFICATES),
        get_updates_request=HTTPXRequest(httpx_kwargs=NO_CERTIFICATES),
    )


@asynccontextmanager
async def running(fake, *handlers):
    builder = Application.builder().token(fake.token).base_url(f"{fake.api_base}/bot")
    application = builder.build()
    application.add_handlers(handlers)
    async with application:
        await application.updater.start_polling(allowed_updates=Update.ALL_TYPES)
        await application.start()
        yield application
        await application.updater.stop()
        await application.stop()


@pytest.fixture
def chat(fake):
    return fake.private(fake.add_user("Ada"))


async def test_a_command_reaches_its_handler_and_is_answered(fake, chat):
    async def levels(update, context):
        await update.message.reply_text(" ".join(context.args))

    async with running(fake, CommandHandler("levels", levels)):
        fake.say(chat.user, chat, "/levels@gammabell_bot btc")
        answer = await fake.next_message(chat)

    assert answer.text == "btc"
    assert answer.sender is fake.bot


async def test_a_press_is_answered_and_the_photo_replaced_in_place(fake, chat):
    async def refresh(update, context):
        await update.callback_query.answer("done", show_alert=True)
        await update.callback_query.edit_message_media(InputMediaPhoto(picture("blue"), "new"))

    async with running(fake, CallbackQueryHandler(refresh)) as application:
        await application.bot.send_photo(chat.id, picture(), "old", reply_markup=keyboard("Again"))
        message = await fake.next_message(chat)
        press = fake.press(chat.user, message, "Again")
        await fake.until(lambda: message.edits)

    assert (press.text, press.alert, press.data) == ("done", True, "dAgain")
    assert (message.caption, message.photo, message.buttons) == ("new", picture("blue"), [])


async def test_an_inline_query_gets_results_and_the_chosen_one_can_be_pressed(fake, chat):
    async def offer(update, context):
        content = InputTextMessageContent("<b>BTC</b>", parse_mode="HTML")
        result = InlineQueryResultArticle("1", "BTC", content, keyboard("Again"))
        await update.inline_query.answer([result], cache_time=5, is_personal=True)

    async def again(update, context):
        await update.callback_query.edit_message_text("later")

    async with running(fake, InlineQueryHandler(offer), CallbackQueryHandler(again)):
        query = fake.inline(chat.user, "btc")
        await fake.until(lambda: query.answered)
        message = fake.choose(query, "1", fake.add_group("Elsewhere", bot="left"))
        pieces = message.pieces("bold")
        fake.press(chat.user, message, "Again")
        await fake.until(lambda: message.edits)

    assert pieces == ["BTC"]
    assert (query.cache_seconds, query.personal, message.text) == (5, True, "later")


async def test_the_bot_hears_what_it_becomes_in_a_chat(fake):
    heard = []

    async def change(update, context):
        heard.append(update.my_chat_member.new_chat_member.status)

    async with running(fake, ChatMemberHandler(change)):
        owner = fake.add_user("Owner")
        group = fake.add_group("Traders", admins=[owner], bot="left")
        fake.join(group, owner)
        fake.promote(group)
        fake.restrict(group, "can_send_photos")
        fake.kick(group)
        fake.block(owner)
        fake.unblock(owner)
        await fake.until(lambda: len(heard) == 6)

    changes = ["member", "administrator", "restricted", "kicked", "kicked", "member"]
    assert heard == changes


@pytest.mark.parametrize(
    ("text", "kind", "pieces"),
    [
        ("<b>a</b> <i>b</i>", "bold", ["a"]),
        ("😀 <code>x &lt; y</code>", "code", ["x < y"]),
        ("<pre><code class='language-py'>x</code></pre>", "pre", ["x"]),
        ('<a href="https://a.b/?x&amp;y">t</a>', "text_link", ["t"]),
        ('<span class="tg-spoiler">s</span>', "spoiler", ["s"]),
        ("<blockquote expandable>q</blockquote>", "expandable_blockquote", ["q"]),
        ("hello @everyone", "mention", ["@everyone"]),
        ("<code>@everyone</code>", "mention", []),
        ("buy $BTC now", "cashtag", ["$BTC"]),
    ],
)
async def test_html_becomes_entities_and_so_do_mentions_in_plain_text(
    bot, fake, chat, text, kind, pieces
):
    sent = await bot.send_message(chat.id, text, parse_mode="HTML")

    assert (await fake.next_message(chat)).pieces(kind) == pieces
    assert [sent.parse_entity(e) for e in sent.entities if e.type == kind] == pieces


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("é < b", 'Unsupported start tag "" at byte offset 3'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("x <b", "Unclosed start tag at byte offset 2"),
        ("<{where}>", 'Unsupported start tag "{where}" at byte offset 0'),
    ],
)
async def test_broken_html_is_refused(bot, chat, text, complaint):
    with refusal(f"can't parse entities: {complaint}"):
        await bot.send_message(chat.id, text, parse_mode="HTML")


@given(st.text())
def test_escaped_text_comes_back_as_it_was(text):
    assert parse_html(escape(text)) == (text.strip(), [])


@given(st.text(alphabet="<>/ab&;#= \"'{}"))
def test_any_text_is_parsed_or_refused(text):
    with suppress(ApiError):
        shown, entities = parse_html(text)
        assert all(e["offset"] + e["length"] <= len(shown) for e in find_entities(shown, entities))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "message text is empty"),
        (" \n", "message text is empty"),
        ("x" * 4097, "message is too long"),
        ("😀" * 2049, "message is too long"),
    ],
)
async def test_texts_have_a_length(bot, fake, chat, text, complaint):
    with refusal(complaint):
        await bot.send_message(chat.id, text)

    assert fake.sent(chat) == []


async def test_length_is_counted_after_parsing(bot, chat):
    sent = await bot.send_message(chat.id, f"<b>{'&amp;' * 4096}</b>", parse_mode="HTML")

    assert len(sent.text) == 4096


@pytest.mark.parametrize(
    ("photo", "caption", "complaint"),
    [
        (picture(), "x" * 1025, "message caption is too long"),
        (b"not a picture", "", "IMAGE_PROCESS_FAILED"),
        (picture(kind="GIF"), "", "IMAGE_PROCESS_FAILED"),
        (picture(size=(2100, 100)), "", "PHOTO_INVALID_DIMENSIONS"),
        (picture() + bytes(10 * 1024 * 1024), "", "too big file"),
        ("unknown id", "", "wrong file identifier"),
    ],
)
async def test_photos_have_a_form(bot, chat, photo, caption, complaint):
    with refusal(complaint):
        await bot.send_photo(chat.id, photo, caption)


async def test_a_photo_can_be_fetched_and_sent_again_by_its_id(bot, fake, clock, chat):
    first = await bot.send_photo(chat.id, picture(kind="JPEG"))
    clock.seconds += 1
    second = await bot.send_photo(chat.id, first.photo[-1].file_id)
    file = await second.photo[-1].get_file()

    assert bytes(await file.download_as_bytearray()) == picture(kind="JPEG")


@pytest.mark.parametrize(
    ("markup", "complaint"),
    [
        (keyboard("x", data="é" * 32), "BUTTON_DATA_INVALID"),
        (keyboard(*"123456789"), "REPLY_MARKUP_TOO_LONG"),
        (
            InlineKeyboardMarkup([[InlineKeyboardButton("x")]]),
            "can't parse inline keyboard button: text buttons are unallowed",
        ),
        (InlineKeyboardMarkup([[InlineKeyboardButton("x", "javascript:1")]]), "inline keyboard"),
    ],
)
async def test_keyboards_have_limits(bot, chat, markup, complaint):
    with refusal(complaint):
        await bot.send_message(chat.id, "x", reply_markup=markup)


async def test_an_edit_that_changes_nothing_is_refused(bot, fake, chat):
    sent = await bot.send_message(chat.id, "<b>x</b>", "HTML", reply_markup=keyboard("A"))

    with refusal("message is not modified:"):
        await sent.edit_text("<b>x</b>", "HTML", reply_markup=keyboard("A"))
    assert (await sent.edit_text("x", reply_markup=keyboard("A"))).text == "x"
    assert (await sent.edit_text("x")).reply_markup is None


async def test_a_message_keeps_its_kind_when_edited(bot, chat, clock):
    text = await bot.send_message(chat.id, "x")
    clock.seconds += 1
    photo = await bot.send_photo(chat.id, picture(), "x")

    with refusal("there is no text in the message to edit"):
        await photo.edit_text("y")
    with refusal("there is no caption in the message to edit"):
        await text.edit_caption("y")
    with refusal("there is no media in the message to edit"):
        await text.edit_media(InputMediaPhoto(picture()))
    assert (await photo.edit_caption("y")).caption == "y"


async def test_only_own_messages_that_are_still_there_can_be_edited(bot, fake, chat):
    own, theirs = await bot.send_message(chat.id, "x"), fake.say(chat.user, chat, "y")
    await own.delete()

    with refusal("message to edit not found"):
        await own.edit_text("z")
    with refusal("message can't be edited"):
        await bot.edit_message_text("z", chat.id, theirs.id)
    with refusal("message to delete not found"):
        await own.delete()


async def test_a_press_is_answered_once_and_in_time(bot, fake, clock, chat):
    await bot.send_message(chat.id, "x", reply_markup=keyboard("A"))
    message = await fake.next_message(chat)
    first, late = (
        fake.press(chat.user, message, "A"),
        fake.press(chat.user, message, data="made up"),
    )

    await bot.answer_callback_query(first.id)
    with refusal("query is too old"):
        await bot.answer_callback_query(first.id)
    clock.seconds += 31
    with refusal("query is too old"):
        await bot.answer_callback_query(late.id)


async def test_a_private_chat_takes_one_message_a_second(bot, fake, clock, chat):
    await bot.send_message(chat.id, "1")

    with pytest.raises(RetryAfter):
        await bot.send_message(chat.id, "2")
    assert fake.calls[-1].reason == "Too Many Requests: retry after 1"
    clock.seconds += 1
    await bot.send_message(chat.id, "3")
    assert [message.text for message in fake.sent(chat)] == ["1", "3"]


async def test_a_group_takes_twenty_messages_a_minute_and_edits_are_free(bot, fake, clock):
    group = fake.add_group("Traders")
    for number in range(20):
        clock.seconds += 1
        sent = await bot.send_message(group.id, str(number))

    with pytest.raises(RetryAfter):
        await bot.send_message(group.id, "one more")
    assert fake.calls[-1].reason == "Too Many Requests: retry after 41"
    assert (await sent.edit_text("edited")).text == "edited"
    assert await bot.send_chat_action(group.id, "typing")


async def test_all_chats_together_take_thirty_messages_a_second(bot, fake):
    chats = [fake.private(fake.add_user(f"U{number}")) for number in range(31)]
    answers = await asyncio.gather(
        *(bot.send_message(chat.id, "x") for chat in chats), return_exceptions=True
    )

    assert [type(answer) for answer in answers].count(RetryAfter) == 1
    assert fake.counts["sendMessage", 429] == 1


async def test_limits_can_be_switched_off(bot, fake, chat):
    fake.limits.on = False

    await bot.send_message(chat.id, "1")
    await bot.send_message(chat.id, "2")

    assert len(fake.sent(chat)) == 2


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("blocked", Forbidden, "bot was blocked by the user"),
        ("deactivated", Forbidden, "user is deactivated"),
        ("deleted", Forbidden, "the group chat was deleted"),
        ("kicked", Forbidden, "bot was kicked from the private chat"),
        ("not started", Forbidden, "bot can't initiate conversation with a user"),
        ("not found", BadRequest, "chat not found"),
        ("no rights", BadRequest, "not enough rights to send text messages to the chat"),
        ("topic closed", BadRequest, "TOPIC_CLOSED"),
    ],
)
async def test_a_chat_can_be_in_trouble_and_mended(bot, fake, chat, name, error, text):
    fake.set_trouble(chat, name)

    with refusal(text, error):
        await bot.send_message(chat.id, "x")
    fake.set_trouble(chat)
    assert await bot.send_message(chat.id, "x")


async def test_what_the_bot_may_decides_what_it_can_send(bot, fake):
    owner = fake.add_user("Owner")
    group = fake.add_group("Traders", admins=[owner])
    channel = fake.add_channel("News", [owner])
    stranger = fake.private(owner, started=False)

    fake.restrict(group, "can_send_photos")
    with refusal("not enough rights to send photos to the chat"):
        await bot.send_photo(group.id, picture())
    fake.kick(group)
    with refusal("bot was kicked from the group chat", Forbidden):
        await bot.send_message(group.id, "x")
    fake.promote(channel, without=["can_post_messages"])
    with refusal("need administrator rights in the channel chat"):
        await bot.send_message(channel.id, "x")
    with refusal("bot can't initiate conversation with a user", Forbidden):
        await bot.send_message(stranger.id, "x")
    with refusal("chat not found"):
        await bot.send_message(5, "x")


async def test_a_group_that_became_a_supergroup_names_its_new_id(bot, fake):
    group = fake.add_group("Traders", admins=[fake.add_user("Owner")])
    new = fake.migrate(group)

    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(group.id, "x")
    updates = await bot.get_updates()

    assert moved.value.new_chat_id == new.id
    assert await bot.send_message(new.id, "x")
    assert updates[0].message.migrate_to_chat_id == updates[1].message.chat.id == new.id
    assert updates[1].message.migrate_from_chat_id == updates[0].message.chat.id == group.id


async def test_topics_are_kept_and_checked(bot, fake):
    group = fake.add_group("Forum", forum=True, admins=[fake.add_user("Owner")])
    topic = fake.add_topic(group, "BTC")
    fake.say(fake.add_user("Ada"), group, "/levels", topic)
    (update,) = await bot.get_updates()
    asked = update.message

    assert (asked.message_thread_id, asked.is_topic_message) == (topic.id, True)
    assert asked.reply_to_message.forum_topic_created.name == "BTC"
    await bot.send_message(group.id, "x", message_thread_id=topic.id)
    assert (await fake.next_message(group)).topic is topic
    with refusal("message thread not found"):
        await bot.send_message(group.id, "x", message_thread_id=99)
    topic.closed = True
    with refusal("TOPIC_CLOSED"):
        await bot.send_message(group.id, "x", message_thread_id=topic.id)
    fake.promote(group)
    assert await bot.send_message(group.id, "x", message_thread_id=topic.id)


async def test_a_reply_in_a_plain_supergroup_carries_a_thread_that_is_no_topic(bot, fake):
    group, ada = fake.add_group("Traders", "supergroup"), fake.add_user("Ada")
    fake.say(ada, group, "/levels", reply_to=fake.say(ada, group, "hello"))
    (update,) = await bot.get_updates()

    assert update.message.message_thread_id
    assert not update.message.is_topic_message
    with refusal("message thread not found"):
        await bot.send_message(group.id, "x", message_thread_id=update.message.message_thread_id)


async def test_in_a_group_the_bot_hears_only_what_is_meant_for_it(bot, fake):
    group, ada = fake.add_group("Traders"), fake.add_user("Ada")
    own = await bot.send_message(group.id, "threshold?", reply_markup=ForceReply())
    question = await fake.next_message(group)

    fake.say(ada, group, "hello all")
    fake.say(ada, group, "/levels@other_bot")
    fake.say(ada, group, "/levels")
    fake.say(ada, group, "90000", reply_to=question)
    fake.say(None, group, "/setup")
    fake.promote(group)
    fake.say(ada, group, "hello again")
    updates = await bot.get_updates()

    heard = [update.message.text for update in updates if update.message]
    assert heard == ["/levels", "90000", "/setup", "hello again"]
    assert updates[1].message.reply_to_message.message_id == own.message_id
    assert updates[2].message.sender_chat.id == group.id
    assert question.other_markup["force_reply"]


async def test_posts_of_a_channel_are_channel_posts(bot, fake):
    channel = fake.add_channel("News", [fake.add_user("Owner")])
    fake.edit(fake.post(channel, "/feed on"), "/feed off")
    await bot.send_message(channel.id, "x")

    first, second = await bot.get_updates()

    assert (first.channel_post.text, first.channel_post.from_user) == ("/feed on", None)
    assert second.edited_channel_post.text == "/feed off"
    assert [message.text for message in fake.sent(channel)] == ["x"]


async def test_members_are_told_with_their_rights(bot, fake):
    owner, ada = fake.add_user("Owner"), fake.add_user("Ada")
    group = fake.add_group("Traders", admins=[owner], bot="administrator")

    standing = [await bot.get_chat_member(group.id, user.id) for user in (owner, ada, fake.bot)]
    admins = await bot.get_chat_administrators(group.id)

    assert [member.status for member in standing] == ["creator", "left", "administrator"]
    assert standing[2].can_pin_messages
    assert {member.user.id for member in admins} == {owner.id, fake.bot.id}
    assert (await bot.get_chat(group.id)).title == "Traders"
    with refusal("participant_id_invalid"):
        await bot.get_chat_member(group.id, 1)


async def test_leaving_and_pinning(bot, fake):
    group = fake.add_group("Traders", admins=[fake.add_user("Owner")])
    sent = await bot.send_message(group.id, "x")

    with refusal("not enough rights to manage pinned messages"):
        await sent.pin()
    fake.promote(group)
    assert await sent.pin()
    assert await bot.leave_chat(group.id)
    with refusal("bot is not a member of the group chat", Forbidden):
        await bot.send_message(group.id, "x")
    assert fake.messages(group)[0].pinned


async def test_answers_name_what_they_answer(bot, fake, chat):
    asked = fake.say(chat.user, chat, "/levels")
    sent = await bot.send_message(chat.id, "x", reply_parameters=ReplyParameters(asked.id))

    assert sent.reply_to_message.text == "/levels"
    with refusal("message to be replied not found"):
        await bot.send_message(chat.id, "x", reply_parameters=ReplyParameters(999))


async def test_command_menus_are_kept_for_each_scope_and_language(bot, fake, chat):
    await bot.set_my_commands([BotCommand("levels", "The levels")])
    await bot.set_my_commands(
        [("levels", "Die Niveaus")], BotCommandScopeChat(chat.id), language_code="de"
    )

    assert fake.commands.menus == {
        ("default", ""): [("levels", "The levels")],
        (f"chat:{chat.id}", "de"): [("levels", "Die Niveaus")],
    }
    assert (await bot.get_my_commands())[0].description == "The levels"
    for wrong, text in (("Levels", "x"), ("x" * 33, "x"), ("x", "x" * 257), ("x", "")):
        with pytest.raises(BadRequest):
            await bot.set_my_commands([(wrong, text)])
    with refusal("bot_commands_too_much"):
        await bot.set_my_commands([(f"c{number}", "x") for number in range(101)])
    with refusal("invalid language code"):
        await bot.set_my_commands([("levels", "x")], language_code="deu")


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [
        ("bad gateway", NetworkError, 0),
        ("flood", RetryAfter, 0),
        ("reset", NetworkError, 0),
        ("reply lost", NetworkError, 1),
        ("hang", TimedOut, 0),
        ("slow", TimedOut, 1),
    ],
)
async def test_a_fault_meets_one_call(bot, fake, chat, kind, error, made):
    fake.fail("send.*", kind)

    with pytest.raises(error):
        await bot.send_message(chat.id, "x")
    assert len(fake.sent(chat)) == made
    fake.limits.on = False
    assert await bot.send_message(chat.id, "y")


async def test_a_server_that_is_down_cuts_every_connection(bot, fake, chat):
    polling = asyncio.create_task(bot.get_updates(timeout=5))
    await fake.until(lambda: fake.updates.is_polled)

    fake.refuse = True
    with pytest.raises(NetworkError):
        await polling
    with pytest.raises(NetworkError):
        await bot.send_message(chat.id, "x")
    fake.refuse = False
    assert await bot.send_message(chat.id, "x")


async def test_a_second_poller_ends_the_first_one_s_poll(bot, fake, chat):
    async with bot_of(fake) as other:
        first = asyncio.create_task(bot.get_updates(timeout=5))
        await fake.until(lambda: fake.updates.is_polled)
        second = asyncio.create_task(other.get_updates(timeout=5))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        fake.say(chat.user, chat, "/start")
        updates = await second

    assert updates[0].message.text == "/start"


async def test_an_offset_acknowledges_and_an_idle_poll_waits(bot, fake, chat):
    fake.say(chat.user, chat, "/one")
    fake.say(chat.user, chat, "/two")

    (one,) = await bot.get_updates(limit=1)
    (two,) = await bot.get_updates(offset=one.update_id + 1)
    waiting = asyncio.create_task(bot.get_updates(offset=two.update_id + 1, timeout=5))
    await fake.until(lambda: fake.updates.is_polled)
    fake.say(chat.user, chat, "/three")
    (three,) = await waiting

    assert [update.message.text for update in (one, two, three)] == ["/one", "/two", "/three"]
    assert fake.counts["getUpdates", 200] == 3
    assert await bot.get_updates(offset=three.update_id + 1, allowed_updates=["message"]) == ()
    fake.inline(chat.user, "not asked for")
    assert await bot.get_updates() == ()


async def test_a_webhook_gets_updates_with_its_secret_and_polling_conflicts(bot, fake, chat):
    got = asyncio.Queue()

    async def receive(request):
        got.put_nowait((request.headers["X-Telegram-Bot-Api-Secret-Token"], await request.json()))
        return web.Response(status=500 if got.qsize() == 1 else 200)

    receiver = web.Application()
    receiver.router.add_post("/hook", receive)
    runner = web.AppRunner(receiver, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token="s3")
        fake.say(chat.user, chat, "/start")
        await fake.until(lambda: got.qsize() == 2)
        with pytest.raises(Conflict, match="while webhook is active"):
            await bot.get_updates()
        info = await bot.get_webhook_info()
        await bot.delete_webhook()
    finally:
        await runner.cleanup()

    first, second = got.get_nowait(), got.get_nowait()
    assert first == second  # failed once, told again
    assert (second[0], Update.de_json(second[1]).message.text) == ("s3", "/start")
    assert "Wrong response from the webhook: 500" in info.last_error_message
    assert await bot.get_updates() == ()


async def test_a_webhook_s_address_and_secret_are_checked(bot):
    with refusal("an https url must be provided"):
        await bot.set_webhook("http://example.org/hook")
    with refusal("unallowed characters"):
        await bot.set_webhook("https://example.org/hook", secret_token="ä")


async def test_a_wrong_token_and_an_unknown_method_are_told_apart(fake, bot):
    wrong = bot_of(fake, "123456:wrong")

    with pytest.raises(InvalidToken):
        await wrong.initialize()
    await wrong.shutdown()
    with pytest.raises(EndPointNotFound):
        await bot.do_api_request("sendTelepathy")

    assert fake.counts["getMe", 401] == 1
    assert fake.counts["sendTelepathy", 404] == 1


async def test_parameters_may_come_in_every_form(fake, chat):
    url = f"{fake.api_base}/bot{fake.token}/sendMessage"
    wanted = {"chat_id": str(chat.id), "text": "x", "reply_markup": '{"force_reply": true}'}
    multipart = aiohttp.FormData(wanted, default_to_multipart=True)
    fake.limits.on = False

    async with aiohttp.ClientSession() as http:
        replies = [
            await http.get(url, params=wanted),
            await http.post(url, data=wanted),
            await http.post(url, data=multipart),
            await http.post(url, json=wanted | {"reply_markup": {"force_reply": True}}),
            await http.post(url, data=b"{", headers={"Content-Type": "application/json"}),
        ]
        body = await replies[-1].json()

    assert [reply.status for reply in replies] == [200, 200, 200, 200, 400]
    assert body["error_code"] == 400
    assert all(message.other_markup["force_reply"] for message in fake.sent(chat))
    assert fake.called("sendMessage")[0] == wanted


async def test_the_queue_forgets_the_oldest_when_nobody_listens(clock):
    updates = Updates(clock)
    for number in range(10_050):
        updates.add("message", {"number": number})

    assert (len(updates.pending), updates.pending[0]["message"]["number"]) == (10_000, 50)


async def test_closing_ends_polls_and_hanging_calls(clock, caplog):
    caplog.set_level(logging.ERROR)
    async with FakeTelegram(clock=clock) as fake:
        chat = fake.private(fake.add_user("Ada"))
        async with bot_of(fake) as bot:
            fake.fail("sendMessage", "hang")
            calls = [bot.get_updates(timeout=50), bot.send_message(chat.id, "x")]
            waiting = asyncio.gather(*calls, return_exceptions=True)
            await fake.until(lambda: fake.updates.is_polled)
            await fake.__aexit__()
            polled, sent = await waiting

    assert polled == ()
    assert isinstance(sent, NetworkError)
    assert caplog.records == []
