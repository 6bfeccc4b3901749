"""Presses of buttons and inline queries, and the one answer that each may get in time."""

from dataclasses import dataclass, field
from itertools import count

from tests.fakes.telegram_chats import Message
from tests.fakes.telegram_content import read_caption, read_keyboard, read_text
from tests.fakes.telegram_errors import QUERY_TOO_OLD, bad
from tests.fakes.telegram_params import Params
from tests.fakes.telegram_people import User

LIFE = 30.0  # seconds; the real one is not published
MOST_RESULTS = 50
LONGEST_NOTICE = 200
MOST_KEPT = 10_000


@dataclass(eq=False)
class CallbackQuery:
    """A press, and what the one who pressed was shown."""

    id: str
    user: User
    message: Message
    data: str
    pressed_at: float
    answered_at: float | None = None
    text: str = ""
    alert: bool = False
    url: str = ""

    @property
    def answered(self):
        return self.answered_at is not None


@dataclass(eq=False)
class InlineQuery:
    """`@bot words` in any chat, and what was offered."""

    id: str
    user: User
    words: str
    pressed_at: float
    answered_at: float | None = None
    results: list = field(default_factory=list)  # as sent
    contents: dict = field(default_factory=dict)  # what choosing a result sends, by its id
    personal: bool = False
    cache_seconds: int = 300
    button: dict | None = None

    @property
    def answered(self):
        return self.answered_at is not None


class Queries:
    """Those that were asked."""

    def __init__(self, clock):
        self._clock = clock
        self._asked = {}
        self._numbers = count(9_000_000_001)

    def press(self, user, message, data):
        return self._keep(CallbackQuery(self._new_id(), user, message, data, self._clock()))

    def ask(self, user, words):
        return self._keep(InlineQuery(self._new_id(), user, words, self._clock()))

    def _new_id(self):
        return str(next(self._numbers))

    def _keep(self, query):
        self._asked[query.id] = query
        while len(self._asked) > MOST_KEPT:
            del self._asked[next(iter(self._asked))]
        return query

    def take(self, kind, query_id):
        """The query that may be answered now. Raises ApiError."""
        query = self._asked.get(query_id)
        if not isinstance(query, kind) or query.answered:
            raise bad(QUERY_TOO_OLD)
        if self._clock() - query.pressed_at > LIFE:
            raise bad(QUERY_TOO_OLD)
        return query

    def finish(self, query):
        query.answered_at = self._clock()
        return True


def answer_callback_query(api, params):
    query = api.queries.take(CallbackQuery, params.text("callback_query_id"))
    if len(params.text("text")) > LONGEST_NOTICE:
        raise bad("MESSAGE_TOO_LONG")
    query.text, query.alert = params.text("text"), params.flag("show_alert")
    query.url = params.text("url")
    return api.queries.finish(query)


def answer_inline_query(api, params):
    query = api.queries.take(InlineQuery, params.text("inline_query_id"))
    results = params.object("results", [])
    if len(results) > MOST_RESULTS:
        raise bad("RESULTS_TOO_MUCH")
    ids = [str(result.get("id", "")) for result in results]
    if len(set(ids)) < len(ids):
        raise bad("RESULT_ID_DUPLICATE")
    if not all(1 <= len(result_id.encode()) <= 64 for result_id in ids):
        raise bad("RESULT_ID_INVALID")
    contents = [_inline_content(api, result) for result in results]
    query.results, query.contents = results, dict(zip(ids, contents, strict=True))
    query.personal, query.button = params.flag("is_personal"), params.object("button")
    query.cache_seconds = params.integer("cache_time", 300)
    return api.queries.finish(query)


def _inline_content(api, result):
    """What the message will be that choosing the result sends. Raises ApiError."""
    markup = result.get("reply_markup") or {}
    keyboard = {"keyboard": read_keyboard(markup.get("inline_keyboard", []))}
    if result.get("type") == "article":
        return keyboard | _article_content(result)
    if result.get("type") == "photo" and result.get("photo_file_id") in api.world.files:
        return keyboard | _photo_content(api, result)
    raise bad("can't parse inline query result: type of the result is unsupported")


def _article_content(result):
    if not result.get("title"):
        raise bad('can\'t parse inline query result: Field "title" must be non-empty')
    content = Params(result.get("input_message_content") or {})
    return read_text(content, "message_text")


def _photo_content(api, result):
    photo = {"photo_file": api.world.files[result["photo_file_id"]], "photo_size": (1, 1)}
    if result.get("input_message_content"):
        return read_text(Params(result["input_message_content"]), "message_text")
    return photo | read_caption(Params(result))


ANSWERING = {
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": answer_inline_query,
}
