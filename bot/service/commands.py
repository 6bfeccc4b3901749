"""The commands: what a chat's users ask, answered from the store."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.cards import (
    chart_card,
    expiries_card,
    flip_card,
    is_stale,
    levels_card,
    max_pain_card,
    move_card,
    top_card,
)
from bot.core.chain import OptionChain
from bot.core.glossary import explain
from bot.core.reply import Action, Command, Field, Reply, Table, mark_simulated
from bot.core.rules import Rule, RuleState, default_rules, parse_rule, rule_text
from bot.core.snapshot import Snapshot, recompute
from bot.core.symbols import coin_of, find_symbol
from bot.core.text import age_text
from bot.core.words import suggest
from bot.errors import BotError, UserError
from bot.ports import Store

logger = logging.getLogger(__name__)

LONGEST_ERROR = 400  # characters: it may quote what was typed
CHARTS = ("profile",)

Chart = Callable[[OptionChain, Snapshot, datetime], Awaitable[bytes | None]]
Handler = Callable[[Command], Awaitable[Reply]]
OfSnapshot = Callable[[Snapshot, datetime, timedelta], Reply]
OfChain = Callable[[OptionChain, Snapshot, datetime, timedelta], Reply]


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as help shows it, and what answers it."""

    answer: Handler
    arguments: str  # as help writes them: [optional] REQUIRED
    help: str


