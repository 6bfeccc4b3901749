"""The charts of GEX by strike and of the past, in a real browser, drawn from given answers."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

WEB = Path(__file__).parents[2] / "bot" / "web"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'"
SITE = "http://charts.test/"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPOT = 80_000.0
LEVELS = {
    "all_expiry": {"hvl": 82_000.0, "call_resistance": 85_000.0, "put_support": 78_000.0},
    "odte": {"hvl": None, "call_resistance": 81_000.0, "put_support": None},
    "gamma_flip_zones": [{"flip": 79_000.0, "lower": 78_800.0, "upper": 79_100.0}],
}
PAGE = """<!doctype html><html lang="en" data-simulated="true"><title>x</title>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="icon.svg"><link rel="stylesheet" href="dashboard.css">
<link rel="stylesheet" href="plots.css">
<script type="module" src="page.js"></script>
<main><h1>x</h1><div id="panel"></div></main>"""
SCRIPT = """import { Profile } from "./profile.js";
import { History } from "./history.js";
const ask = async (path) => {
  const answer = await (await fetch(path)).json();
  if (!answer.success) throw new Error(answer.error.message);
  return answer;
};
window.profile = new Profile({ ask });
window.past = new History({ ask });
let chosen = null;
window.show = (known) => {
  const panels = [profile, past];
  if (known.symbol !== chosen) for (const one of panels) one.choose(known.symbol);
  chosen = known.symbol;
  for (const one of panels) one.show(known);
};"""
PATIENCE_SECONDS = 20


def strike(at, call, put):
    return {
        "strike": at,
        "call_gex": call,
        "put_gex": -put,
        "net_gex": call - put,
        "call_oi": call / 1e5,
        "put_oi": put / 1e5,
    }


STRIKES = [strike(70_000.0 + n * 1_000, n * 1e6, (20 - n) * 1e6) for n in range(21)]


def point(at, **levels):
    known = {"hvl": 82_000.0, "call_resistance": 85_000.0, "put_support": 78_000.0}
    return {"datetime": at.isoformat(), "spot_price": SPOT, "net_gex": -3e6, **known, **levels}


class Site:
    """The project's scripts on a page of their own, and an API that says what it is told to."""

    def __init__(self, page):
        self.asked = []
        self.answers = {
            "expiries": {"expiries": [{"expiry": "2026-11-27T08:00:00Z", "hours_left": 116}]},
            "gex/strike-profile": {"expiry": "all", "strikes": STRIKES},
            "gex/stress-history": {"days": 1, "points": [point(NOON), point(NOON + MINUTE)]},
        }
        self.at = NOON
        self.held = None  # requests that wait, once it is a list
        self._page = page
        page.route(f"{SITE}**", self._serve)
        page.goto(SITE)
        until(page, "Boolean(window.past)")

    def answer(self, route):
        """Answers a request; what is set as text is a refusal in these words."""
        body = self.answers[_path(route)]
        meta = {"computed_at": self.at.isoformat(), "spot_price": SPOT}
        if isinstance(body, str):
            route.fulfill(json={"success": False, "error": {"message": body}, "meta": {}})
        else:
            route.fulfill(json={"success": True, "data": body, "meta": meta})

    def show(self, symbol="BTCUSDT", at=NOON):
        """The page is told to show what is known of the symbol at that time."""
        self.at = at
        meta = {"computed_at": at.isoformat(), "spot_price": SPOT}
        known = json.dumps({"symbol": symbol, "meta": meta, "data": LEVELS})
        self._page.evaluate(f"show({known})")

    def pasts(self):
        return [one for one in self.asked if "stress-history" in one]

    def _serve(self, route):
        path = _path(route)
        own = {"": (PAGE, "text/html"), "page.js": (SCRIPT, "text/javascript")}
        if path in own:
            body, kind = own[path]
            headers = {"Content-Security-Policy": POLICY}
            route.fulfill(body=body, content_type=kind, headers=headers)
        elif path in self.answers:
            self.asked.append(urlsplit(route.request.url)._replace(scheme="", netloc="").geturl())
            if self.held is None:
                self.answer(route)
            else:
                self.held.append(route)
        else:
            file = WEB / path
            route.fulfill(body=file.read_bytes(), content_type=KINDS[file.suffix])


