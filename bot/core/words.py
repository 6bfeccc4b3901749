"""Small things about words: the nearest one that is known, months that no locale changes."""

import difflib
from collections.abc import Iterable

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def suggest(word: str, known: Iterable[str], otherwise: str) -> str:
    """The known word that was probably meant, as a question; else what to do instead."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else otherwise
