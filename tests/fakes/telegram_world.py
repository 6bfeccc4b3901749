"""A made-up Telegram: everybody, every chat and every file, and whether the bot may reach them."""

import zlib
from itertools import count

from tests.fakes.telegram_chats import Chat, File, Message
from tests.fakes.telegram_errors import bad, migrated, trouble
from tests.fakes.telegram_people import CREATOR, MEMBER, User, administrator

FILES_KEPT = 1_000


class World:
    """Everything there is. `clock` gives seconds since 1970."""

    def __init__(self, token, clock):
        self.clock = clock
        self.bot = User(int(token.partition(":")[0]), "Gamma Bell", "gammabell_bot", is_bot=True)
        self.anonymous = User(1087968824, "Group", "GroupAnonymousBot", is_bot=True)
        self.users = {self.bot.id: self.bot, self.anonymous.id: self.anonymous}
        self.chats = {}
        self.files = {}
        self.inline_messages = {}
        self._user_ids = count(7_000_001)
        self._chat_ids = count(4_000_001)
        self._message_ids = count(1)  # private chats and groups share one numbering
        self._file_numbers = count(1)

    def now(self):
        return int(self.clock())

    def add_user(self, name):
        user = User(next(self._user_ids), name, f"{name.lower()}_tg")
        self.users[user.id] = user
        return user

    def add_chat(self, kind, title, admins=(), *, forum=False):
        number = next(self._chat_ids)
        chat_id = -number if kind == "group" else -1_000_000_000_000 - number
        chat = self.chats[chat_id] = Chat(chat_id, kind, title, forum=forum)
        chat.members |= {user.id: administrator() for user in admins}
        chat.members |= {user.id: CREATOR for user in list(admins)[:1]}
        return chat

    def private(self, user):
        if user.id not in self.chats:
            self.chats[user.id] = Chat(user.id, "private", user.first_name, user)
            self.chats[user.id].members = {user.id: MEMBER, self.bot.id: MEMBER}
        return self.chats[user.id]

    def new_message(self, chat, **content):
        own = chat.type in ("supergroup", "channel")  # these number their own messages
        number = max(chat.messages, default=0) + 1 if own else next(self._message_ids)
        message = Message(chat, number, self.now(), **content)
        chat.add(message)
        return message

    def own_message(self, chat, **content):
        """A message by the bot; in a channel it is the channel's."""
        sender = {"sender_chat": chat} if chat.type == "channel" else {"sender": self.bot}
        return self.new_message(chat, by_bot=True, **sender, **content)

    def keep_file(self, data, name, folder):
        number = next(self._file_numbers)
        path = f"{folder}/file_{number}.{name.rpartition('.')[2] or 'bin'}"
        made = File(f"AgAC{number:012d}", f"AQAD{zlib.crc32(data):08x}", data, name, path)
        self.files[made.id] = made
        while len(self.files) > FILES_KEPT:
            del self.files[next(iter(self.files))]
        return made

    def find_chat(self, params):
        """The chat meant by the call, if the bot may know it. Raises ApiError."""
        named = params.text("chat_id")
        if not named:
            raise bad("chat_id is empty")
        chat = self._named(named)
        if chat is None:
            raise bad("chat not found")
        if chat.migrated_to:
            raise migrated(chat.migrated_to)
        return chat

    def _named(self, named):
        if named.startswith("@"):
            return next((c for c in self.chats.values() if f"@{c.username}" == named), None)
        return self.chats.get(int(named)) if named.lstrip("-").isdigit() else None

    def check_access(self, chat):
        """Raises ApiError unless the bot is in the chat and nobody closed it."""
        standing = chat.member(self.bot.id)
        if chat.trouble and chat.trouble not in ("no rights", "topic closed"):
            raise trouble(chat.trouble, chat)
        if standing.status == "kicked":
            raise trouble("blocked" if chat.type == "private" else "kicked", chat)
        if not chat.started:
            raise trouble("not started", chat)
        if not standing.is_present:
            raise trouble("not member", chat)

    def check_sending(self, chat, right, what):
        """Raises ApiError unless the bot may send this there."""
        self.check_access(chat)
        standing = chat.member(self.bot.id)
        if chat.trouble:
            raise trouble(chat.trouble, chat, what)
        if chat.type == "channel" and not standing.may("can_post_messages"):
            raise trouble("no channel rights", chat)
        if standing.status == "restricted" and not standing.may(right):
            raise trouble("no rights", chat, what)

    def find_topic(self, chat, params):
        """The topic meant by the call, or None. Raises ApiError."""
        number = params.integer("message_thread_id")
        if not number:
            return None
        topic = chat.topics.get(number)
        if topic is None or topic.deleted:
            raise bad("message thread not found")
        if topic.closed and not chat.member(self.bot.id).may("can_manage_topics"):
            raise trouble("topic closed", chat)
        return topic

    def find_message(self, chat, params, verb):
        """The message meant by the call. Raises ApiError."""
        message = chat.messages.get(params.integer("message_id", 0))
        if message is None or message.deleted:
            raise bad(f"message to {verb} not found")
        return message
