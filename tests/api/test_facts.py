"""Meta that is made once for a snapshot."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.facts import Facts
from bot.api.schema import RateLimit, meta
from tests.api.serving import CHAIN
from tests.fakes import NOON, make_snapshot

SNAPSHOT = make_snapshot(CHAIN, at=NOON)
STALE_AFTER = timedelta(minutes=3)
LIMIT = RateLimit(60, 59, 1_000_000_020)


@given(
    st.lists(st.timedeltas(timedelta(0), timedelta(days=2)), min_size=1, max_size=4),
    st.sampled_from([None, ("deribit",), ("deribit", "okx")]),
)
def test_brought_up_to_date_it_is_as_if_made_anew(ages, venues):
    facts = Facts(SNAPSHOT, venues, STALE_AFTER, simulated=False)

    for age in ages:
        told = facts.at(NOON + age, f"at-{age.total_seconds()}", LIMIT)

        anew = meta(SNAPSHOT, NOON + age, f"at-{age.total_seconds()}", venues)
        anew.rate_limit = LIMIT
        anew.extra.stale = NOON + age - SNAPSHOT.heard_at > STALE_AFTER
        assert msgspec.json.encode(told) == msgspec.json.encode(anew)


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_market_is_marked_and_no_other(simulated):
    told = Facts(SNAPSHOT, None, STALE_AFTER, simulated=simulated).at(NOON, "one", LIMIT)

    assert ("simulated" in msgspec.to_builtins(told)) is simulated


@pytest.mark.parametrize("stale", [True, False])
def test_what_was_stale_when_it_was_computed_stays_so(stale):
    facts = Facts(replace(SNAPSHOT, stale=stale), None, STALE_AFTER, simulated=False)

    assert facts.at(NOON, "one", LIMIT).extra.stale is stale