def _path(route):
    return urlsplit(route.request.url).path.removeprefix("/")


def until(page, expression):
    """Waits for it; the page's own policy forbids the way in which playwright would."""
    until_true(page, lambda: page.evaluate(expression), expression)


def until_true(page, holds, told=""):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, told
        page.wait_for_timeout(20)


def drawn(page, figure):
    until(page, f"Boolean(document.querySelector('#{figure} .plot-box text'))")


def readings(page, figure):
    texts = page.eval_on_selector_all(
        f"#{figure} .plot-reading div",
        "all => all.map(one => [...one.children].map(e => e.innerText))",
    )
    return dict(texts)


def choose(page, figure, title, value):
    page.select_option(f"#{figure} label:has-text('{title}') select", value)


@pytest.fixture(scope="module")
def window(browser):
    context = browser.new_context(timezone_id="Asia/Tokyo")
    yield context
    context.close()


@pytest.fixture
def page(window):
    said = []
    page = window.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE_SECONDS * 1_000)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert said == []


@pytest.fixture
def site(page):
    return Site(page)


def test_a_strike_is_read_with_the_arrow_keys_until_escape(page, site):
    site.show()
    drawn(page, "profile")
    whole = readings(page, "profile")

    page.focus("#profile .plot-reader")
    page.keyboard.press("ArrowUp")
    at_spot = readings(page, "profile")
    page.keyboard.press("ArrowUp")
    above = readings(page, "profile")
    page.keyboard.press("Escape")

    assert whole["All strikes"] == "21"
    assert at_spot["Strike"] == "$80,000"
    assert above["Strike"] == "$81,000"
    assert above["Call GEX / +1 %"] == "$11M"
    assert above["Put GEX / +1 %"] == "−$9M"
    assert above["Put OI"] == "90 BTC"
    assert readings(page, "profile") == whole


def test_a_screen_reader_hears_the_picture_and_what_is_read(page, site):
    site.show()
    drawn(page, "profile")
    page.focus("#profile .plot-reader")
    page.keyboard.press("Home")

    picture = page.get_by_role("img", name="SIMULATED: BTC GEX by strike, all expiries")
    slider = page.get_by_role("slider", name="GEX by strike")

    assert "HVL $82,000, Call Resistance $85,000, Put Support $78,000" in picture.get_attribute(
        "aria-label"
    )
    assert "Strike" in slider.get_attribute("aria-valuetext")


def test_pointing_at_a_bar_reads_it_and_leaving_ends_that(page, site):
    site.show()
    drawn(page, "profile")
    choose(page, "profile", "Strikes", "all")
    box = page.locator("#profile .plot-reader").bounding_box()

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2)
    pointed = readings(page, "profile")
    page.mouse.move(0, 0)

    assert pointed["Strike"] == "$90,000"
    assert "All strikes" in readings(page, "profile")


def test_what_is_drawn_is_there_as_a_table_too(page, site):
    site.show()
    drawn(page, "profile")
    page.click("#profile summary")

    rows = page.eval_on_selector_all("#profile tbody tr", "all => all.map(one => one.innerText)")

    assert len(rows) == len(STRIKES)
    assert rows[0].split() == ["$90,000", "$20M", "$0", "$20M", "200", "0"]


def test_one_expiry_or_a_smaller_range_can_be_chosen(page, site):
    site.show()
    drawn(page, "profile")

    choose(page, "profile", "Strikes", "5")
    until(page, "document.querySelector('#profile .plot-reader').ariaValueMax === '9'")
    choose(page, "profile", "Expiry", "2026-11-27")
    until(page, "document.querySelector('#profile .plot-notes').innerText.includes('2026-11-27')")

    assert site.asked[-1] == "/gex/strike-profile?symbol=BTCUSDT&expiry=2026-11-27"


