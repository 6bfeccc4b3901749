"""Words that only we can have written."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.seals import Seal

SEAL = Seal("key", "session")
WORDS = st.text(st.characters(codec="utf-8"), max_size=60)


@given(WORDS)
def test_what_was_closed_is_read_until_its_time_is_over(words):
    token = SEAL.close(words, 100)

    assert SEAL.open(token, 99.9) == words
    assert SEAL.open(token, 100) is None


@given(WORDS)
def test_another_key_or_another_purpose_reads_nothing(words):
    token = SEAL.close(words, 100)

    assert Seal("other", "session").open(token, 0) is None
    assert Seal("key", "pass").open(token, 0) is None


@given(WORDS, st.integers(0), st.characters())
def test_a_changed_letter_is_seen(words, position, letter):
    token = SEAL.close(words, 100)
    at = position % len(token)
    changed = token[:at] + letter + token[at + 1 :]

    assert changed == token or SEAL.open(changed, 0) is None


@given(st.text())
def test_what_was_made_up_is_none_of_ours(token):
    assert SEAL.open(token, 0) is None


def test_a_token_is_letters_and_digits_which_no_chat_formats():
    body, tag = SEAL.close("telegram:7 _*~`", 100).split(".")

    assert (body + tag).isalnum()
