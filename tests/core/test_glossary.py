import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.glossary import ALIASES, TERMS, explain
from bot.core.rules import LEVEL_NAMES
from bot.core.text import LABELS
from bot.errors import UserError


@pytest.mark.parametrize(
    "term",
    [
        *TERMS,
        *ALIASES,
        *LEVEL_NAMES,
        *LABELS.values(),
        *(f"{name} 0DTE" for name in ("HVL", "Call Resistance", "Put Support")),
    ],
)
def test_every_word_that_the_cards_and_rules_use_is_explained_in_one_sentence(term):
    text = explain(term)

    assert re.fullmatch(r"[^:]+: [^.]+(?:\.\d[^.]*)*\.", text)


def test_gex_says_that_the_dealers_side_is_assumed_and_not_observed():
    assert "an assumption, not an observation" in explain("gex")


@pytest.mark.parametrize(
    "typed", ["Call_Resistance", "call-resistance", " CALL  RESISTANCE ", "CR"]
)
def test_a_term_may_be_written_in_several_ways(typed):
    assert explain(typed).startswith("Call Resistance: ")


def test_a_typo_gets_the_nearest_term():
    with pytest.raises(UserError, match="did you mean max pain"):
        explain("max pian")


def test_nonsense_gets_the_way_to_the_list():
    with pytest.raises(UserError, match="explain alone lists the terms"):
        explain("qqqqqqqq")


def test_without_a_term_all_are_listed():
    text = explain("")

    assert all(term in text for term in TERMS)


@given(st.text())
def test_any_text_is_explained_or_refused(text):
    with contextlib.suppress(UserError):
        assert explain(text)