class Commands:
    """Answers any command, whatever chat it came from."""

    def __init__(
        self,
        store: Store,
        symbols: Sequence[str],
        now: Callable[[], datetime],
        chart: Chart,
        stale_after: timedelta,
        status: Callable[[], Sequence[Field]],
        on_rules_changed: Callable[[], Awaitable[None]],
        *,
        simulated: bool,
    ) -> None:
        self._store = store
        self._symbols = symbols
        self._now = now
        self._chart = chart
        self._stale_after = stale_after
        self._health = status
        self._on_rules_changed = on_rules_changed
        self._simulated = simulated
        # The one list of commands: help, suggestions and every chat's menu come from it.
        self.entries: dict[str, Entry] = {
            "levels": Entry(
                self._levels, "[symbol] [0dte] [venues]", "every level, its distance and age"
            ),
            "chart": Entry(self._draw, "[symbol] [profile]", "GEX by strike as a picture"),
            "top": Entry(self._of_snapshot(top_card), "[symbol]", "the ten largest strikes by GEX"),
            "maxpain": Entry(self._of_chain(max_pain_card), "[symbol]", "max pain by expiry"),
            "move": Entry(self._of_snapshot(move_card), "[symbol]", "the one-day expected move"),
            "flip": Entry(self._of_snapshot(flip_card), "[symbol]", "every gamma flip zone"),
            "expiries": Entry(
                self._of_chain(expiries_card), "[symbol]", "open interest, IV, GEX by expiry"
            ),
            "alert add": Entry(
                self._add_alert, "SYMBOL LEVEL EVENT [options]", "ring on: btc hvl cross down once"
            ),
            "alert list": Entry(self._list_alerts, "", "what rings here"),
            "alert delete": Entry(self._delete_alert, "ID", "ring no more"),
            "status": Entry(self._status, "", "how old the data is, what works and what does not"),
            "explain": Entry(self._explain, "[term]", "what a word means"),
            "help": Entry(self._help, "[command]", "this list"),
        }

    async def answer(self, command: Command) -> Reply:
        """The reply to whatever was asked; trouble that is expected is a reply as well."""
        try:
            reply = await self._dispatch(command)
        except UserError as error:
            reply = _sorry("No answer", error)
        except BotError as error:
            logger.error("%s not answered: %s", command.name, error)
            reply = _sorry("Not now", error)
        return mark_simulated(reply) if self._simulated else reply

    async def _dispatch(self, command: Command) -> Reply:
        """Hand it to its handler; a name may be two words, of which one is an argument yet."""
        first, *rest = command.arguments or ("",)
        two_words = f"{command.name} {first.lower()}"
        if two_words in self.entries:
            return await self.entries[two_words].answer(replace(command, arguments=tuple(rest)))
        if command.name in self.entries:
            return await self.entries[command.name].answer(command)
        group = [name for name in self.entries if name.startswith(f"{command.name} ")]
        if group:
            near = suggest(two_words, group, "") if first else ""
            raise UserError(near or f"choose one of: {', '.join(group)}")
        near = suggest(command.name, self._first_words(), "help lists the commands")
        raise UserError(f"no command {command.name!r}; {near}")

    async def _levels(self, command: Command) -> Reply:
        words = [word for line in command.arguments for word in line.lower().split(",") if word]
        odte = any(word in ("0dte", "odte") for word in words)
        words = [word for word in words if word not in ("0dte", "odte")]
        symbol, venues = await self._symbol_and_venues(words)
        snapshot = await self._snapshot(symbol)
        if venues:
            chain = await self._chain(snapshot)
            wanted = _find_venues(venues, snapshot)
            snapshot = recompute(snapshot, chain, snapshot.at, wanted)
            snapshot = replace(snapshot, left_out={})
            venues = wanted
        return levels_card(snapshot, self._now(), self._stale_after, odte=odte, alone=venues)

    async def _symbol_and_venues(self, words: Sequence[str]) -> tuple[str, Sequence[str]]:
        """The first word is the symbol, unless it is a venue of the default symbol."""
        default = self._symbols[0]
        if not words:
            return default, ()
        try:
            return find_symbol(words[0], self._symbols), words[1:]
        except UserError:
            snapshot = await self._store.snapshot(default)
            if snapshot and words[0] in _venues(snapshot):
                return default, words
            raise

    async def _draw(self, command: Command) -> Reply:
        words = [word.lower() for word in command.arguments]
        for word in words[1:]:
            if word not in CHARTS:
                raise UserError(f"no chart {word!r}; choose {' or '.join(CHARTS)}")
        if words and words[0] in CHARTS:
            words = []
        snapshot = await self._snapshot(self._symbol(words[:1], "chart"))
        chain = await self._chain(snapshot)
        png = await self._chart(chain, snapshot, self._now())
        return chart_card(snapshot, self._now(), self._stale_after, png)

    def _of_snapshot(self, card: OfSnapshot) -> Handler:
        """Answers `[symbol]` with this card."""

        async def answer(command: Command) -> Reply:
            snapshot = await self._snapshot(self._symbol(command.arguments, command.name))
            return card(snapshot, self._now(), self._stale_after)

        return answer

    def _of_chain(self, card: OfChain) -> Handler:
        """Answers `[symbol]` with this card, which needs the chain as well."""

        async def answer(command: Command) -> Reply:
            snapshot = await self._snapshot(self._symbol(command.arguments, command.name))
            chain = await self._chain(snapshot)
            return card(chain, snapshot, self._now(), self._stale_after)

        return answer

    async def _add_alert(self, command: Command) -> Reply:
        new = parse_rule(" ".join(command.arguments), self._symbols, command.target)
        rules = await self._store.rules()
        for rule in rules:
            if replace(rule, id="") == new:
                return _alert_reply(f"Alert #{rule.id} is set already", rule)
        rule = await self._store.add_rule(new)
        await self._on_rules_changed()
        lines = () if rules else ("The default pack rings no more: only rules that are set do.",)
        return replace(_alert_reply(f"Alert #{rule.id} set", rule), lines=lines)

    async def _list_alerts(self, command: Command) -> Reply:
        rules = await self._store.rules()
        states = await self._store.rule_states()
        own = [rule for rule in rules if rule.target == command.target]
        now = self._now()
        lines: tuple[str, ...] = ()
        if not own:
            lines = ("None set here. Add one: alert add btc hvl cross down once",)
        if not rules:
            pack = default_rules(self._symbols[0], command.target)
            lines += ("Nobody set any, so the default pack rings in the terminal, on each symbol:",)
            lines += tuple(rule_text(rule) for rule in pack)
        return Reply(
            "Alerts",
            fields=tuple(Field(f"#{r.id}", _rule_line(r, states.get(r.id), now)) for r in own),
            lines=lines,
            private=True,
        )

    async def _delete_alert(self, command: Command) -> Reply:
        if not command.arguments:
            raise UserError("which one? alert list shows the ids; then: alert delete ID")
        rule_id = command.arguments[0].lstrip("#")
        if not await self._store.delete_rule(rule_id, command.target):
            raise UserError(f"no alert {rule_id!r} here; alert list shows what there is")
        await self._on_rules_changed()
        left = await self._store.rules()
        lines = () if left else ("That was the last rule: the default pack rings again.",)
        return Reply(f"Alert #{rule_id} deleted", lines=lines, private=True)

    async def _status(self, command: Command) -> Reply:
        del command
        now = self._now()
        rows = [self._symbol_row(s, await self._store.snapshot(s), now) for s in self._symbols]
        counts = (await self._store.health()).items()
        stored = tuple((name.replace("_", " "), _count_text(count)) for name, count in counts)
        return Reply(
            "Status",
            fields=tuple(self._health()),
            tables=(
                Table("", ("Symbol", "Data", "Levels", "Venues"), tuple(rows)),
                Table("Stored", (), stored),
            ),
            footer=(f"as of {now:%Y-%m-%d %H:%M:%S} UTC",),
        )

    def _symbol_row(self, symbol: str, snapshot: Snapshot | None, now: datetime) -> tuple[str, ...]:
        if snapshot is None:
            return coin_of(symbol), "none yet", "", ""
        state = "STALE" if is_stale(snapshot, now, self._stale_after) else "fresh"
        heard = len(snapshot.sources)
        venues = f"{heard} of {heard + len(snapshot.left_out)}"
        return coin_of(symbol), state, f"{age_text(now - snapshot.at)} old", venues

    async def _explain(self, command: Command) -> Reply:
        return Reply("Glossary", lines=(explain(" ".join(command.arguments)),))

    async def _help(self, command: Command) -> Reply:
        asked = " ".join(command.arguments).lower().removeprefix("/")
        shown = {n: e for n, e in self.entries.items() if n == asked or n.startswith(f"{asked} ")}
        if asked and not shown:
            near = suggest(asked, self.entries, "help alone lists the commands")
            raise UserError(f"no command {asked!r}; {near}")
        fields = tuple(
            Field(f"{name} {entry.arguments}".strip(), entry.help)
            for name, entry in (shown or self.entries).items()
        )
        coins = ", ".join(map(coin_of, self._symbols))
        return Reply("Commands", fields=fields, lines=(f"symbols: {coins}",), private=True)

    def _symbol(self, words: Sequence[str], name: str) -> str:
        """The symbol that the only argument names, the default one without it."""
        if len(words) > 1:
            raise UserError(f"{words[1]!r} is not understood; write it like: {name} {words[0]}")
        return find_symbol(words[0], self._symbols) if words else self._symbols[0]

    async def _snapshot(self, symbol: str) -> Snapshot:
        snapshot = await self._store.snapshot(symbol)
        if snapshot is None:
            raise UserError(
                f"no data for {coin_of(symbol)} yet; ask again in half a minute, "
                "or see status for what is missing"
            )
        return snapshot

    async def _chain(self, snapshot: Snapshot) -> OptionChain:
        chain = await self._store.chain(snapshot)
        if chain is None:
            raise UserError(
                f"the option chain behind the levels of {snapshot.at:%Y-%m-%d %H:%M} UTC is no "
                "longer stored; ask again after the next cycle"
            )
        return chain

    def _first_words(self) -> Sequence[str]:
        return list(dict.fromkeys(name.split()[0] for name in self.entries))


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


def _count_text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return f"{value:,}" if isinstance(value, int) else "none" if value is None else str(value)


def _rule_line(rule: Rule, state: RuleState | None, now: datetime) -> str:
    """The rule and how often it rang."""
    if state is None:
        return f"{rule_text(rule)}; has not rung"
    done = ", done" if rule.times and state.rings >= rule.times else ""
    return f"{rule_text(rule)}; rang {state.rings}x, last {age_text(now - state.rang_at)} ago{done}"


def _alert_reply(title: str, rule: Rule) -> Reply:
    return Reply(
        title,
        fields=(Field(f"#{rule.id}", rule_text(rule)),),
        actions=(
            Action("Delete", f"alert delete {rule.id}"),
            Action("All alerts", "alert list"),
        ),
        private=True,
    )


def _sorry(title: str, error: BotError) -> Reply:
    text = str(error)
    short = text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]}…"
    return Reply(title, lines=(short,), tone="error", private=True)