def test_0dte_has_levels_of_its_own(page, site):
    site.show()
    drawn(page, "profile")

    choose(page, "profile", "Expiry", "0dte")
    until(page, "document.querySelector('#profile .plot-box').textContent.includes('0DTE')")
    names = page.eval_on_selector_all(
        "#profile .plot-tag", "all => all.map(one => one.textContent)"
    )

    assert names == ["puts", "calls", "Call Res. 0DTE", "$81,000", "Spot at 21:00", "$80,000"]


def test_an_answer_that_comes_late_is_not_shown_under_another_symbol(page, site):
    site.held = []
    site.show("ETHUSDT")
    until_true(page, lambda: len(site.held) == 2)
    site.show("BTCUSDT")
    until_true(page, lambda: len(site.held) == 4)
    late, site.held = site.held, None

    for route in reversed(late):
        site.answer(route)
    drawn(page, "profile")
    drawn(page, "history")

    labels = page.eval_on_selector_all(".plot svg[role=img]", "all => all.map(e => e.ariaLabel)")
    assert [label.split()[1] for label in labels] == ["BTC", "BTC"]


def test_a_slow_server_is_drawn_although_newer_levels_are_asked_for(page, site):
    site.held = []
    site.show()
    until_true(page, lambda: len(site.held) == 2)
    site.show(at=NOON + MINUTE)
    until_true(page, lambda: len(site.held) == 4)
    first, second = site.held[:2], site.held[2:]
    site.held, site.at = None, NOON

    for route in first:
        site.answer(route)
    drawn(page, "profile")
    drawn(page, "history")
    site.at = NOON + MINUTE
    for route in second:
        site.answer(route)

    newest = int((NOON + MINUTE).timestamp() * 1000)
    until(page, f"Date.parse(profile.strikes.at) === {newest} && past.known.until === {newest}")


def test_what_is_older_than_what_is_shown_is_let_go(page, site):
    site.held = []
    site.show()
    until_true(page, lambda: len(site.held) == 2)
    late, site.held = site.held, None
    site.show(at=NOON + MINUTE)
    newest = int((NOON + MINUTE).timestamp() * 1000)
    shown = f"Date.parse(profile.strikes?.at) === {newest} && past.known?.until === {newest}"
    until(page, shown)

    site.at = NOON
    for route in late:
        site.answer(route)
    until_true(page, lambda: len([one for one in site.asked if "strike-profile" in one]) == 2)
    page.wait_for_timeout(100)

    assert page.evaluate(shown)


def test_the_line_breaks_where_nothing_was_known(page, site):
    later = NOON + timedelta(hours=9)
    times = [start + n * 2 * MINUTE for start in (NOON, later) for n in range(4)]
    site.answers["gex/stress-history"] = {"days": 1, "points": [point(at) for at in times]}

    site.show()
    drawn(page, "history")
    path = page.get_attribute("#history .plot-line.plot-hvl:not(.plot-swatch path)", "d")
    label = page.get_attribute("#history .plot-box svg", "aria-label")

    assert path.count("M") == 2
    assert "1 gap without data" in label


def test_times_are_the_readers_and_say_so(page, site):
    site.show()
    drawn(page, "history")
    page.focus("#history .plot-reader")
    page.keyboard.press("End")

    assert readings(page, "history")["Time"] == "22 Nov 21:01"
    assert "Asia/Tokyo" in page.inner_text("#history .plot-notes")


def test_no_level_is_no_line_and_is_told_as_none(page, site):
    points = [point(NOON + n * MINUTE, hvl=None) for n in range(3)]
    site.answers["gex/stress-history"] = {"days": 1, "points": points}

    site.show()
    drawn(page, "history")

    assert readings(page, "history")["HVL"] == "none"
    assert page.query_selector("#history .plot-box .plot-hvl") is None


