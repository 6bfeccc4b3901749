"""The dashboard's own files, its pictures, and what can be taken away."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta

from aiohttp import web

from bot.api.codes import FORBIDDEN, NOT_FOUND, Refused, too_many
from bot.api.files import Assets, front_page
from bot.api.live import Live
from bot.api.pages import Described, Download, Place, Serve, always
from bot.api.views import Newest
from bot.core.exports.card import FORMATS
from bot.core.reply import Command, Reply
from bot.core.snapshot import Snapshot
from bot.ports import Allowance

PICTURES = ("price", "profile")
THEMES = ("dark", "light")

Picture = Callable[[Snapshot, str, str, bool], Awaitable[bytes | None]]
Ask = Callable[[Command], Awaitable[Reply]]
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
        self._symbols = symbols

    @property
    def described(self) -> Described:
        """As the schema has it."""
        names = {"symbol": tuple(self._symbols), "picture": [f"{one}.png" for one in PICTURES]}
        path = "/pictures/{symbol}/{picture}"
        return Described(path, "the levels as a picture", names, ("image/png",), {"theme": THEMES})

    async def serve(self, request: web.BaseRequest) -> Download:
        """The picture of the newest snapshot. Raises Refused, StoreError."""
        symbol, kind = _two(request.rel_url.path, "/pictures/")
        kind = kind.removesuffix(".png")
        theme = request.rel_url.query.get("theme", "dark")
        if symbol not in self._symbols or kind not in PICTURES or theme not in THEMES:
            raise Refused(NOT_FOUND, "no such picture; write /pictures/BTCUSDT/price.png")
        snapshot = await self._newest(symbol)
        png = None
        if snapshot:
            stale = snapshot.stale or self._now() - snapshot.heard_at > self._stale_after
            png = await self._picture(snapshot, kind, theme, stale)
        if png is None:
            raise Refused(NOT_FOUND, f"no picture of {symbol} can be drawn now")
        return Download(png, "image/png")


class Exports:
    """What the command export gives, to take away: /export/BTCUSDT/pine."""

    def __init__(self, answer: Ask, symbols: Collection[str]) -> None:
        self._answer = answer
        self._symbols = symbols

    @property
    def described(self) -> Described:
        """As the schema has it."""
        names = {"symbol": tuple(self._symbols), "format": tuple(FORMATS)}
        kinds = sorted({form.media_type for form in FORMATS.values()})
        path = "/export/{symbol}/{format}"
        return Described(path, "the levels for other programs to read", names, kinds)

    async def serve(self, request: web.BaseRequest) -> Download:
        """The file. Raises Refused."""
        return await self.file(*_two(request.rel_url.path, "/export/"))

    async def file(self, symbol: str, form: str) -> Download:
        """The levels of that symbol in that form. Raises Refused."""
        if symbol not in self._symbols or form not in FORMATS:
            formats = ", ".join(FORMATS)
            raise Refused(NOT_FOUND, f"no such export; write /export/SYMBOL/ and one of {formats}")
        reply = await self._answer(Command("export", (symbol, form), "terminal:"))
        if reply.file is None:
            raise Refused(NOT_FOUND, "; ".join(reply.lines) or "nothing to export now")
        named = {"Content-Disposition": f'attachment; filename="{reply.file.name}"'}
        kind = reply.file.media_type
        charset = "; charset=utf-8" if kind.startswith("text/") else ""
        return Download(reply.file.content, f"{kind}{charset}", named)


class Calendars:
    """Calendars whose address admits: programs that fetch them send no key."""

    def __init__(self, exports: Exports, symbol_of: SymbolOf, fetches: Allowance) -> None:
        self._exports = exports
        self._symbol_of = symbol_of
        self._fetches = fetches

    async def serve(self, request: web.BaseRequest) -> Download:
        """The calendar; it shows one symbol's expiries and nothing else. Raises Refused."""
        name = request.rel_url.path.removeprefix("/v2").removeprefix("/calendar/")
        symbol = await self._symbol_of(name.removesuffix(".ics"))
        if symbol is None:
            raise Refused(FORBIDDEN, "this address counts no more; ask again: export btc ics")
        seconds = self._fetches.missing(name)
        if seconds:
            raise too_many("fetched too often, once an hour is enough", int(seconds) + 1)
        self._fetches.take(name)
        return await self._exports.file(symbol, "ics")


def _two(path: str, below: str) -> tuple[str, str]:
    """The two names below that path. Raises Refused."""
    names = path.removeprefix("/v2").removeprefix(below).split("/")
    if len(names) != 2:
        raise Refused(NOT_FOUND, "no such path; /docs lists all there are")
    return names[0], names[1]
