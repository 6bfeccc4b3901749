from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import cards
from bot.core.comparison import compare_card
from bot.core.events import Alert
from bot.core.reply import (
    NO_PICTURE,
    Action,
    Picture,
    Reply,
    Table,
    column_widths,
    plain_lines,
    with_picture,
)
from bot.core.snapshot import recompute
from bot.core.view import View
from tests.core import chains
from tests.core.chains import NAN
from tests.fakes import EXPIRIES, NOON, SPOT, make_chain, make_snapshot

LIMIT = timedelta(minutes=3)
VIEW = View(NOON, LIMIT)
PHONE = 34  # columns
OF_SNAPSHOT = (cards.levels_card, cards.top_card, cards.move_card, cards.flip_card)
OF_CHAIN = (cards.max_pain_card, cards.expiries_card)


def all_cards(chain, snapshot, now=NOON) -> list[Reply]:
    view = View(now, LIMIT)
    return [
        *(card(snapshot, view) for card in OF_SNAPSHOT),
        *(card(chain, snapshot, view) for card in OF_CHAIN),
        cards.levels_card(snapshot, view, odte=True),
        cards.chart_card(snapshot, view),
        compare_card(snapshot, alone(snapshot, chain), view),
    ]


def alone(snapshot, chain):
    """What each venue would say by itself."""
    venues = [source.venue for source in snapshot.sources]
    return [recompute(snapshot, chain, snapshot.at, [venue]) for venue in venues]


def field(card: Reply, name: str) -> str:
    return next(field.value for field in card.fields if field.name == name)


def table(card: Reply, title: str) -> Table:
    return next(table for table in card.tables if table.title.startswith(title))


def test_levels_are_a_ladder_with_spot_in_its_place_and_every_distance():
    card = cards.levels_card(make_snapshot(make_chain()), VIEW)

    assert card.title == "BTC levels"
    assert card.tables[0].rows == (
        ("HVL", "$90,000", "+12.50%"),
        ("Call Resistance", "$90,000", "+12.50%"),
        ("Call Wall 2", "$85,000", "+6.25%"),
        ("Call Wall 3", "$80,000", "+0.00%"),
        ("→ Spot", "$80,000", ""),
        ("Put Wall 2", "$75,000", "-6.25%"),
        ("Put Support", "$70,000", "-12.50%"),
        ("Put Wall 3", "$60,000", "-25.00%"),
    )
    assert table(card, "0DTE").rows[-1] == ("Put Support", "$75,000", "-6.25%")
    assert field(card, "Net GEX") == "+$2.9M per +1%"
    assert field(card, "Max pain") == "$80,000 (+0.00%)"
    assert field(card, "Payout") == "$2.4M on 3MAR26, 20 h left"


def test_a_level_that_does_not_exist_is_none_and_never_zero():
    chain = make_chain(lefts=[timedelta(days=18)])

    card = cards.levels_card(make_snapshot(chain), VIEW)

    assert table(card, "0DTE").rows == (
        ("HVL", "none", ""),
        ("Call Resistance", "none", ""),
        ("Put Support", "none", ""),
    )


def test_a_flip_zone_shows_its_edges_and_the_signs_on_both_sides():
    snapshot = make_snapshot(make_chain())
    zone = snapshot.levels.gamma_flip_zones[0]

    card = cards.flip_card(snapshot, VIEW)

    assert card.tables[0].title == "Flip zone: - below, + above"
    names, prices, away = zip(*card.tables[0].rows, strict=True)
    assert names == ("Upper edge", "Flip", "Lower edge")
    assert prices[1] == f"${zone.flip:,.1f}"
    assert away[1] == f"{zone.distance_pct:+.2f}%"


def test_zones_beyond_the_two_nearest_are_counted_and_left_to_the_flip_card():
    snapshot = make_snapshot(make_chain())
    zone = snapshot.levels.gamma_flip_zones[0]
    zones = tuple(
        replace(zone, flip=price, flips=(price,), distance_pct=(price / SPOT - 1) * 100)
        for price in (50_000.0, 70_000.0, 81_000.0)
    )
    snapshot = replace(snapshot, levels=replace(snapshot.levels, gamma_flip_zones=zones))

    card = cards.levels_card(snapshot, VIEW)

    flips = [t.rows[1][1] for t in card.tables if t.title.startswith("Flip zone")]
    assert flips == ["$70,000", "$81,000"]
    assert card.lines == ("Flip zones: 1 more; see flip",)
    assert len(cards.flip_card(snapshot, VIEW).tables) == 3


