"""A day's summary: where each symbol stands, and what rang."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.core.clocks import minute_text, until_text
from bot.core.reply import Action, Reply, Table
from bot.core.rules import Rule, RuleState, rule_text
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of
from bot.core.text import LABELS, age_text, percent_text, price_text
from bot.core.view import View

DAY = timedelta(hours=24)
RINGS_SHOWN = 5
SHOWN = ("hvl", "call_resistance", "put_support")


def digest_card(snapshots: Mapping[str, Snapshot | None], rang: Sequence[str], view: View) -> Reply:
    """A table each symbol, by symbol; `rang` are lines about the last 24 hours."""
    missing = tuple(
        f"{coin_of(symbol)}: no data yet" for symbol, one in snapshots.items() if not one
    )
    tables = tuple(_table(one, view) for one in snapshots.values() if one)
    stale = any(one and view.is_stale(one) for one in snapshots.values())
    return Reply(
        f"Daily digest, {minute_text(view.now, view.zone)}",
        tables=tables,
        lines=(*missing, *(rang or ("Nothing rang in the last 24 h.",))),
        actions=tuple(
            Action(f"{coin_of(symbol)} levels", f"levels {coin_of(symbol).lower()}")
            for symbol in snapshots
        ),
        tone="stale" if stale else "neutral",
    )


def digest_text(snapshots: Mapping[str, Snapshot | None]) -> str:
    """The digest in one line."""
    told = [
        f"{coin_of(one.symbol)} {price_text(one.spot)} {one.levels.regime or 'regime not known'}"
        for one in snapshots.values()
        if one
    ]
    return f"Daily digest: {'; '.join(told) or 'no data yet'}"


def rings_of_day(
    rules: Sequence[Rule], states: Mapping[str, RuleState], view: View
) -> tuple[str, ...]:
    """The rules that rang in the last 24 hours, a line each, the latest first."""
    rang = [
        (states[rule.id].rang_at, rule)
        for rule in rules
        if rule.id in states and view.now - states[rule.id].rang_at <= DAY
    ]
    latest = sorted(rang, key=lambda one: one[0], reverse=True)
    lines = [f"rang {until_text(at, view.zone, view.now)}: {rule_text(r)}" for at, r in latest]
    more = len(lines) - RINGS_SHOWN
    return (*lines[:RINGS_SHOWN], *([f"… and {more} more rules"] if more > 0 else []))


def _table(snapshot: Snapshot, view: View) -> Table:
    """Spot, regime and age above the main levels, the expected move below."""
    levels, spot = snapshot.levels, snapshot.spot
    stale = "STALE, " if view.is_stale(snapshot) else ""
    age = age_text(view.now - snapshot.heard_at)
    regime = levels.regime or "regime not known"
    title = f"{coin_of(snapshot.symbol)} {price_text(spot)}, {regime}, {stale}{age} old"
    prices = {LABELS[name]: getattr(levels.all_expiry, name) for name in SHOWN}
    if move := levels.expected_move:
        prices |= {"1D Max": move.upper_1sd, "1D Min": move.lower_1sd}
    rows = (
        (name, price_text(price), "" if price is None else percent_text(price / spot - 1))
        for name, price in prices.items()
    )
    return Table(title, (), tuple(rows))
