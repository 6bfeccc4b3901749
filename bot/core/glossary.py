"""What each word means, in one sentence."""

import re
from collections.abc import Mapping

from bot.core.words import suggest
from bot.errors import UserError

TERMS: Mapping[str, str] = {
    "GEX": (
        "gamma exposure: the USD of delta that dealers must trade when spot rises 1 %, by "
        "Black-76 from open interest and IV; that dealers are long the calls and short the puts "
        "is an assumption, not an observation."
    ),
    "Net GEX": (
        "the GEX of all live options at spot, calls plus and puts minus, in USD per +1 %: above "
        "zero dealers damp moves, below zero they amplify them, if the assumption behind GEX holds."
    ),
    "HVL": (
        "high volatility level: the strike at which the running sum of net GEX, taken from the "
        "lowest strike up, turns to the opposite sign; of several the one nearest to spot."
    ),
    "Call Resistance": (
        "the strike at or above spot with the largest positive net GEX: where dealers' selling "
        "into a rise is strongest."
    ),
    "Put Support": (
        "the strike at or below spot with the most negative net GEX: the largest concentration "
        "of put gamma beneath the market."
    ),
    "Call Wall": (
        "one of the three strikes at or above spot with the largest positive net GEX; the first "
        "is call resistance, the others are call wall 2 and 3."
    ),
    "Put Wall": (
        "one of the three strikes at or below spot with the most negative net GEX; the first is "
        "put support, the others are put wall 2 and 3."
    ),
    "Flip": (
        "a price at which total GEX, re-priced as if spot stood there with every IV kept at its "
        "strike, changes its sign."
    ),
    "Flip Zone": (
        "the band around a flip in which total GEX stays below 5 % of its peak within 25 % of "
        "spot; - below, + above means that GEX is negative under it and positive over it."
    ),
    "Max Pain": (
        "the listed strike at which one expiry pays its holders the least in total; payout is "
        "that total in USD."
    ),
    "Expected Move": (
        "how far spot is expected to go in one day, from the at-the-money IV of the nearest "
        "expiry more than an hour away: one standard deviation, and two."
    ),
    "Regime": (
        "the sign of net GEX at spot: positive or negative, and neutral inside a flip zone."
    ),
    "0DTE": (
        "zero days to expiry: the options that expire within 24 hours; levels marked 0DTE are "
        "computed from these alone."
    ),
    "All Expiry": "every live option, whatever its expiry: the set behind levels without 0DTE.",
    "Spot": (
        "the price of the coin: the newest tick, live the median of the venues' index prices, "
        "when it is at most 30 minutes old; else the median index in the option chains."
    ),
    "Perps Price": "the median mark price of the venues' perpetual futures.",
    "Strike": "the price at which an option lets its holder buy (call) or sell (put).",
    "Expiry": "when an option ends, 08:00 UTC on these venues; from then on it counts nowhere.",
    "Open Interest": (
        "options that are held open, counted in coins of the underlying; venues that count "
        "contracts are converted."
    ),
    "IV": (
        "implied volatility: the yearly volatility that an option's price implies; below 1 % or "
        "above 500 % it is taken for an error and the option has no gamma."
    ),
    "ATM IV": (
        "the IV at the money: per strike the mean of calls and puts, read between the strikes on "
        "both sides of the expiry's forward."
    ),
    "Forward": "the price of the coin for delivery at an expiry, as the venue quotes it.",
    "GEX Share": (
        "the part of all GEX, calls and puts both counted as positive, that one expiry holds."
    ),
    "Top Strikes": ("the ten strikes with the largest net GEX of either sign, the largest first."),
    "From Spot": "the distance of a price from spot in % of spot: + above, - below.",
    "Crossing": (
        "spot passes a level that was shown, by more than the buffer, coming from its other "
        "side; a level that jumps over a still spot has moved and is no crossing."
    ),
    "Buffer": (
        "how far beyond a level spot must get before it counts as crossed, 0.05 % unless a rule "
        "says otherwise; it must come back as far before it can cross again."
    ),
    "Moved": (
        "a level stands elsewhere than when its last move was reported, by 1 % unless a rule "
        "says otherwise; the message says why."
    ),
    "Cooldown": "how long a rule keeps silent after it rang, 15 minutes unless it says otherwise.",
    "Late": (
        "said of a ring for something that happened while the program was down, with the time at "
        "which it happened."
    ),
    "Stale": "data older than the limit set for it: it is shown with this mark and rings nothing.",
    "Venue": (
        "an exchange whose options are read; the line under a card names those that were heard, "
        "how long ago, and those that were not, with the reason."
    ),
    "Dropped": (
        "options that count less or not at all because their venue gave no usable IV, open "
        "interest or forward, or an unreadable row."
    ),
    "Default Pack": (
        "the rules that ring in the terminal while nobody has set any: crossings of HVL, call "
        "resistance, put support and flips, regime changes, moves of 1 %."
    ),
    "Simulated": "the market is made up by the program itself: nothing here is a real price.",
}