def test_every_card_says_how_old_its_data_is_and_who_is_missing():
    chain = make_chain(("deribit", "derive"))
    snapshot = make_snapshot(chain, left_out={"okx": "HTTP 451"})

    for card in all_cards(chain, snapshot, NOON + timedelta(seconds=42)):
        assert card.footer == (
            "as of 2026-03-02 12:00:00 UTC",
            "data: deribit, derive 42 s old; without okx (HTTP 451)",
        )


@pytest.mark.parametrize(
    ("later", "fields"), [(LIMIT * 2, {}), (timedelta(0), {"stale": True})], ids=["by age", "told"]
)
def test_old_data_is_marked_stale_on_every_card(later, fields):
    chain = make_chain()

    for card in all_cards(chain, make_snapshot(chain, **fields), NOON + later):
        assert card.title.endswith("· STALE")
        assert card.tone == "stale"
        assert card.footer[0] == "STALE: older than 3 min, nothing rings on it"


def test_without_any_iv_the_card_says_so_and_still_has_max_pain():
    chain = make_chain(iv=NAN)
    snapshot = make_snapshot(chain)

    levels = cards.levels_card(snapshot, VIEW)

    assert field(levels, "Net GEX") == "none: no usable IV"
    assert field(levels, "Regime") == "not known"
    assert field(levels, "Max pain") == "$80,000 (+0.00%)"
    assert cards.top_card(snapshot, VIEW).lines == ("none: no usable IV",)
    assert cards.flip_card(snapshot, VIEW).lines == ("none: no usable IV",)
    assert "usable IV" in cards.move_card(snapshot, VIEW).lines[0]


def test_a_chain_without_open_interest_is_told_from_one_without_iv():
    chain = make_chain()
    chain = replace(chain, oi=np.zeros(len(chain)))
    snapshot = make_snapshot(chain)

    levels = cards.levels_card(snapshot, VIEW)

    assert field(levels, "Net GEX") == "none: no open interest with a usable IV"
    assert field(levels, "Max pain") == "none: no open interest"
    assert cards.max_pain_card(chain, snapshot, VIEW).lines == ("none: no open interest",)


def test_a_chain_that_is_all_dead_is_said_to_be():
    chain = make_chain(lefts=[timedelta(0)])
    snapshot = make_snapshot(chain)

    levels = cards.levels_card(snapshot, VIEW)

    assert field(levels, "Net GEX") == "none: no live option"
    expiries = cards.expiries_card(chain, snapshot, VIEW)
    assert expiries.lines == ("none: every option has expired",)


@pytest.mark.parametrize(("broken", "told"), [(1, False), (20, True)])
def test_unusable_rows_are_named_when_they_are_many(broken, told):
    chain = make_chain()
    iv = chain.iv.copy()
    iv[:broken] = NAN
    snapshot = make_snapshot(replace(chain, iv=iv))

    card = cards.levels_card(snapshot, VIEW)

    assert ("of 42 options 20 without a usable IV" in card.footer) is told


def test_levels_of_the_day_have_their_own_strikes_by_gex():
    snapshot = make_snapshot(make_chain())

    card = cards.levels_card(snapshot, VIEW, odte=True, alone=["deribit"])

    assert card.title == "BTC 0DTE levels, deribit alone"
    assert len(table(card, "Top strikes").rows) == len(snapshot.levels.ranked_odte)
    assert [action.line for action in card.actions[:2]] == [
        "levels btc 0dte deribit",
        "levels btc deribit",
    ]


def test_top_strikes_come_largest_first_with_both_sides_of_the_book():
    card = cards.top_card(make_snapshot(make_chain()), VIEW)

    ranked, interest = card.tables
    assert ranked.rows[0] == ("$90,000", "+$2.2M", "+12.50%")
    assert len(ranked.rows) == len(interest.rows) == 7
    assert interest.rows[0] == ("$90,000", "2.7K", "150")


def test_max_pain_has_a_row_for_each_expiry_with_time_left_payout_and_interest():
    chain = make_chain()

    card = cards.max_pain_card(chain, make_snapshot(chain), VIEW)

    where, payout = card.tables
    assert [row[:2] for row in where.rows] == [
        ("3MAR26", "20 h"),
        ("20MAR26", "18 d"),
        ("18SEP26", "200 d"),
    ]
    assert where.rows[0][2:] == ("$80,000", "+0.00%")
    assert payout.rows[0] == ("3MAR26", "$2.4M", "5.1K")


def test_the_expected_move_tells_the_iv_it_comes_from():
    card = cards.move_card(make_snapshot(make_chain(iv=0.5)), VIEW)

    assert field(card, "ATM IV") == "50.0% a year"
    assert [row[0] for row in card.tables[0].rows] == [
        "1D Max (2 sd)",
        "1D Max (1 sd)",
        "1D Min (1 sd)",
        "1D Min (2 sd)",
    ]


