"""levels, chart, compare and the tables: what the newest snapshot says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.core.cards import (
    CHARTS,
    THEMES,
    chart_card,
    expiries_card,
    flip_card,
    levels_card,
    max_pain_card,
    move_card,
    top_card,
)
from bot.core.chain import OptionChain
from bot.core.clocks import date_text
from bot.core.comparison import compare_card
from bot.core.menu import Argument, Entry
from bot.core.reply import Command, Picture, Reply
from bot.core.snapshot import Snapshot, recompute
from bot.core.symbols import coin_of, find_symbol
from bot.core.venues import VENUES
from bot.core.view import View
from bot.core.words import suggest
from bot.errors import UserError
from bot.service.commands.table import SYMBOL, Handled, Handler, Parts, of_list
from bot.service.newest import OfNewest

OfSnapshot = Callable[[Snapshot, View], Reply]
OfChain = Callable[[OptionChain, Snapshot, View], Reply]

COINS_NAMED = 6  # in the help of the first command, which has room for 100 characters
EXPIRIES = {"all": False, "0dte": True, "odte": True}


def market_commands(parts: Parts) -> Sequence[Handled]:
    """Every command about the levels."""
    market = MarketCommands(parts)
    levels = Entry(
        "levels",
        f"every level, its distance and age: {', '.join(parts.coins[:COINS_NAMED])}",
        (
            SYMBOL,
            Argument("expiries", "all of them, or those within 24 hours", choices=("all", "0dte")),
            Argument("venues", "computed from these alone: deribit okx", open=True),
        ),
    )
    chart = Entry(
        "chart",
        "GEX by strike, or candles with the levels",
        (
            SYMBOL,
            Argument("kind", "what it shows", choices=tuple(CHARTS)),
            Argument("theme", "its colours", choices=THEMES),
        ),
    )
    coins = {"symbol": parts.coins}
    return (
        Handled(levels, market.levels, coins, {"venues": of_list(VENUES)}),
        Handled(chart, market.chart, coins),
        *(
            Handled(Entry(name, text, (SYMBOL,)), handler, coins)
            for name, text, handler in (
                ("top", "the ten largest strikes by GEX", market.of_snapshot(top_card)),
                ("maxpain", "max pain by expiry", market.of_chain(max_pain_card)),
                ("move", "the one-day expected move", market.of_snapshot(move_card)),
                ("flip", "every gamma flip zone", market.of_snapshot(flip_card)),
                ("expiries", "open interest, IV, GEX by expiry", market.of_chain(expiries_card)),
                ("compare", "the levels by venue and how far they agree", market.compare),
            )
        ),
    )


class MarketCommands:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._alone = OfNewest(self._of_each_venue)

    async def levels(self, command: Command, view: View) -> Reply:
        """`levels [symbol] [0dte] [venues]`, in any order."""
        words = [word for line in command.arguments for word in line.lower().split(",") if word]
        odte = any(EXPIRIES.get(word) for word in words)
        symbol, venues = await self._symbol_and_venues([w for w in words if w not in EXPIRIES])
        snapshot = await self._snapshot(symbol)
        if not venues:
            card = levels_card(snapshot, view, odte=odte, symbols=self._parts.symbols)
            draw = self._drawing(snapshot, "profile", command.theme or THEMES[0], view)
            return card if odte else replace(card, draw=draw)  # the profile is of all expiries
        wanted = _find_venues(venues, snapshot)
        chain = await self._chain(snapshot, view)
        alone = await asyncio.to_thread(recompute, snapshot, chain, snapshot.at, wanted)
        return levels_card(replace(alone, left_out={}), view, odte=odte, alone=wanted)

    async def chart(self, command: Command, view: View) -> Reply:
        """`chart [symbol] [kind] [theme]`, in any order."""
        words = [word.lower() for word in command.arguments]
        kind = next((word for word in words if word in CHARTS), "profile")
        chosen = next((word for word in words if word in THEMES), "")
        symbols = [word for word in words if word not in (*CHARTS, *THEMES)]
        if len(symbols) > 1:
            raise UserError(f"no chart {symbols[1]!r}; choose {' or '.join(CHARTS)}")
        snapshot = await self._snapshot(self._symbol(symbols, "chart"))
        theme = chosen or command.theme or THEMES[0]
        card = chart_card(snapshot, view, kind, chosen)
        return replace(card, draw=self._drawing(snapshot, kind, theme, view))

    async def compare(self, command: Command, view: View) -> Reply:
        """Each venue's own levels."""
        snapshot = await self._snapshot(self._symbol(command.arguments, command.name))
        alone = await self._alone.of(snapshot)
        if alone is None:
            raise _no_chain(snapshot, view)
        return compare_card(snapshot, alone, view)

    def of_snapshot(self, card: OfSnapshot) -> Handler:
        """Answers `[symbol]` with this card."""

        async def answer(command: Command, view: View) -> Reply:
            return card(await self._snapshot(self._symbol(command.arguments, command.name)), view)

        return answer

    def of_chain(self, card: OfChain) -> Handler:
        """Answers `[symbol]` with this card, which needs the chain as well."""

        async def answer(command: Command, view: View) -> Reply:
            snapshot = await self._snapshot(self._symbol(command.arguments, command.name))
            return card(await self._chain(snapshot, view), snapshot, view)

        return answer

    def _drawing(
        self, snapshot: Snapshot, kind: str, theme: str, view: View
    ) -> Callable[[], Awaitable[Picture | None]]:
        """What draws the chart when someone wants it."""
        part = "" if kind == "profile" else f"-{kind}"

        async def draw() -> Picture | None:
            png = await self._parts.pictures(snapshot, kind, theme, view.is_stale(snapshot))
            return Picture(f"gammabell-{snapshot.symbol}{part}.png", png) if png else None

        return draw

    def _symbol(self, words: Sequence[str], name: str) -> str:
        """The symbol that the only argument names, the default one without it."""
        if len(words) > 1:
            raise UserError(f"{words[1]!r} is not understood; write it like: {name} {words[0]}")
        return find_symbol(words[0], self._parts.symbols) if words else self._parts.symbols[0]

    async def _symbol_and_venues(self, words: Sequence[str]) -> tuple[str, Sequence[str]]:
        """The first word is the symbol, unless it is a venue of the default symbol."""
        default = self._parts.symbols[0]
        if not words:
            return default, ()
        try:
            return find_symbol(words[0], self._parts.symbols), words[1:]
        except UserError:
            snapshot = await self._parts.newest.of(default)
            if snapshot and words[0] in _venues(snapshot):
                return default, words
            raise

    async def _snapshot(self, symbol: str) -> Snapshot:
        snapshot = await self._parts.newest.of(symbol)
        if snapshot is None:
            raise UserError(
                f"no data for {coin_of(symbol)} yet; ask again in half a minute, "
                "or see status for what is missing"
            )
        return snapshot

    async def _chain(self, snapshot: Snapshot, view: View) -> OptionChain:
        chain = await self._parts.store.chain(snapshot)
        if chain is None:
            raise _no_chain(snapshot, view)
        return chain

    async def _of_each_venue(self, snapshot: Snapshot) -> Sequence[Snapshot] | None:
        """The levels of each venue alone; None when the chain is no longer stored."""
        chain = await self._parts.store.chain(snapshot)
        if chain is None:
            return None
        venues = [source.venue for source in snapshot.sources]

        def alone() -> list[Snapshot]:
            return [recompute(snapshot, chain, snapshot.at, [venue]) for venue in venues]

        # Out of the event loop: the levels of five venues take a while.
        return await asyncio.to_thread(alone)


def _no_chain(snapshot: Snapshot, view: View) -> UserError:
    at = date_text(snapshot.at, view.zone)
    return UserError(
        f"the option chain behind the levels of {at} is no longer stored; "
        "ask again after the next cycle"
    )


def _venues(snapshot: Snapshot) -> Sequence[str]:
    """Every venue that was asked."""
    return [*(source.venue for source in snapshot.sources), *snapshot.left_out]


def _find_venues(words: Sequence[str], snapshot: Snapshot) -> Sequence[str]:
    """The venues that are meant, each once; all of them are in the data. Raises UserError."""
    heard = [source.venue for source in snapshot.sources]
    for word in words:
        if word in snapshot.left_out:
            raise UserError(f"{word} is not in the data now: {snapshot.left_out[word]}")
        if word not in heard:
            near = suggest(word, _venues(snapshot), f"venues: {', '.join(_venues(snapshot))}")
            raise UserError(f"no venue {word!r}; {near}")
    return [venue for venue in heard if venue in words]