ALIASES: Mapping[str, str] = {
    "gamma exposure": "GEX",
    "gamma": "GEX",
    "dealers": "GEX",
    "total gex": "Net GEX",
    "netgex": "Net GEX",
    "high volatility level": "HVL",
    "resistance": "Call Resistance",
    "cr": "Call Resistance",
    "support": "Put Support",
    "ps": "Put Support",
    "call wall 2": "Call Wall",
    "call wall 3": "Call Wall",
    "call walls": "Call Wall",
    "walls": "Call Wall",
    "put wall 2": "Put Wall",
    "put wall 3": "Put Wall",
    "put walls": "Put Wall",
    "flips": "Flip",
    "gamma flip": "Flip",
    "zero gamma": "Flip",
    "gamma flip zone": "Flip Zone",
    "gamma flip zones": "Flip Zone",
    "flip zones": "Flip Zone",
    "edge": "Flip Zone",
    "maxpain": "Max Pain",
    "payout": "Max Pain",
    "move": "Expected Move",
    "em": "Expected Move",
    "1d max": "Expected Move",
    "1d min": "Expected Move",
    "1d max 1 sd": "Expected Move",
    "1d min 1 sd": "Expected Move",
    "1d max 2 sd": "Expected Move",
    "1d min 2 sd": "Expected Move",
    "em upper 1sd": "Expected Move",
    "em lower 1sd": "Expected Move",
    "em upper 2sd": "Expected Move",
    "em lower 2sd": "Expected Move",
    "sd": "Expected Move",
    "odte": "0DTE",
    "zero dte": "0DTE",
    "all expiries": "All Expiry",
    "spot price": "Spot",
    "index": "Spot",
    "perp": "Perps Price",
    "perpetual": "Perps Price",
    "expiries": "Expiry",
    "oi": "Open Interest",
    "implied volatility": "IV",
    "vol": "IV",
    "top": "Top Strikes",
    "ranked": "Top Strikes",
    "distance": "From Spot",
    "distance pct": "From Spot",
    "cross": "Crossing",
    "crossed": "Crossing",
    "moves": "Moved",
    "exchange": "Venue",
    "exchanges": "Venue",
    "data": "Venue",
    "pack": "Default Pack",
}


SAME = {name.lower(): name for name in TERMS} | dict(ALIASES)


def explain(term: str) -> str:
    """The term's meaning in one sentence, or the list of terms. Raises UserError with a hint."""
    words = re.findall(r"[a-z0-9]+", term.lower())
    if not words:
        return f"explain one of: {', '.join(TERMS)}"
    apart = [word for word in words if word not in ("0dte", "odte")]  # HVL 0DTE is an HVL
    name = SAME.get(" ".join(words)) or SAME.get(" ".join(apart))
    if name is None:
        near = suggest(" ".join(words), SAME, "explain alone lists the terms")
        raise UserError(f"no term {term!r}; {near}")
    return f"{name}: {TERMS[name]}"
