"""The dashboard's own files, its pictures, and what can be taken away."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from aiohttp import web

from bot.api.body import Body
from bot.api.calls import Answer
from bot.api.codes import FORBIDDEN, NOT_FOUND, Refused, invalid, too_many
from bot.api.files import Assets, front_page
from bot.api.live import Live
from bot.api.pages import Described, Download, Place, Serve, always, own_path
from bot.api.parameters import Parameter, known_word, one_of, parse_query, text
from bot.api.schema import Problem, sections
from bot.api.views import Newest
from bot.core.exports.card import FORMATS
from bot.core.exports.export import Export
from bot.core.reply import Command, Reply
from bot.core.snapshot import Snapshot
from bot.errors import UserError
from bot.ports import Allowance

PICTURES = ("price.png", "profile.png")
THEME = one_of("theme", "of the page that shows it", ("dark", "light"), "dark")
OF = text("of", "anything: another word is another address, which a browser asks for anew")

Picture = Callable[[Snapshot, str, str, bool], Awaitable[bytes | None]]
Ask = Callable[[Command], Awaitable[Reply]]
ExportOf = Callable[[Snapshot], Export]
SymbolOf = Callable[[str], Awaitable[str | None]]  # by what an address says


def dashboard_places(
    assets: Assets,
    pictures: "Pictures",
    exports: "Exports",
    live: Live,
    chat: Serve | None,
    *,
    simulated: bool,
) -> Mapping[str, Place]:
    """Every path of the dashboard."""
    return {
        "/": always(front_page(assets, simulated=simulated)),
        "/pictures/": Place(pictures.serve, described=pictures.described),
        "/export/": Place(exports.serve, described=exports.described),
        "/events": Place(live.open),
        **({"/chat": Place(chat, same_origin=True)} if chat else {}),
    }


class Pictures:
    """The server's own pictures: /pictures/BTCUSDT/price.png?theme=light."""

    def __init__(
        self,
        newest: Newest,
        picture: Picture,
        now: Callable[[], datetime],
        stale_after: timedelta,
        symbols: Collection[str],
    ) -> None:
        self._newest = newest
        self._picture = picture
        self._now = now
        self._stale_after = stale_after
        self._names = {"symbol": tuple(symbols), "picture": PICTURES}

    @property
    def described(self) -> Described:
        """As the schema has it."""
        path = "/pictures/{symbol}/{picture}"
        return Described(path, "the levels as a picture", self._names, ("image/png",), (THEME, OF))

    async def serve(self, request: web.BaseRequest) -> Download:
        """The picture of the newest snapshot. Raises Refused, StoreError."""
        symbol, name = _named(request, self._names)
        asked = _values(request, (THEME, OF))
        snapshot = await self._newest(symbol)
        png = None
        if snapshot:
            stale = snapshot.is_stale(self._now(), self._stale_after)
            kind = name.removesuffix(".png")
            png = await self._picture(snapshot, kind, str(asked["theme"]), stale)
        if png is None:
            raise Refused(NOT_FOUND, f"no picture of {symbol} can be drawn now")
        return Download(png, "image/png")


class Exports:
    """What the command export gives, to take away: /export/BTCUSDT/pine."""

    def __init__(
        self, ask: Ask, newest: Newest, export_of: ExportOf, symbols: Collection[str]
    ) -> None:
        self._ask = ask
        self._newest = newest
        self._export_of = export_of
        self._names = {"symbol": tuple(symbols), "format": tuple(FORMATS)}

    @property
    def described(self) -> Described:
        """As the schema has it."""
        kinds = sorted({form.media_type for form in FORMATS.values()})
        path = "/export/{symbol}/{format}"
        return Described(path, "the levels for other programs to read", self._names, kinds)

    async def serve(self, request: web.BaseRequest) -> Download | Answer:
        """The file. Raises Refused, StoreError."""
        symbol, form = _named(request, self._names)
        _values(request, ())
        return await (self._whole(symbol) if form == "json" else self.file(symbol, form))

    async def _whole(self, symbol: str) -> Answer:
        """What the API tells of the symbol, with the meta of this very request."""
        snapshot = await self._newest(symbol)
        if snapshot is None:
            raise Refused(NOT_FOUND, f"no data for {symbol} yet; ask again in half a minute")
        body = Body(("export", snapshot.id), sections(snapshot))
        name = self._export_of(snapshot).file_name("json")
        return Answer(body, snapshot, headers=_attached(name))

    async def file(self, symbol: str, form: str) -> Download:
        """The levels of that symbol in that form. Raises Refused, StoreError."""
        try:
            reply = await self._ask(Command("export", (symbol, form), "terminal:"))
        except UserError as error:
            raise Refused(NOT_FOUND, str(error)) from error
        if reply.file is None:
            raise Refused(NOT_FOUND, "nothing to export now")
        kind = reply.file.media_type
        charset = "; charset=utf-8" if kind.startswith("text/") else ""
        return Download(reply.file.content, f"{kind}{charset}", _attached(reply.file.name))


class Calendars:
    """Calendars whose address admits: programs that fetch them send no key."""

    def __init__(self, exports: Exports, symbol_of: SymbolOf, fetches: Allowance) -> None:
        self._exports = exports
        self._symbol_of = symbol_of
        self._fetches = fetches

    async def serve(self, request: web.BaseRequest) -> Download:
        """The calendar: one symbol's expiries and nothing else. Raises Refused, StoreError."""
        name = own_path(request).removeprefix("/calendar/")
        name = name.removesuffix(".ics")
        symbol = await self._symbol_of(name)
        if symbol is None:
            raise Refused(FORBIDDEN, "this address counts no more; ask again: export btc ics")
        if seconds := self._fetches.spend(name):
            raise too_many("fetched too often, once an hour is enough", int(seconds) + 1)
        return await self._exports.file(symbol, "ics")


def _attached(name: str) -> Mapping[str, str]:
    """What makes a browser keep it as a file."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _named(request: web.BaseRequest, names: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The names that end the path, each one that may stand there. Raises Refused."""
    words = own_path(request).split("/")[2:]
    if len(words) != len(names):
        raise Refused(NOT_FOUND, "no such path; /docs lists all there are")
    problems = []
    for word, (name, allowed) in zip(words, names.items(), strict=True):
        try:
            known_word(word, allowed)
        except ValueError as error:
            problems.append(Problem("value", ("path", name), str(error)))
    if problems:
        raise invalid(problems)
    return words


def _values(request: web.BaseRequest, parameters: Sequence[Parameter]) -> Mapping[str, object]:
    """What the query says. Raises Refused."""
    query = parse_query(request.rel_url.raw_query_string, parameters)
    if query.problems:
        raise invalid(query.problems)
    return query.values
