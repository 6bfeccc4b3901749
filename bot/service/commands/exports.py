"""export: the levels as strings and files that charts, sheets and calendars read."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.core.clocks import date_text
from bot.core.exports.calendar import Expiry, find_expiries, ics_text
from bot.core.exports.card import FORMATS, export_card
from bot.core.exports.export import Export
from bot.core.exports.pine import pine_script
from bot.core.exports.table import csv_text
from bot.core.exports.tradingview import level_string
from bot.core.menu import Argument, Entry
from bot.core.reply import Command, Link, Reply
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of, find_symbol
from bot.core.view import View
from bot.core.words import suggest
from bot.errors import UserError
from bot.service.commands.table import SYMBOL, Handled, Parts
from bot.service.newest import OfNewest

DEFAULT, *_ = FORMATS
WRITERS: Mapping[str, Callable[[Export], str]] = {  # of what needs nothing but the export
    "tradingview": lambda export: f"{level_string(export.snapshot)}\n",
    "pine": pine_script,
    "csv": csv_text,
}


def export_commands(parts: Parts) -> Sequence[Handled]:
    """The command, which takes its two words in any order."""
    entry = Entry(
        "export",
        "the levels for TradingView, a sheet, a program or a calendar",
        (SYMBOL, Argument("format", "which string or file", choices=tuple(FORMATS))),
    )
    labels = {"format": {name: form.label for name, form in FORMATS.items()}}
    return (Handled(entry, Exports(parts).answer, {"symbol": parts.coins}, labels=labels),)


class Exports:
    """The handler."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._expiries = OfNewest(self._find_expiries)

    async def answer(self, command: Command, view: View) -> Reply:
        """`export [symbol] [format]`."""
        words = [word.lower() for word in command.arguments]
        name = next((word for word in words if word in FORMATS), DEFAULT)
        snapshot = await self._snapshot([word for word in words if word not in FORMATS])
        stale = view.is_stale(snapshot)
        export = Export(snapshot, view.now, stale=stale, simulated=self._parts.simulated)
        card = export_card(export, name, await self._content(export, name, view), view)
        return replace(card, links=await self._feed(snapshot.symbol)) if name == "ics" else card

    async def _feed(self, symbol: str) -> tuple[Link, ...]:
        """Where a calendar program finds it, always fresh."""
        access = self._parts.access
        if access is None or not access.public_url:
            return ()
        return (Link("Address to subscribe to", await access.calendar(symbol)),)

    async def _content(self, export: Export, name: str, view: View) -> bytes:
        """The file's bytes. Raises UserError."""
        match name:
            case "json":
                shown = replace(export.snapshot, stale=export.stale)
                return self._parts.envelope(shown, export.now)
            case "ics":
                return (await self._calendar(export, view)).encode()
            case _:
                return WRITERS[name](export).encode()

    async def _calendar(self, export: Export, view: View) -> str:
        snapshot = export.snapshot
        expiries = await self._expiries.of(snapshot)
        if expiries is None:
            at = date_text(snapshot.at, view.zone)
            raise UserError(
                f"the option chain behind the levels of {at} is no longer stored; "
                "ask again after the next cycle"
            )
        if not expiries:
            raise UserError(f"every {coin_of(snapshot.symbol)} option has expired; ask again later")
        return ics_text(export, expiries)

    async def _find_expiries(self, snapshot: Snapshot) -> Sequence[Expiry] | None:
        """None when the chain is no longer stored."""
        chain = await self._parts.store.chain(snapshot)
        if chain is None:
            return None
        # Out of the event loop: a large chain takes a while.
        return await asyncio.to_thread(find_expiries, chain, snapshot.spot, snapshot.at)

    async def _snapshot(self, words: Sequence[str]) -> Snapshot:
        """The newest snapshot of the one symbol that is named, else of the default one."""
        if len(words) > 1:
            hint = suggest(words[1], FORMATS, f"formats: {', '.join(FORMATS)}")
            raise UserError(f"no format {words[1]!r}; {hint}")
        known = self._parts.symbols
        symbol = find_symbol(words[0], known) if words else known[0]
        snapshot = await self._parts.newest.of(symbol)
        if snapshot is None:
            raise UserError(
                f"no data for {coin_of(symbol)} yet; ask again in half a minute, "
                "or see status for what is missing"
            )
        return snapshot
