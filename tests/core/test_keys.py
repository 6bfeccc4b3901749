import re

from hypothesis import given
from hypothesis import strategies as st

from bot.core.keys import RANDOM_BYTES, ApiKey, digest_of, find_key, make_key
from tests.fakes import NOON

RANDOM = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


def kept(key, name="desk"):
    return ApiKey(name, digest_of(key), 60, NOON)


@given(RANDOM)
def test_a_key_has_its_prefix_and_32_characters(random):
    assert re.fullmatch("gb_live_[a-z2-7]{32}", make_key(random))


@given(st.sets(RANDOM, min_size=2))
def test_different_randomness_makes_different_keys(randoms):
    assert len({make_key(random) for random in randoms}) == len(randoms)


@given(RANDOM)
def test_what_is_kept_does_not_tell_the_key(random):
    key = make_key(random)

    assert key.removeprefix("gb_live_") not in repr(kept(key))


@given(st.lists(RANDOM, min_size=1, max_size=5, unique=True), st.data())
def test_each_key_is_found_among_the_others(randoms, data):
    keys = list(map(make_key, randoms))
    wanted = data.draw(st.sampled_from(keys))

    assert find_key(wanted, [kept(key, key) for key in keys]) == kept(wanted, wanted)


@given(st.text(st.characters(codec=None)))
def test_no_other_text_is_a_key(text):
    assert find_key(text, [kept(make_key(bytes(RANDOM_BYTES)))]) is None
