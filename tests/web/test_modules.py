"""The dashboard's scripts as files and as the browser gets them: few, with everything in them."""

import re

import pytest

from bot.api.files import FILES, find_assets, front_page
from bot.api.scripts import joined, later
from bot.api.telling import BEAT, EVENTS

LIBRARY = "vendor/lightweight-charts.js"


def test_a_script_stands_behind_all_that_it_imports_and_each_of_these_is_there_once():
    found = joined(
        {
            "all.js": 'import { one } from "./one.js";\nimport { two } from "./two.js";\nuse();\n',
            "one.js": 'import { two } from "./two.js";\nexport const one = two;\n',
            "two.js": "const own = 2;\nexport function two() {}\nexport class Two {}\n",
        }
    )

    assert found == {
        "all.js": (
            "// two.js\nconst $two_js = (() => {\n"
            "const own = 2;\nfunction two() {}\nclass Two {}\nreturn { two, Two };\n})();\n"
            "// one.js\nconst $one_js = (() => {\n"
            "const { two } = $two_js;\nconst one = two;\nreturn { one };\n})();\n"
            "const { one } = $one_js;\nconst { two } = $two_js;\nuse();\n"
        )
    }


def test_what_was_fetched_from_others_is_imported_as_it_is():
    scripts = {
        "page.js": 'await import("./chart.js");\n',
        "chart.js": f'import {{ draw }} from "./{LIBRARY}";\nexport const chart = draw;\n',
    }

    found = joined(scripts)

    first, *_, last = found["chart.js"].splitlines()
    assert first == f'import * as $vendor_lightweight_charts_js from "./{LIBRARY}";'
    assert last == "export const chart = draw;"
    assert later("page.js", found) == ["chart.js", LIBRARY]


@pytest.mark.parametrize(
    "odd",
    ['import "./two.js";', "export default 1;", 'export { a } from "./a.js";', "export let a = 1;"],
)
def test_a_module_in_another_form_is_refused(odd):
    with pytest.raises(ValueError, match=re.escape(odd)):
        joined({"all.js": 'import { one } from "./one.js";\n', "one.js": f"{odd}\n"})


@pytest.mark.parametrize("odd", ['import "./two.js";', "import {\n  two,\n} from './two.js';"])
def test_a_script_that_imports_in_another_form_is_refused_as_well(odd):
    with pytest.raises(ValueError, match=r"all\.js: import"):
        joined({"all.js": f"{odd}\n", "two.js": "export const two = 2;\n"})


def test_modules_that_import_each_other_are_refused():
    to = 'import {{ a }} from "./{}.js";\n'.format

    with pytest.raises(ValueError, match="cycle"):
        joined({"all.js": to("one"), "one.js": to("two"), "two.js": to("one")})


def test_every_script_of_ours_is_told_once_and_the_library_with_the_price_chart_alone():
    assets = find_assets(FILES)

    whole = {name: page.content.decode() for name, page in assets.files.items() if "/" not in name}

    front = re.findall(r"^// (\w+\.js)$", whole["dashboard.js"], re.MULTILINE)
    assert len(front) == len(set(front))
    assert "import * as" not in whole["dashboard.js"]
    assert LIBRARY in whole["price.js"]
    named = {
        *front,
        *re.findall(r"^// (\w+\.js)$", whole["price.js"] + whole["sign-on.js"], re.MULTILINE),
    }
    assert {path.name for path in FILES.glob("*.js")} <= {*named, *whole}


def test_the_page_asks_ahead_for_the_chart_where_there_is_one():
    assets = find_assets(FILES)
    without = type(assets)({k: v for k, v in assets.files.items() if k != LIBRARY}, "v")

    pages = [front_page(one, simulated=True).content.decode() for one in (assets, without)]

    ahead = [re.findall(r'"modulepreload" href="assets/\w+/([^"]+)"', page) for page in pages]
    assert ahead == [["price.js", LIBRARY] if LIBRARY in assets.files else [], []]


def test_every_style_of_the_page_is_in_the_one_that_it_names():
    style = find_assets(FILES).files["dashboard.css"].content

    assert all((FILES / f"{name}.css").read_bytes() in style for name in ("plots", "chat"))


def test_the_page_hears_every_event_that_the_server_tells_and_no_other():
    page = (FILES / "dashboard.js").read_text()
    (heard,) = re.findall(r"^  listen\(\{\n(.+?)^  \}", page, re.MULTILINE | re.DOTALL)

    assert sorted(re.findall(r"^    (\w+): \(", heard, re.MULTILINE)) == sorted(EVENTS)
    assert f"const {BEAT} = " in (FILES / "events.js").read_text()


def test_every_panel_has_its_own_module_and_one_line():
    panels = (FILES / "panels.js").read_text()
    (listed,) = re.findall(r"^const PANELS = \[(.+)\];$", panels, re.MULTILINE)
    imported = re.findall(r"^import \{ (\w+) \} from", panels, re.MULTILINE)

    assert sorted(listed.split(", ")) == sorted(imported)
