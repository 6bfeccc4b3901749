"""A made-up Telegram as its people use it: they write, press, join, kick; the bot is told."""

import time
from itertools import count

from tests.fakes.telegram_chats import Topic
from tests.fakes.telegram_commands import Commands
from tests.fakes.telegram_errors import TROUBLES
from tests.fakes.telegram_html import find_entities
from tests.fakes.telegram_limits import Limits
from tests.fakes.telegram_people import (
    LEFT,
    MEMBER,
    MEMBER_RIGHTS,
    Member,
    administrator,
)
from tests.fakes.telegram_queries import Queries
from tests.fakes.telegram_updates import Updates
from tests.fakes.telegram_world import World

TOKEN = "123456:AAfake-token_of_the_fake_Telegram00"
KICKED = Member("kicked")


class Scene:
    """World, queue and limits, with what users do to them.

    `privacy` is the default of real bots: in groups they hear only commands, replies to
    themselves and service messages, unless they are administrators.
    """

    def __init__(self, token=TOKEN, clock=time.time, *, limits=True, privacy=True):
        self.token = token
        self.privacy = privacy
        self.world = World(token, clock)
        self.limits = Limits(clock)
        self.limits.on = limits
        self.updates = Updates(clock)
        self.queries = Queries(clock)
        self.commands = Commands()
        self._inline_ids = count(1)

    @property
    def bot(self):
        return self.world.bot

    # ---- who and where there is

    def add_user(self, name):
        return self.world.add_user(name)

    def private(self, user, *, started=True):
        """The chat between user and bot; not `started` means the user never wrote there."""
        known = user.id in self.world.chats
        chat = self.world.private(user)
        chat.started = chat.started if known else started
        return chat

    def add_group(self, title, type="group", *, forum=False, admins=(), bot="member"):  # noqa: A002 the API's word
        """A group that the bot is in, unless `bot` says else; the first admin is its creator."""
        chat = self.world.add_chat("supergroup" if forum else type, title, admins, forum=forum)
        chat.members[self.bot.id] = self._standing(bot)
        return chat

    def add_channel(self, title, admins=(), *, bot="administrator", username=""):
        chat = self.world.add_chat("channel", title, admins)
        chat.username = username
        chat.members[self.bot.id] = self._standing(bot)
        return chat

    def _standing(self, status):
        known = {"member": MEMBER, "administrator": administrator(), "kicked": KICKED}
        return known.get(status, LEFT)

    def add_topic(self, chat, name):
        begin = self.world.new_message(chat, sender=self._somebody(chat))
        begin.service = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        topic = begin.topic = chat.topics[begin.id] = Topic(begin.id, name)
        return topic

    def _somebody(self, chat):
        admins = [user_id for user_id, member in chat.members.items() if member.is_admin]
        return self.world.users[admins[0]] if admins else self.world.anonymous

    # ---- what users write

    def say(self, user, chat, text, topic=None, reply_to=None):
        """The user's message; `None` for the user is an administrator who stays anonymous."""
        self._enter(user, chat)
        where = self._thread(chat, topic, reply_to)
        message = self.world.new_message(chat, sender=user or self.world.anonymous, **where)
        message.sender_chat = None if user else chat
        message.text, message.entities = text, find_entities(text)
        if self._bot_hears(message):
            self.updates.add("message", message.as_json())
        return message

    def _enter(self, user, chat):
        chat.started = True
        if user and not chat.member(user.id).is_present:
            chat.members[user.id] = MEMBER

    def _thread(self, chat, topic, reply_to):
        """Where there are no topics, replies in a supergroup still carry a thread's id."""
        if topic or not reply_to or chat.type != "supergroup":
            return {"topic": topic, "reply_to": reply_to}
        thread = None if chat.forum else reply_to.thread_id or reply_to.id
        return {"topic": reply_to.topic, "reply_to": reply_to, "thread_id": thread}

    def _bot_hears(self, message):
        standing = message.chat.member(self.bot.id)
        if not standing.is_present or message.chat.type == "private":
            return standing.is_present
        if standing.is_admin or not self.privacy:
            return True
        to_bot = message.reply_to is not None and message.reply_to.sender is self.bot
        return to_bot or self._is_for_bot(message)

    def _is_for_bot(self, message):
        for piece in message.pieces("bot_command"):
            if piece.partition("@")[2].lower() in ("", self.bot.username.lower()):
                return True
        return f"@{self.bot.username}" in message.pieces("mention")

    def post(self, channel, text):
        """A post of the channel, by one of its administrators."""
        message = self.world.new_message(channel, sender_chat=channel, text=text)
        message.entities = find_entities(text)
        if channel.member(self.bot.id).is_admin:
            self.updates.add("channel_post", message.as_json())
        return message

    def edit(self, message, text):
        """The writer changes the message."""
        message.text, message.entities = text, find_entities(text)
        message.edit_date = self.world.now()
        kind = "edited_channel_post" if message.chat.type == "channel" else "edited_message"
        if kind == "edited_channel_post" or self._bot_hears(message):
            self.updates.add(kind, message.as_json())

    # ---- what users press

    def press(self, user, message, label=None, *, data=None):
        """The user presses the button with the label; `data` is what a forger sends instead."""
        data = message.button(label)["callback_data"] if data is None else data
        query = self.queries.press(user, message, data)
        instance = str(message.chat.id * 31 % 2**53)
        shown = {"id": query.id, "from": user.as_json(), "chat_instance": instance, "data": data}
        inline = {"inline_message_id": message.inline_id}
        shown |= inline if message.inline_id else {"message": self._shown(message)}
        self.updates.add("callback_query", shown)
        return query

    def _shown(self, message):
        """What is deleted is only named."""
        if message.deleted:
            return {"chat": message.chat.as_json(), "message_id": message.id, "date": 0}
        return message.as_json()

    def inline(self, user, words, chat_type="sender", offset=""):
        """The user types `@bot words` somewhere; what they are offered is in `results`."""
        query = self.queries.ask(user, words)
        shown = {"id": query.id, "from": user.as_json(), "query": words, "offset": offset}
        self.updates.add("inline_query", shown | {"chat_type": chat_type})
        return query

    def choose(self, query, result_id, chat):
        """The user sends a result; the bot is not told, as without inline feedback."""
        content = query.contents[result_id]
        message = self.world.new_message(chat, sender=query.user, via_bot=self.bot, **content)
        message.inline_id = f"AAinline{next(self._inline_ids):08d}"
        self.world.inline_messages[message.inline_id] = message
        return message

    # ---- what users decide about the bot

    def join(self, chat, by=None):
        """Somebody adds the bot; into a channel it comes as administrator."""
        by = by or self._somebody(chat)
        chat.trouble = ""
        self.change_standing(chat, by, administrator() if chat.type == "channel" else MEMBER)
        if chat.type != "channel":
            self._announce(chat, by, new_chat_members=[self.bot.as_json()])

    def kick(self, chat, by=None):
        """Somebody throws the bot out for good."""
        self.change_standing(chat, by or self._somebody(chat), KICKED)

    def block(self, user):
        """The user stops the bot."""
        self.change_standing(self.world.private(user), user, KICKED)

    def unblock(self, user):
        """The user starts the bot again; `/start` is theirs to say."""
        self.change_standing(self.world.private(user), user, MEMBER)

    def promote(self, chat, user=None, *, without=(), by=None):
        """Make someone administrator, the bot if nobody is named, perhaps without some rights."""
        self._change(chat, user, administrator(without), by)

    def demote(self, chat, user=None, by=None):
        """Make someone a plain member again."""
        self._change(chat, user, MEMBER, by)

    def restrict(self, chat, *rights, user=None, by=None):
        """Take these rights away from a member, the bot if nobody is named: "can_send_photos"."""
        if unknown := set(rights) - set(MEMBER_RIGHTS):
            raise ValueError(f"no rights {sorted(unknown)}; there are {MEMBER_RIGHTS}")
        self._change(chat, user, Member("restricted", MEMBER.rights - set(rights)), by)

    def _change(self, chat, user, standing, by):
        if user in (None, self.bot):
            self.change_standing(chat, by or self._somebody(chat), standing)
        else:
            chat.members[user.id] = standing

    def change_standing(self, chat, by, new):
        """What the bot is in the chat from now on; it is told."""
        old = chat.member(self.bot.id)
        chat.members[self.bot.id] = new
        shown = {"chat": chat.as_json(), "from": by.as_json(), "date": self.world.now()}
        shown["old_chat_member"] = old.as_json(self.bot, chat)
        shown["new_chat_member"] = new.as_json(self.bot, chat)
        self.updates.add("my_chat_member", shown)

    def set_trouble(self, chat, name=""):
        """Answer everything sent there with one of TROUBLES; an empty name mends it."""
        if name and name not in TROUBLES:
            raise ValueError(f"no trouble {name!r}; there are {sorted(TROUBLES)}")
        chat.trouble = name

    def migrate(self, group):
        """The supergroup that the group becomes; the old id is answered with the new one."""
        new = self.world.add_chat("supergroup", group.title)
        new.members = dict(group.members)
        by = self._somebody(group)
        self._announce(group, by, migrate_to_chat_id=new.id)
        group.migrated_to = new.id
        self._announce(new, self.world.anonymous, migrate_from_chat_id=group.id)
        return new

    def _announce(self, chat, by, **service):
        message = self.world.new_message(chat, sender=by, service=service)
        self.updates.add("message", message.as_json())

    # ---- what there is to read

    def messages(self, chat):
        """All messages of the chat as they are now, deleted ones among them."""
        return list(chat.messages.values())

    def sent(self, chat):
        """The bot's own, without those it deleted."""
        return [m for m in self.messages(chat) if m.by_bot and not m.deleted]
