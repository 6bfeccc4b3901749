"""What buttons carry: nobody else can make it."""

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.buttons import BESIDE, Press, Signer

LINES = st.text(min_size=1).filter(lambda line: not line.startswith(BESIDE))
SIGNER = Signer("key")


@given(line=LINES, beside=st.booleans())
def test_what_was_signed_is_read_again(line, beside):
    data = SIGNER.sign(line, 10_000, beside=beside)

    assert SIGNER.read(data) == Press(line, beside)


@given(line=LINES, other=LINES, data=st.text())
def test_what_was_not_signed_is_no_press(line, other, data):
    signed = SIGNER.sign(line, 10_000)

    assert Signer("another").read(signed) is None
    assert SIGNER.read(data) is None
    if other != line:
        assert SIGNER.read(signed.removesuffix(line) + other) is None


def test_half_a_character_is_no_press():
    for data in ("\udcff" * 20, "AAAAAAAA\ud800"):
        assert SIGNER.read(data) is None


def test_a_line_that_is_too_long_is_not_signed():
    line = "levels btc"
    whole = len(SIGNER.sign(line, 64))

    assert SIGNER.sign(line, whole)
    assert SIGNER.sign(line, whole - 1) is None
    assert SIGNER.sign(line, whole, beside=True) is None
