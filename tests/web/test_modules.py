"""The dashboard's scripts as files: what it always needs is asked for at once, nothing else."""

import re
from pathlib import Path

WEB = Path(__file__).parents[2] / "bot" / "web"


def needed(name):
    """The script and all that it imports, directly or not."""
    found, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += re.findall(r'from "\./([^"]+)"', (WEB / one).read_text())
    return found


def test_the_page_loads_ahead_exactly_the_scripts_that_it_always_needs():
    page = (WEB / "index.html").read_text()

    ahead = re.findall(r'rel="modulepreload" href="{assets}/([^"]+)"', page)

    assert sorted({*ahead, "dashboard.js"}) == sorted(needed("dashboard.js"))
    assert len(ahead) == len(set(ahead))


def test_the_chart_library_is_needed_by_the_price_chart_alone():
    assert "vendor/lightweight-charts.js" not in needed("dashboard.js")
    assert "vendor/lightweight-charts.js" in (WEB / "price.js").read_text()


def test_every_style_that_the_page_names_is_there():
    page = (WEB / "index.html").read_text()

    assert all((WEB / name).is_file() for name in re.findall(r'href="{assets}/(.+\.css)"', page))
