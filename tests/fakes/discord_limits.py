"""What Discord limits: the size of what is sent, and how much of it in what time."""

import re
from collections import Counter, defaultdict, deque
from dataclasses import dataclass

from tests.fakes.discord_model import refusal, walk

COMPONENTS_V2 = 1 << 15
COMMAND_NAME = re.compile(r"[-_\w']{1,32}")


def check(problems):
    """Raises the 50035 that names every problem; nothing when there is none."""
    errors = [{"code": "INVALID", "message": problem} for problem in problems]
    if errors:
        raise refusal(50035, errors={"_errors": errors})


def message_problems(payload):
    yield from too_long("content", payload.get("content"), 2000)
    yield from too_long("nonce", payload.get("nonce"), 25)
    yield from embeds_problems(payload.get("embeds") or [])
    if not (payload.get("flags") or 0) & COMPONENTS_V2:
        yield from rows_problems(payload.get("components") or [])


def too_long(name, value, limit):
    if value is not None and len(str(value)) > limit:
        yield f"{name} has {len(str(value))} characters, at most {limit}"


def sized(name, value, limit):
    """A problem unless the text has 1 to `limit` characters."""
    if not value:
        yield f"{name} is required"
    yield from too_long(name, value, limit)


def embeds_problems(embeds):
    if len(embeds) > 10:
        yield f"{len(embeds)} embeds, at most 10"
    if (total := sum(map(embed_size, embeds))) > 6000:
        yield f"embeds have {total} characters, at most 6000"
    for embed in embeds:
        yield from embed_problems(embed)


def embed_problems(embed):
    yield from too_long("embed title", embed.get("title"), 256)
    yield from too_long("embed description", embed.get("description"), 4096)
    yield from too_long("embed footer", (embed.get("footer") or {}).get("text"), 2048)
    yield from too_long("embed author", (embed.get("author") or {}).get("name"), 256)
    if len(embed.get("fields") or ()) > 25:
        yield "more than 25 fields"
    for field in embed.get("fields") or ():
        yield from sized("field name", field.get("name"), 256)
        yield from sized("field value", field.get("value"), 1024)


def embed_size(embed):
    texts = [embed.get("title"), embed.get("description")]
    texts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for field in embed.get("fields") or ():
        texts += [field.get("name"), field.get("value")]
    return sum(len(text or "") for text in texts)


def rows_problems(rows):
    if len(rows) > 5:
        yield f"{len(rows)} rows, at most 5"
    if any(row["type"] != 1 for row in rows):
        yield "only rows at the top level"
    for row in rows:
        yield from row_problems(row.get("components", ()))
    ids = Counter(c["custom_id"] for c in walk(rows) if c.get("custom_id"))
    yield from (f"custom_id {name} is there twice" for name, n in ids.items() if n > 1)


def row_problems(cells):
    width = sum(1 if cell["type"] == 2 else 5 for cell in cells)
    if not 1 <= width <= 5:
        yield f"a row is {width} wide, 1 to 5 fit"
    for cell in cells:
        yield from (button_problems if cell["type"] == 2 else select_problems)(cell)


def button_problems(button):
    yield from too_long("label", button.get("label"), 80)
    if not button.get("label") and not button.get("emoji"):
        yield "a button needs a label or an emoji"
    if button.get("style") != 5:
        yield from sized("custom_id", button.get("custom_id"), 100)


def select_problems(select):
    yield from sized("custom_id", select.get("custom_id"), 100)
    yield from too_long("placeholder", select.get("placeholder"), 150)
    options = select.get("options", ())
    if select["type"] == 3 and not 1 <= len(options) <= 25:
        yield f"{len(options)} options, 1 to 25 fit"
    for option in options:
        yield from sized("option label", option.get("label"), 100)
        yield from sized("option value", option.get("value"), 100)
        yield from too_long("option description", option.get("description"), 100)
    if len({option.get("value") for option in options}) < len(options):
        yield "two options have one value"


def modal_problems(modal):
    yield from sized("modal title", modal.get("title"), 45)
    yield from sized("modal custom_id", modal.get("custom_id"), 100)
    if not 1 <= len(modal.get("components", ())) <= 5:
        yield "a modal has 1 to 5 components"
    for component in walk(modal.get("components", ())):
        yield from modal_part_problems(component)


def modal_part_problems(part):
    if part["type"] == 4:
        yield from sized("input custom_id", part.get("custom_id"), 100)
        yield from too_long("input label", part.get("label"), 45)
        yield from too_long("input placeholder", part.get("placeholder"), 100)
        yield from too_long("input value", part.get("value"), part.get("max_length") or 4000)
    elif part["type"] == 18:
        yield from sized("label", part.get("label"), 45)
        yield from too_long("label description", part.get("description"), 100)
    elif part["type"] == 3:
        yield from select_problems(part)