def test_the_expiries_shares_of_gex_make_a_whole():
    chain = make_chain(("deribit", "derive"))

    card = cards.expiries_card(chain, make_snapshot(chain), VIEW)

    interest, shares = card.tables
    assert interest.rows[0] == ("3MAR26", "20 h", "4.0K", "3.6K", "0.91")
    total = sum(float(row[2].removesuffix("%")) for row in shares.rows)
    assert total == pytest.approx(100, abs=0.2)
    assert {row[1] for row in shares.rows} == {"50.0%"}


@pytest.mark.parametrize(
    ("kind", "theme", "title", "lines"),
    [
        ("profile", "", "BTC GEX by strike", ["chart btc profile", "chart btc price"]),
        (
            "price",
            "light",
            "BTC price and levels",
            ["chart btc price light", "chart btc profile light"],
        ),
    ],
)
def test_a_chart_leads_to_the_other_kind_in_the_same_colours(kind, theme, title, lines):
    card = cards.chart_card(make_snapshot(make_chain()), VIEW, kind, theme)

    assert card.title == title
    assert [action.line for action in card.actions] == [*lines, "levels btc"]


def test_a_minute_before_expiry_the_time_left_is_in_minutes():
    chain = make_chain(lefts=[timedelta(seconds=59), *EXPIRIES])

    card = cards.max_pain_card(chain, make_snapshot(chain), VIEW)
    after = cards.max_pain_card(
        chain, make_snapshot(chain), View(NOON + timedelta(minutes=1), LIMIT)
    )

    assert card.tables[0].rows[0][1] == "1 min"
    assert after.tables[0].rows[0][1] == "over"


@given(scale=st.floats(1e-4, 10), iv=st.floats(0, 6), coins=st.floats(0, 1e4))
def test_tables_fit_a_phone_at_any_price(scale, iv, coins):
    chain = make_chain(("deribit", "derive"), scale=scale, iv=iv)
    chain = replace(chain, oi=chain.oi * coins)
    snapshot = make_snapshot(chain, spot=SPOT * scale)

    for card in all_cards(chain, snapshot):
        for table in card.tables:
            (widths,) = column_widths([table]).values()
            assert sum(widths) + len(widths) - 1 <= PHONE, table
            assert len(table.title) <= PHONE


STRANGE = st.sampled_from([0.0, -1.0, NAN, float("inf"), 0.005, 0.4, 60.0])
ROWS = st.builds(
    chains.make_row,
    st.sampled_from([0.85, 77.5, 100.0, 120.0]),
    st.sampled_from(["call", "put"]),
    oi=STRANGE,
    iv=STRANGE,
    left=st.sampled_from([timedelta(seconds=s) for s in (-1, 0, 1, 1_800, 90_000)]),
    venue=st.sampled_from(["deribit", "okx"]),
    forward=STRANGE,
)


@given(st.lists(ROWS, min_size=1, max_size=6))
def test_every_card_can_be_made_of_any_chain(rows):
    chain = chains.make_chain(rows, NOON)
    snapshot = make_snapshot(chain, spot=100.0)

    for card in all_cards(chain, snapshot):
        text = "\n".join(plain_lines(card))
        assert "nan" not in text
        assert "inf" not in text


def test_plain_lines_align_the_tables_of_a_card():
    card = cards.levels_card(make_snapshot(make_chain()), VIEW)

    lines = plain_lines(card)

    assert "Spot: $80,000" in lines
    assert "Level                Price     Away" in lines
    assert "Put Support        $75,000   -6.25%" in lines  # of 0DTE, aligned with the above
    assert lines[-1] == "data: deribit 0 s old"


def test_a_level_on_which_venues_disagree_is_told_venue_by_venue():
    chain = make_chain(("deribit", "derive"))
    snapshot = make_snapshot(chain)
    deribit, derive = alone(snapshot, chain)
    far = replace(derive.levels, all_expiry=replace(derive.levels.all_expiry, hvl=84_000.0))

    card = compare_card(snapshot, [deribit, replace(derive, levels=far)], VIEW)

    spread, hvl = card.tables
    assert spread.rows[0] == ("HVL", "$84,000", "$90,000", "7.50%")
    assert field(card, "Agreement") == "not on HVL"
    assert hvl.rows == (
        ("all", "$90,000", ""),
        ("deribit", "$90,000", "+0.00%"),
        ("derive", "$84,000", "-6.67%"),
    )


def test_a_venue_without_a_level_does_not_agree_on_it():
    chain = make_chain(("deribit", "derive"))
    snapshot = make_snapshot(chain)
    deribit, derive = alone(snapshot, chain)
    none = replace(derive.levels, all_expiry=replace(derive.levels.all_expiry, hvl=None))

    card = compare_card(snapshot, [deribit, replace(derive, levels=none)], VIEW)

    assert card.tables[0].rows[0] == ("HVL", "$90,000", "$90,000", "0.00%")
    assert table(card, "HVL").rows[-1] == ("derive", "none", "")


