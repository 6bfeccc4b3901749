"""What is said beside an export: what it is, what to do with it, how old it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.exports.export import Export
from bot.core.exports.tradingview import level_string
from bot.core.reply import Action, File, Reply, Table
from bot.core.symbols import coin_of
from bot.core.view import View


@dataclass(frozen=True, slots=True)
class Format:
    """A form that other programs read."""

    label: str
    ending: str
    media_type: str
    use: str  # what to do with it


FORMATS: Mapping[str, Format] = {
    "tradingview": Format(
        "Level string", "txt", "text/plain", "Paste it into an indicator that reads level strings."
    ),
    "pine": Format(
        "Pine script",
        "pine",
        "text/plain",
        "In TradingView open the Pine Editor, paste it and add it to the chart.",
    ),
    "csv": Format("CSV", "csv", "text/csv", "A row a level, for a spreadsheet or a program."),
    "json": Format("JSON", "json", "application/json", "Everything the API tells of the symbol."),
    "ics": Format("Calendar", "ics", "text/calendar", "Open or import it in a calendar."),
}


def export_card(export: Export, name: str, content: bytes, view: View) -> Reply:
    """The file with its age; the level string, short as it is, can be copied from the card too."""
    form, coin = FORMATS[name], coin_of(export.snapshot.symbol)
    string = Table("", (), ((level_string(export.snapshot),),))
    card = Reply(
        f"{coin} export: {form.label}",
        tables=(string,) if name == "tradingview" else (),
        lines=(form.use, "It stays as it is now: take a new one when the levels have moved."),
        file=File(export.file_name(form.ending), content, form.media_type),
        actions=tuple(
            Action(other.label, f"export {coin.lower()} {word}")
            for word, other in FORMATS.items()
            if word != name
        ),
    )
    return view.dated(card, export.snapshot)