def choices_problems(choices):
    if len(choices) > 25:
        yield f"{len(choices)} choices, at most 25"
    for choice in choices:
        yield from sized("choice name", choice.get("name"), 100)
        yield from sized("choice value", str(choice.get("value")), 100)


def commands_problems(commands):
    if len(commands) > 100:
        yield f"{len(commands)} commands, at most 100"
    names = Counter((c["name"], c.get("type", 1)) for c in commands)
    yield from (f"command {name} is there twice" for name, n in names.items() if n > 1)
    for command in commands:
        yield from option_problems(command)
        if (size := command_size(command)) > 8000:
            yield f"command {command['name']} has {size} characters, at most 8000"


def option_problems(node):
    names = [node["name"], *(node.get("name_localizations") or {}).values()]
    for name in names:
        if not COMMAND_NAME.fullmatch(name) or name != name.lower():
            yield f"{name!r} is no name of a command or an option"
    texts = [node.get("description"), *(node.get("description_localizations") or {}).values()]
    for text in texts:
        yield from sized(f"description of {node['name']}", text, 100)
    yield from choices_problems(node.get("choices") or ())
    yield from options_problems(node["name"], node.get("options") or ())


def options_problems(name, options):
    if len(options) > 25:
        yield f"{name} has {len(options)} options, at most 25"
    required = [option.get("required", False) for option in options]
    if required != sorted(required, reverse=True):
        yield f"required options of {name} come first"
    for option in options:
        yield from option_problems(option)


def command_size(node):
    own = len(node["name"]) + len(node.get("description") or "")
    choices = sum(len(c["name"]) + len(str(c["value"])) for c in node.get("choices") or ())
    return own + choices + sum(map(command_size, node.get("options") or ()))


@dataclass(frozen=True)
class Bucket:
    """So many requests in so many seconds, for each route shape and each channel."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Room:
    """What a bucket has left; `wait` is 0 when the request may pass."""

    limit: int
    remaining: int
    reset_after: float
    wait: float


class Window:
    """A strict sliding window over the requests that passed."""

    def __init__(self, limit, seconds):
        self._limit, self._seconds = limit, seconds
        self._times = deque()

    def take(self, now):
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        full = len(self._times) >= self._limit
        if not full:
            self._times.append(now)
        left = self._times[0] + self._seconds - now
        return Room(self._limit, self._limit - len(self._times), left, left if full else 0.0)

    def undo(self):
        self._times.pop()


class Refill:
    """A window that opens with its first request and is full again when it ends.

    So a route's bucket behaves, and the client counts on it: after Reset-After all are free.
    """

    def __init__(self, limit, seconds):
        self._limit, self._seconds = limit, seconds
        self._ends, self._used = float("-inf"), 0

    def take(self, now):
        if now >= self._ends:
            self._ends, self._used = now + self._seconds, 0
        full = self._used >= self._limit
        self._used += not full
        left = self._ends - now
        return Room(self._limit, self._limit - self._used, left, left if full else 0.0)


SENDS = ("POST /channels/{channel}/messages", "PATCH /channels/{channel}/messages/{message}")
DEFAULT_BUCKETS = dict.fromkeys(SENDS, Bucket(5, 2.0))


class Limits:
    """Every limit on the number of requests; `buckets` by "METHOD /route/{shape}"."""

    def __init__(self, buckets, per_second, invalid_limit):
        self._buckets = {**DEFAULT_BUCKETS, **buckets}
        self._windows = {}
        self._global = Window(per_second, 1.0)
        self._invalid = deque()
        self._invalid_limit = invalid_limit
        self.answers = defaultdict(int)  # refusals by kind: "user", "global", "shared", "banned"

    def take(self, route, major, now, *, counts_globally):
        """The room in the bucket, and the seconds to wait because of the global limit."""
        everywhere = self._global.take(now) if counts_globally else None
        if everywhere and everywhere.wait:
            return None, everywhere.wait
        room = self._window(route, major).take(now)
        if room.wait and everywhere:
            self._global.undo()
        return room, 0.0

    def _window(self, route, major):
        rule = self._buckets.get(route, Bucket(1000, 1.0))
        return self._windows.setdefault((route, major), Refill(rule.limit, rule.seconds))

    def count_invalid(self, now):
        self._invalid.append(now)

    def invalid(self, now):
        """How many 401, 403 and 429 there were in the last ten minutes."""
        while self._invalid and self._invalid[0] <= now - 600:
            self._invalid.popleft()
        return len(self._invalid)

    def banned(self, now):
        return self.invalid(now) >= self._invalid_limit
