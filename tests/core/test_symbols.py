import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.symbols import coin_of, find_symbol, symbol_of
from bot.errors import UserError
from tests.service.builders import SYMBOLS


@pytest.mark.parametrize("text", ["btc", "BTC", " Btc ", "BTCUSDT", "btcusd", "btc-usd", "$btc"])
def test_however_it_is_typed_it_is_one_symbol(text):
    assert find_symbol(text, SYMBOLS) == "BTCUSDT"


@pytest.mark.parametrize(
    ("text", "meant"), [("bct", "BTC"), ("etc", "ETH"), ("HYP", "HYPE"), ("solusdtt", "SOL")]
)
def test_a_typo_gets_the_nearest_symbol(text, meant):
    with pytest.raises(UserError, match=f"did you mean {meant}"):
        find_symbol(text, SYMBOLS)


@pytest.mark.parametrize("text", ["zzz", "", "$"])
def test_what_resembles_nothing_gets_the_list(text):
    with pytest.raises(UserError, match="known: BTC, ETH, SOL, HYPE"):
        find_symbol(text, SYMBOLS)


@given(st.text())
def test_whatever_is_typed_is_a_known_symbol_or_a_users_error(text):
    try:
        answer = find_symbol(text, SYMBOLS)
    except UserError as error:
        answer = str(error)

    assert answer in SYMBOLS or answer.isprintable()


@given(st.from_regex(r"[A-Z0-9]{1,10}", fullmatch=True))
def test_a_coin_and_its_symbol_name_each_other(coin):
    assert coin_of(symbol_of(coin)) == coin
