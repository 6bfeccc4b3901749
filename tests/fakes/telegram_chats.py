"""Chats, topics, files and messages, and how the API shows them."""

from dataclasses import dataclass, field

from tests.fakes.telegram_people import LEFT, User

MESSAGES_KEPT = 10_000  # of one chat


@dataclass(eq=False)
class Topic:
    id: int  # message_thread_id
    name: str
    closed: bool = False
    deleted: bool = False


@dataclass(eq=False)
class Chat:
    id: int
    type: str  # private, group, supergroup, channel
    title: str
    user: User | None = None  # of a private chat
    forum: bool = False
    topics: dict = field(default_factory=dict)
    members: dict = field(default_factory=dict)  # by user id
    messages: dict = field(default_factory=dict)  # by message id, deleted ones too
    started: bool = True  # whether the user of a private chat ever wrote to the bot
    trouble: str = ""  # one of TROUBLES, switched on by a test
    migrated_to: int | None = None
    username: str = ""
    read: int = 0  # the newest message that a test waited for

    def __repr__(self):
        return f"Chat({self.id}, {self.type} {self.title!r})"

    def as_json(self):
        shown = {"id": self.id, "type": self.type}
        if self.user:
            return shown | {k: v for k, v in self.user.as_json().items() if k.endswith("name")}
        shown |= {"title": self.title} | ({"username": self.username} if self.username else {})
        return shown | ({"is_forum": True} if self.forum else {})

    def member(self, user_id):
        return self.members.get(user_id, LEFT)

    def add(self, message):
        self.messages[message.id] = message
        while len(self.messages) > MESSAGES_KEPT:
            del self.messages[next(iter(self.messages))]


@dataclass(eq=False)
class File:
    id: str
    unique_id: str
    data: bytes
    name: str
    path: str

    def __repr__(self):
        return f"File({self.path!r}, {len(self.data)} bytes)"

    def as_json(self, **more):
        shown = {"file_id": self.id, "file_unique_id": self.unique_id}
        return shown | {"file_size": len(self.data)} | more


@dataclass(eq=False)
class Message:
    """A message as it is now."""

    chat: Chat
    id: int
    date: int
    sender: User | None = None
    sender_chat: Chat | None = None
    text: str = ""
    caption: str = ""
    entities: list = field(default_factory=list)  # of the text or of the caption
    photo_file: File | None = None
    photo_size: tuple = (0, 0)
    document_file: File | None = None
    keyboard: list = field(default_factory=list)  # rows of inline buttons
    other_markup: dict | None = None  # force_reply, a keyboard below the input
    topic: Topic | None = None
    thread_id: int | None = None  # of a reply where there are no topics
    reply_to: "Message | None" = None
    via_bot: User | None = None
    inline_id: str = ""
    service: dict = field(default_factory=dict)
    silent: bool = False
    edit_date: int | None = None
    edits: int = 0
    pinned: bool = False
    deleted: bool = False
    by_bot: bool = False  # sent through the API; a channel's post does not show it

    @property
    def photo(self):
        """The picture's bytes, or None."""
        return self.photo_file.data if self.photo_file else None

    @property
    def document(self):
        return self.document_file.data if self.document_file else None

    @property
    def words(self):
        """Text or caption, whichever it has."""
        return self.text or self.caption

    @property
    def reply_markup(self):
        return {"inline_keyboard": self.keyboard} if self.keyboard else self.other_markup

    @property
    def buttons(self):
        """The labels, row by row."""
        return [[button["text"] for button in row] for row in self.keyboard]

    def button(self, label):
        """The button with the label. Raises LookupError."""
        for row in self.keyboard:
            for button in row:
                if button["text"] == label:
                    return button
        raise LookupError(f"no button {label!r} among {self.buttons}")

    def pieces(self, kind):
        """The pieces of text that have this formatting."""
        units = self.words.encode("utf-16-le")
        spans = [(2 * e["offset"], 2 * e["length"]) for e in self.entities if e["type"] == kind]
        return [units[start : start + length].decode("utf-16-le") for start, length in spans]

    def __repr__(self):
        return f"Message({self.id} in {self.chat}: {self.words!r}, {self.buttons})"

    def as_json(self, *, nested=False):
        shown = {"message_id": self.id, "date": self.date, "chat": self.chat.as_json()}
        shown |= self._origin() | self._content() | self.service
        shown |= {"edit_date": self.edit_date} if self.edit_date else {}
        shown |= {"reply_markup": {"inline_keyboard": self.keyboard}} if self.keyboard else {}
        return shown | ({} if nested else self._place())

    def _origin(self):
        shown = {"from": self.sender.as_json()} if self.sender else {}
        shown |= {"sender_chat": self.sender_chat.as_json()} if self.sender_chat else {}
        return shown | ({"via_bot": self.via_bot.as_json()} if self.via_bot else {})

    def _content(self):
        shown = {"text": self.text} if self.text else {}
        shown |= {"caption": self.caption} if self.caption else {}
        name = "entities" if self.text else "caption_entities"
        shown |= {name: self.entities} if self.entities else {}
        if self.photo_file:
            shown["photo"] = [self._photo_json()]
        if self.document_file:
            shown["document"] = self.document_file.as_json(file_name=self.document_file.name)
        return shown

    def _photo_json(self):
        width, height = self.photo_size
        return self.photo_file.as_json(width=width, height=height)

    def _place(self):
        """Thread and reply: a message in a topic that answers nothing answers its beginning."""
        shown = {"message_thread_id": self.thread_id} if self.thread_id else {}
        if self.topic:
            shown |= {"message_thread_id": self.topic.id, "is_topic_message": True}
        answered = self.reply_to or self._beginning()
        return shown | ({"reply_to_message": answered.as_json(nested=True)} if answered else {})

    def _beginning(self):
        begins = self.topic is None or self.topic.id == self.id
        return None if begins else self.chat.messages.get(self.topic.id)
