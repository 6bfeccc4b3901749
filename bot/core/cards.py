"""Cards: a snapshot in words and tables that fit a phone and need no picture."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from bot.core.chain import Floats, OptionChain, from_milliseconds
from bot.core.events import ODTE_LEVELS, SET_LEVELS, Alert
from bot.core.gex import LiveRows, exposure, live_rows
from bot.core.levels import RankedStrike, expiry_atm_iv, max_pain
from bot.core.reply import Action, Field, Menu, Reply, Table, mark_simulated
from bot.core.rings import BELL, TONES
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of
from bot.core.text import LABELS, money_text, percent_text, price_text
from bot.core.view import View
from bot.core.words import MONTHS, MOST
from bot.core.zones import FlipZone

LADDER = ("Level", "Price", "Away")
REGIMES = {
    "positive": "positive: dealers damp moves",
    "negative": "negative: dealers amplify moves",
    "neutral": "neutral: dealers hardly trade",
    None: "not known",
}
DIRECTIONS = {
    "negative_to_positive": "- below, + above",
    "positive_to_negative": "+ below, - above",
    "unchanged": "same sign around",
}
REASONS = {
    "iv_unusable": "without a usable IV",
    "oi_unusable": "without a usable OI",
    "forward_missing": "without a forward",
    "row_unreadable": "unreadable",
    "row_stale": "too old",
}
NOTABLE = 0.05  # of the rows: fewer unusable ones are every day's
THEMES = ("dark", "light")  # of charts; the first is the default
CHARTS = {"profile": "GEX by strike", "price": "price and levels"}
NOTICE = "⚠️ Notice"
ZONES_SHOWN = 2  # on the card of all levels


def levels_card(
    snapshot: Snapshot,
    view: View,
    *,
    odte: bool = False,
    alone: Sequence[str] = (),
    symbols: Sequence[str] = (),
) -> Reply:
    """Every level, or those of the next 24 hours; `alone` are the venues it was reduced to.

    `symbols` are those that it may be changed to.
    """
    coin = coin_of(snapshot.symbol)
    state = (_spot(snapshot), _regime(snapshot))
    card = Reply(
        title=f"{coin} {'0DTE ' if odte else ''}levels{_alone(alone)}",
        fields=state if odte else (*state, _net_gex(snapshot), *_max_pain(snapshot, view.now)),
        tables=_odte_tables(snapshot) if odte else _all_tables(snapshot),
        lines=() if odte else _more_zones(snapshot),
        tone=TONES.get(snapshot.levels.regime, "neutral"),
        actions=_levels_actions(snapshot, alone, odte=odte),
        menus=_symbol_menu(symbols, odte=odte),
    )
    return _dated(card, snapshot, view)


def _levels_actions(snapshot: Snapshot, alone: Sequence[str], *, odte: bool) -> tuple[Action, ...]:
    name = coin_of(snapshot.symbol).lower()
    levels = snapshot.levels.odte if odte else snapshot.levels.all_expiry
    ring = Action("Alert me at HVL", f"alert add {name} {'odte.' if odte else ''}hvl cross any")
    return (
        Action("Refresh", _levels_line(name, alone, odte=odte)),
        Action("All expiries" if odte else "0DTE", _levels_line(name, alone, odte=not odte)),
        Action("Profile", f"chart {name} profile"),
        Action("Price", f"chart {name} price"),
        *((ring,) if levels.hvl is not None else ()),
    )


def _levels_line(name: str, alone: Sequence[str], *, odte: bool) -> str:
    return " ".join(["levels", name, *(["0dte"] if odte else []), *alone])


def _symbol_menu(symbols: Sequence[str], *, odte: bool) -> tuple[Menu, ...]:
    coins = [coin_of(symbol) for symbol in symbols[:MOST]]
    actions = (Action(coin, _levels_line(coin.lower(), (), odte=odte)) for coin in coins)
    return (Menu("Symbol", tuple(actions)),) if len(coins) > 1 else ()


def top_card(snapshot: Snapshot, view: View) -> Reply:
    """The ten strikes with the most gamma exposure."""
    coin = coin_of(snapshot.symbol)
    ranked = snapshot.levels.ranked
    interest = tuple((price_text(s.strike), _short(s.call_oi), _short(s.put_oi)) for s in ranked)
    card = Reply(
        f"{coin} top strikes by GEX",
        fields=(_spot(snapshot),),
        tables=(
            _ranked("", ranked),
            Table(f"Open interest, {coin}", ("Strike", "Calls", "Puts"), interest),
        )
        if ranked
        else (),
        lines=() if ranked else (f"none: {_why_no_gamma(snapshot)}",),
    )
    return _dated(card, snapshot, view)


def max_pain_card(chain: OptionChain, snapshot: Snapshot, view: View) -> Reply:
    """Max pain of every expiry that has open interest."""
    coin = coin_of(snapshot.symbol)
    strikes, payouts = [], []
    for expiry, rows in _by_expiry(live_rows(chain, snapshot.spot, snapshot.at)):
        calls, puts = _call_and_put_oi(rows)
        if calls + puts > 0:
            pain = max_pain(rows)
            away = percent_text(pain.strike / snapshot.spot - 1)
            strikes.append((expiry, _left(pain.expiry - view.now), price_text(pain.strike), away))
            payouts.append((expiry, money_text(pain.value), _short(calls + puts)))
    tables = (
        Table("", ("Expiry", "Left", "Max pain", "Away"), tuple(strikes)),
        Table("Payout and open interest", ("Expiry", "Payout", f"OI, {coin}"), tuple(payouts)),
    )
    card = Reply(
        f"{coin} max pain by expiry",
        fields=(_spot(snapshot),),
        tables=tables if strikes else (),
        lines=() if strikes else ("none: no open interest",),
    )
    return _dated(card, snapshot, view)


def move_card(snapshot: Snapshot, view: View) -> Reply:
    """The one-day expected move."""
    move = snapshot.levels.expected_move
    fields: tuple[Field, ...] = (_spot(snapshot),)
    if move:
        iv = math.log(move.upper_1sd / snapshot.spot) * math.sqrt(365)
        fields += (Field("ATM IV", f"{iv * 100:.1f}% a year"),)
    card = Reply(
        f"{coin_of(snapshot.symbol)} expected move, 1 day",
        fields=fields,
        tables=_move_tables(snapshot, "", LADDER),
        lines=() if move else ("none: no expiry over an hour away has a usable IV",),
    )
    return _dated(card, snapshot, view)


def flip_card(snapshot: Snapshot, view: View) -> Reply:
    """Every flip zone."""
    zones = snapshot.levels.gamma_flip_zones
    none = "none: total GEX keeps its sign from half of spot to one and a half"
    if snapshot.levels.net_gex is None:
        none = f"none: {_why_no_gamma(snapshot)}"
    card = Reply(
        f"{coin_of(snapshot.symbol)} gamma flip zones",
        fields=(_spot(snapshot), _regime(snapshot), _net_gex(snapshot)),
        tables=tuple(_zone_table(zone, snapshot.spot) for zone in zones),
        lines=() if zones else (none,),
        tone=TONES.get(snapshot.levels.regime, "neutral"),
    )
    return _dated(card, snapshot, view)


def expiries_card(chain: OptionChain, snapshot: Snapshot, view: View) -> Reply:
    """What each expiry holds: open interest, IV, its share of GEX, max pain."""
    coin = coin_of(snapshot.symbol)
    live = live_rows(chain, snapshot.spot, snapshot.at)
    gross = float(np.abs(exposure(live)).sum())
    interest, shares = [], []
    for expiry, rows in _by_expiry(live):
        calls, puts = _call_and_put_oi(rows)
        iv = expiry_atm_iv(rows)
        share = float(np.abs(exposure(rows)).sum()) / gross if gross else None
        ratio = _ratio(puts / calls) if calls else "none"
        left = _left(from_milliseconds(int(rows.expiry[0])) - view.now)
        pain = price_text(max_pain(rows).strike) if calls + puts > 0 else "none"
        interest.append((expiry, left, _short(calls), _short(puts), ratio))
        shares.append((expiry, _unsigned_percent(iv), _unsigned_percent(share), pain))
    tables = (
        Table(
            f"Open interest, {coin}", ("Expiry", "Left", "Calls", "Puts", "P/C"), tuple(interest)
        ),
        Table(
            "ATM IV a year; share of all GEX",
            ("Expiry", "ATM IV", "GEX share", "Max pain"),
            tuple(shares),
        ),
    )
    card = Reply(
        f"{coin} expiries",
        fields=(_spot(snapshot),),
        tables=tables if interest else (),
        lines=() if interest else ("none: every option has expired",),
    )
    return _dated(card, snapshot, view)


def chart_card(snapshot: Snapshot, view: View, kind: str = "profile", theme: str = "") -> Reply:
    """What a chart shows, in the few words that go with it; its buttons keep a theme asked for."""
    coin, name = coin_of(snapshot.symbol), coin_of(snapshot.symbol).lower()
    other = "price" if kind == "profile" else "profile"
    style = f" {theme}" if theme else ""
    card = Reply(
        f"{coin} {CHARTS[kind]}",
        fields=(_spot(snapshot), _regime(snapshot), _net_gex(snapshot)),
        picture_first=True,
        tone=TONES.get(snapshot.levels.regime, "neutral"),
        actions=(
            Action("Refresh", f"chart {name} {kind}{style}"),
            Action(other.capitalize(), f"chart {name} {other}{style}"),
            Action("Levels", f"levels {name}"),
        ),
    )
    return _dated(card, snapshot, view)


def ring_card(alert: Alert, *, simulated: bool) -> Reply:
    """A ring, notice or digest as every chat shows it."""
    title = f"{BELL} {coin_of(alert.symbol)}" if alert.symbol else NOTICE
    card = alert.card or Reply(title, lines=tuple(alert.text.splitlines()))
    if alert.symbol and not card.actions:
        card = replace(card, actions=_ring_actions(alert))
    return mark_simulated(card) if simulated else card


def _ring_actions(alert: Alert) -> tuple[Action, ...]:
    name = coin_of(alert.symbol).lower()
    pause = (Action("Pause alert", f"alert pause {alert.rule}"),) if alert.rule.isdigit() else ()
    return (
        Action("Levels", f"levels {name}"),
        Action("Chart", f"chart {name} price"),
        Action("Snooze 1 h", "snooze 1h"),
        *pause,
    )


def _dated(card: Reply, snapshot: Snapshot, view: View) -> Reply:
    """The card with what it left out, and the age and origin of its data."""
    return view.dated(replace(card, footer=_dropped(snapshot)), snapshot)


def _spot(snapshot: Snapshot) -> Field:
    return Field("Spot", price_text(snapshot.spot))


def _regime(snapshot: Snapshot) -> Field:
    return Field("Regime", REGIMES[snapshot.levels.regime])


def _net_gex(snapshot: Snapshot) -> Field:
    net = snapshot.levels.net_gex
    none = f"none: {_why_no_gamma(snapshot)}"
    return Field("Net GEX", none if net is None else f"{_signed(net)} per +1%")


def _max_pain(snapshot: Snapshot, now: datetime) -> tuple[Field, ...]:
    pain = snapshot.levels.max_pain
    if not pain:
        return (Field("Max pain", "none: no open interest"),)
    away = percent_text(pain.strike / snapshot.spot - 1)
    expiry = f"{_expiry(pain.expiry)}, {_left(pain.expiry - now)} left"
    return (
        Field("Max pain", f"{price_text(pain.strike)} ({away})"),
        Field("Payout", f"{money_text(pain.value)} on {expiry}"),
    )


def _all_tables(snapshot: Snapshot) -> tuple[Table, ...]:
    levels = snapshot.levels
    walls = {LABELS[name]: getattr(levels.all_expiry, name) for name in SET_LEVELS}
    today = {LABELS[name]: getattr(levels.odte, name) for name in ODTE_LEVELS}
    shown = [zone for zone in levels.gamma_flip_zones if zone in _nearest_zones(snapshot)]
    return (
        _ladder("", walls, snapshot.spot),
        _ladder("0DTE: expiring within 24 h", today, snapshot.spot),
        *(_zone_table(zone, snapshot.spot) for zone in shown),
        *_move_tables(snapshot, "Expected move, 1 day", ()),
    )


def _odte_tables(snapshot: Snapshot) -> tuple[Table, ...]:
    levels = snapshot.levels
    today = {LABELS[name]: getattr(levels.odte, name) for name in ODTE_LEVELS}
    ranked = levels.ranked_odte
    top = (_ranked("Top strikes by GEX", ranked),) if ranked else ()
    return (_ladder("", today, snapshot.spot), *top)


def _ranked(title: str, strikes: Sequence[RankedStrike]) -> Table:
    rows = (
        (price_text(s.strike), _signed(s.net_gex), percent_text(s.distance_pct / 100))
        for s in strikes
    )
    return Table(title, ("Strike", "GEX per +1%", "Away"), tuple(rows))


def _ladder(title: str, prices: Mapping[str, float | None], spot: float) -> Table:
    """The levels as a ladder, the highest on top, spot in its place, what is absent below."""
    known = {name: price for name, price in prices.items() if price is not None}
    absent = [(name, price_text(None), "") for name, price in prices.items() if price is None]
    steps = sorted(known.items(), key=lambda step: -step[1])
    above = [_step(name, price, spot) for name, price in steps if price >= spot]
    below = [_step(name, price, spot) for name, price in steps if price < spot]
    here = [("→ Spot", price_text(spot), "")] if known else []
    return Table(title, () if title else LADDER, (*above, *here, *below, *absent))


def _step(name: str, price: float, spot: float) -> tuple[str, str, str]:
    return name, price_text(price), percent_text(price / spot - 1)


def _zone_table(zone: FlipZone, spot: float) -> Table:
    """One flip zone, its upper edge on top."""
    flips = [_step("Flip", flip, spot) for flip in reversed(zone.flips)]
    upper = _step("Upper edge", zone.upper, spot)
    lower = _step("Lower edge", zone.lower, spot)
    return Table(f"Flip zone: {DIRECTIONS[zone.direction]}", (), (upper, *flips, lower))


def _nearest_zones(snapshot: Snapshot) -> Sequence[FlipZone]:
    zones = snapshot.levels.gamma_flip_zones
    return sorted(zones, key=lambda zone: abs(zone.distance_pct))[:ZONES_SHOWN]


def _more_zones(snapshot: Snapshot) -> tuple[str, ...]:
    count = len(snapshot.levels.gamma_flip_zones)
    if not count:
        return ("Flip zones: none",)
    more = count - ZONES_SHOWN
    return (f"Flip zones: {more} more; see flip",) if more > 0 else ()


def _move_tables(snapshot: Snapshot, title: str, columns: tuple[str, ...]) -> tuple[Table, ...]:
    move = snapshot.levels.expected_move
    if not move:
        return ()
    bands = ("upper_2sd", "upper_1sd", "lower_1sd", "lower_2sd")
    rows = (_step(LABELS[f"em_{name}"], getattr(move, name), snapshot.spot) for name in bands)
    return (Table(title, columns, tuple(rows)),)


def _alone(venues: Sequence[str]) -> str:
    return f", {' and '.join(venues)} alone" if venues else ""


def _dropped(snapshot: Snapshot) -> tuple[str, ...]:
    """What could not be used of the rows, when it is enough to matter."""
    rows = sum(source.rows for source in snapshot.sources)
    counts = {why: count for why, count in snapshot.levels.dropped.items() if why != "expired"}
    if sum(counts.values()) < max(1, NOTABLE * rows):
        return ()
    named = ", ".join(
        f"{count:,} {REASONS.get(why, why.replace('_', ' '))}" for why, count in counts.items()
    )
    return (f"of {rows:,} options {named}",)


def _why_no_gamma(snapshot: Snapshot) -> str:
    dropped = snapshot.levels.dropped
    live = sum(source.rows for source in snapshot.sources) - dropped.get("expired", 0)
    if live <= 0:
        return "no live option"
    if dropped.get("iv_unusable", 0) >= live:
        return "no usable IV"
    return "no open interest with a usable IV"


def _by_expiry(rows: LiveRows) -> Iterator[tuple[str, LiveRows]]:
    """The rows of each expiry under its name, the nearest first."""
    for expiry in np.unique(rows.expiry):
        yield _expiry(from_milliseconds(int(expiry))), rows.take(rows.expiry == expiry)


def _call_and_put_oi(rows: LiveRows) -> tuple[float, float]:
    """Coins."""
    return _total(rows.oi[rows.is_call]), _total(rows.oi[~rows.is_call])


def _total(values: Floats) -> float:
    return float(values.sum())


def _expiry(moment: datetime) -> str:
    """As venues name it: 24APR26. Months by our own table: strftime's follow the locale."""
    return f"{moment.day}{MONTHS[moment.month - 1]}{moment:%y}"


def _left(time: timedelta) -> str:
    """The time left in its largest unit that says enough: 12 min, 27 h, 310 d."""
    hours = time / timedelta(hours=1)
    if hours <= 0:
        return "over"
    if hours < 1:
        return f"{math.ceil(hours * 60)} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def _ratio(value: float) -> str:
    """In four characters: 0.91, >999."""
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}" if value < 999.5 else ">999"


def _short(amount: float) -> str:
    """A number of coins, short: 12.3K, 850, 0.4."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if amount >= size:
            return f"{amount / size:.1f}{unit}"
    return f"{amount:.0f}" if amount >= 10 or amount == 0 else f"{amount:.1f}"


def _signed(amount: float) -> str:
    """A USD amount whose sign matters: +$12.3M."""
    return f"+{money_text(amount)}" if amount > 0 else money_text(amount)


def _unsigned_percent(fraction: float | None) -> str:
    return "none" if fraction is None else f"{fraction * 100:.1f}%"
