"""Small things about words: the nearest one that is known, months that no locale changes."""

import difflib
import re
from collections.abc import Iterable

MOST = 25  # choices in one menu: Discord takes no more
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def suggest(word: str, known: Iterable[str], otherwise: str) -> str:
    """The known word that was probably meant, as a question; else what to do instead."""
    near = nearest(word, known)
    return f"did you mean {near}?" if near else otherwise


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like it, if any does."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return near[0] if near else None


def fitting(text: str, known: Iterable[str]) -> list[str]:
    """The words that contain what was typed, those that begin with it first; at most 25."""
    typed = text.strip().lower()
    found = [word for word in known if typed in word.lower()]
    return sorted(found, key=lambda word: not word.lower().startswith(typed))[:MOST]


def fitting_list(text: str, known: Iterable[str]) -> list[str]:
    """Lists that begin as typed, each with one more of the words in place of the last."""
    *before, last = re.split(r"[ ,]+", text.lstrip().lower())
    words = [word for word in known if word.lower() not in before]
    return [" ".join([*before, word]) for word in fitting(last, words)]