@pytest.mark.parametrize(
    ("points", "said"),
    [([], "No past yet"), ([point(NOON)], "One point so far, of 22 Nov 21:00")],
)
def test_a_past_that_has_hardly_begun_says_so(page, site, points, said):
    site.answers["gex/stress-history"] = {"days": 1, "points": points}

    site.show()

    until(page, f"document.querySelector('#history .plot-notes').innerText.includes('{said}')")
    assert page.is_hidden("#history .plot-box")


def test_a_refusal_is_a_line_beneath_what_is_still_known(page, site):
    site.show()
    drawn(page, "profile")
    site.answers["gex/strike-profile"] = "the store is not reachable"

    site.show(at=NOON + MINUTE)
    until(
        page, "document.querySelector('#profile .plot-notes').innerText.includes('not reachable')"
    )

    assert page.is_visible("#profile .plot-box")


def test_a_newer_snapshot_keeps_what_is_being_read(page, site):
    site.show()
    drawn(page, "profile")
    choose(page, "profile", "Strikes", "all")
    page.focus("#profile .plot-reader")
    page.keyboard.press("ArrowUp")
    site.answers["gex/strike-profile"] = {"expiry": "all", "strikes": STRIKES[5:]}

    site.show(at=NOON + MINUTE)
    until(page, "document.querySelector('#profile .plot-reader').ariaValueMax === '16'")

    assert readings(page, "profile")["Strike"] == "$80,000"


def test_a_long_past_is_not_asked_for_at_every_snapshot(page, site):
    site.show()
    drawn(page, "history")
    choose(page, "history", "Time", "30")
    until(page, "past.known.days === '30'")

    site.show(at=NOON + MINUTE)
    site.show(at=NOON + 30 * MINUTE)
    until_true(page, lambda: len(site.pasts()) == 3)

    assert site.pasts() == [
        f"/gex/stress-history?symbol=BTCUSDT&days={days}" for days in (1, 30, 30)
    ]


@pytest.mark.parametrize("width", [320, 390, 768, 1200])
def test_no_label_overlaps_another_and_none_leaves_the_drawing(page, site, width):
    page.set_viewport_size({"width": width, "height": 900})
    site.show()
    drawn(page, "profile")
    drawn(page, "history")
    until(page, f"document.documentElement.scrollWidth <= {width}")
    page.wait_for_timeout(50)

    overlaps = page.evaluate(OVERLAPS)

    assert overlaps == []


@pytest.mark.parametrize("width", [390, 420, 560, 720])
def test_the_exposures_beneath_the_strikes_stand_apart(page, site, width):
    strikes = [strike(79_000.0, 0.0, 450e3), strike(81_000.0, 450e3, 0.0)]
    site.answers["gex/strike-profile"] = {"expiry": "all", "strikes": strikes}
    page.set_viewport_size({"width": width, "height": 900})

    site.show()
    drawn(page, "profile")

    gaps = page.evaluate(GAPS)
    assert len(gaps) > 1
    assert min(gaps) > 2


GAPS = """[...document.querySelectorAll("#profile svg .plot-tick.plot-middle")]
  .map((text) => text.getBoundingClientRect())
  .flatMap((box, n, all) => n ? [box.left - all[n - 1].right] : [])"""

OVERLAPS = """[...document.querySelectorAll(".plot-box svg")].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll("text:not(.plot-stamp)")]
    .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
  const outside = boxes.filter(({ box }) =>
    box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 2
    || box.bottom > frame.bottom + 1);
  const over = boxes.flatMap(({ text, box }, n) => boxes.slice(n + 1).filter((other) =>
    box.left < other.box.right - 1 && other.box.left < box.right - 1
    && box.top < other.box.bottom - 3 && other.box.top < box.bottom - 3)
    .map((other) => [text, other.text]));
  return [...outside.map(({ text }) => [text]), ...over];
})"""