def test_venues_that_agree_need_one_table_and_one_word_of_regime():
    chain = make_chain(("deribit", "derive"))
    snapshot = make_snapshot(chain)

    card = compare_card(snapshot, alone(snapshot, chain), VIEW)

    assert len(card.tables) == 1
    assert field(card, "Regime") == "positive"
    assert field(card, "Agreement") == "all 2 venues within 1%"


def test_a_venue_with_another_regime_is_named():
    chain = make_chain(("deribit", "derive"))
    snapshot = make_snapshot(chain)
    deribit, derive = alone(snapshot, chain)
    other = replace(derive, levels=replace(derive.levels, regime="negative"))

    card = compare_card(snapshot, [deribit, other], VIEW)

    assert field(card, "Regime") == "positive; alone derive negative"


def test_a_level_that_no_venue_has_is_none_and_no_disagreement():
    chain = make_chain(iv=NAN)
    snapshot = make_snapshot(chain)

    card = compare_card(snapshot, alone(snapshot, chain), VIEW)

    assert card.tables[0].rows[0] == ("HVL", "none", "none", "")
    assert field(card, "Agreement") == "one venue alone was heard"


def test_the_time_of_the_data_is_told_on_the_readers_clock():
    view = replace(VIEW, zone=ZoneInfo("America/Sao_Paulo"))

    card = cards.levels_card(make_snapshot(make_chain()), view)

    assert card.footer[0] == "as of 2026-03-02 09:00:00 UTC-03"


def test_the_levels_lead_on_to_every_other_symbol():
    card = cards.levels_card(
        make_snapshot(make_chain()), VIEW, odte=True, symbols=["BTCUSDT", "ETHUSDT"]
    )

    (menu,) = card.menus
    assert menu.actions == (Action("BTC", "levels btc 0dte"), Action("ETH", "levels eth 0dte"))
    assert Action("Alert me at HVL", "alert add btc odte.hvl cross any") in card.actions


def test_no_ring_is_offered_at_a_level_that_is_not_there():
    chain = make_chain(lefts=[timedelta(days=18)])
    snapshot = make_snapshot(chain)

    of_day = cards.levels_card(snapshot, VIEW, odte=True)
    of_all = cards.levels_card(snapshot, VIEW)

    assert "Alert me at HVL" not in [action.label for action in of_day.actions]
    assert "Alert me at HVL" in [action.label for action in of_all.actions]


RING = Alert("a1", NOON, "12", "telegram:7", "BTCUSDT", "BTC crossed HVL #a1", NOON)


def test_a_ring_leads_to_levels_chart_silence_and_the_end_of_its_alert():
    card = cards.ring_card(RING, simulated=False)

    assert (card.title, card.lines) == ("🔔 BTC", ("BTC crossed HVL #a1",))
    assert [action.line for action in card.actions] == [
        "levels btc",
        "chart btc price",
        "snooze 1h",
        "alert pause 12",
    ]


def test_a_ring_with_a_card_has_the_same_buttons():
    shown = replace(RING, card=Reply("🔔 BTC crossed HVL $80,000 ↑", footer=("#a1",)))

    card = cards.ring_card(shown, simulated=False)

    assert card.title == "🔔 BTC crossed HVL $80,000 ↑"
    assert card.actions == cards.ring_card(RING, simulated=False).actions


@pytest.mark.parametrize("rule", ["default: btc hvl cross any", "feed:discord:42:btc regime", ""])
def test_only_the_ring_of_an_alert_of_ones_own_can_be_paused(rule):
    card = cards.ring_card(replace(RING, rule=rule), simulated=False)

    assert len(card.actions) == 3


def test_a_notice_is_from_the_program_and_about_no_symbol():
    card = cards.ring_card(replace(RING, symbol="", text="one\ntwo"), simulated=False)

    assert (card.title, card.lines, card.actions) == ("⚠️ Notice", ("one", "two"), ())


def test_what_has_a_card_of_its_own_is_shown_by_that_and_marked_where_it_is_simulated():
    card = cards.ring_card(replace(RING, symbol="", card=Reply("Digest")), simulated=True)

    assert card == Reply("SIMULATED · Digest")


def test_a_reply_whose_picture_is_the_answer_says_when_there_is_none():
    chart = cards.chart_card(make_snapshot(make_chain()), VIEW)
    picture = Picture("a.png", b"png")

    assert with_picture(chart, picture).picture == picture
    assert with_picture(chart, None).lines == (NO_PICTURE,)
    assert with_picture(Reply("Levels"), None) == Reply("Levels")
