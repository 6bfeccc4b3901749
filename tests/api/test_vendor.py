"""What npm fetched: laid out as our policy allows it, served where it is there."""

import base64
import json
import re
import tomllib
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.docs import BROWSER
from bot.api.files import CHARTS, KINDS, find_assets, front_page
from bot.store.memory import MemoryStore
from tests.api.serving import served
from web import vendor

ROOT = Path(__file__).parents[2]
STYLE = (
    'a{mask:url("data:image/svg+xml;charset=utf-8,<svg xmlns=\\"x\\" fill=\\"%23fff\\"/>") 0 0}'
    "b{mask:url(data:image/png;base64,iVBORw==)}c{mask:url(data:image/png;base64,iVBORw==)}"
)


@pytest.fixture
def folder(tmp_path):
    """A dashboard of one page and one file, nothing fetched."""
    page = '<html data-simulated="{simulated}" data-charts="{charts}">{mark}<a href="{assets}/">'
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "ours.js").write_text("export const ours = 1;")
    return tmp_path


@pytest.fixture
def fetched(tmp_path):
    """What npm leaves behind."""
    modules = tmp_path / "node_modules"
    for source in [*vendor.TAKEN.values(), vendor.STYLE]:
        (modules / source).parent.mkdir(parents=True, exist_ok=True)
        (modules / source).write_text(STYLE if source.endswith(".css") else source)
    return modules


@asynccontextmanager
async def files_of(folder):
    """A client, and where the files are."""
    assets = find_assets(folder)
    async with served(MemoryStore(), assets=assets) as client:
        yield client, f"/{assets.folder}"


def front(folder):
    """The front page of that folder."""
    return front_page(find_assets(folder), simulated=False, folder=folder).content.decode()


async def test_what_was_fetched_is_served_with_its_type_and_the_policy(folder, fetched):
    vendor.lay(fetched, folder / "vendor")

    async with files_of(folder) as (client, at):
        script = await client.ask(f"{at}/vendor/lightweight-charts.js")
        style = await client.ask(f"/v2{at}/vendor/swagger-ui.css")
        notice = await client.ask(f"{at}/vendor/swagger-ui.NOTICE.txt")

    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert script.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert notice.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_what_the_browser_has_already_is_neither_asked_for_nor_sent_again(folder, fetched):
    vendor.lay(fetched, folder / "vendor")

    async with files_of(folder) as (client, at):
        first = await client.ask(f"{at}/vendor/swagger-ui-bundle.js")
        again = {"If-None-Match": first.headers["ETag"]}
        second = await client.ask(f"{at}/vendor/swagger-ui-bundle.js", headers=again)

    assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (first.status, second.status, second.content) == (200, 304, b"")


async def test_where_nothing_was_fetched_there_is_no_such_path(folder):
    async with files_of(folder) as (client, at):
        ours, theirs = await client.ask(f"{at}/ours.js"), await client.ask(f"{at}/{CHARTS}")

    assert (ours.status, theirs.status) == (200, 404)


async def test_another_version_s_files_are_elsewhere_and_its_address_says_to_load_again(folder):
    before = find_assets(folder)
    (folder / "ours.js").write_text("export const ours = 2;")

    async with files_of(folder) as (client, at):
        old, new = [await client.ask(f"/{one}/ours.js") for one in (before.folder, at[1:])]

    assert (old.status, new.status) == (404, 200)
    assert "load the page again" in old.error["message"]
    assert old.headers["Cache-Control"] == "no-store"


def test_the_address_is_the_same_while_no_file_changes(folder):
    assert find_assets(folder).folder == find_assets(folder).folder


def test_the_front_page_names_its_files_from_where_it_stands(folder):
    assert f'href="{find_assets(folder).folder}/"' in front(folder)


def test_files_of_other_kinds_and_deeper_folders_stay_where_they_are(folder):
    (folder / "vendor" / "deep").mkdir(parents=True)
    (folder / "vendor" / "deep" / "inner.js").touch()
    (folder / "vendor" / ".js").touch()
    (folder / "vendor" / "bundle.js.map").touch()

    assert set(find_assets(folder).files) == {"ours.js"}


def test_the_front_page_is_told_whether_the_chart_library_is_there(folder, fetched):
    without = front(folder)
    vendor.lay(fetched, folder / "vendor")

    assert 'data-charts="false"' in without
    assert 'data-charts="true"' in front(folder)


@pytest.mark.parametrize("simulated", [True, False])
async def test_the_paths_can_be_tried_out_where_the_browser_for_them_is_there(
    folder, fetched, simulated
):
    async with served(MemoryStore(), simulated=simulated) as client:
        plain = (await client.ask("/docs")).content.decode()
    vendor.lay(fetched, folder / "vendor")
    async with served(MemoryStore(), assets=find_assets(folder), simulated=simulated) as client:
        docs = await client.ask("/docs")
    rich = docs.content.decode()

    assert BROWSER in rich
    assert "<script" not in plain
    assert plain.partition('<div id="list">')[2] == rich.partition('<div id="list">')[2]
    assert ("SIMULATED" in rich, "SIMULATED" in plain) == (simulated, simulated)
    assert "unsafe" not in docs.headers["Content-Security-Policy"]


async def test_the_paths_name_files_from_where_they_stand(folder, fetched):
    vendor.lay(fetched, folder / "vendor")
    async with files_of(folder) as (client, _):
        docs = (await client.ask("/docs")).content.decode()

    assert not [name for name in re.findall(r'(?:src|href)="([^"]+)"', docs) if name[0] == "/"]


def test_pictures_in_a_style_become_files_beside_it():
    style, pictures = vendor.without_data(STYLE)

    assert set(pictures.values()) == {b'<svg xmlns="x" fill="#fff"/>', b"\x89PNG"}
    assert re.findall(r"url\(([^)]+)\)", style) == [*pictures, [*pictures][1]]
    assert "data:" not in style


@given(st.binary(), st.sampled_from([*vendor.ENDINGS]))
def test_a_picture_comes_out_as_it_went_in(content, kind):
    text = base64.b64encode(content).decode()

    style, pictures = vendor.without_data(f"a{{mask:url(data:{kind};base64,{text})}}")

    ((name, found),) = pictures.items()
    assert found == content
    assert style == f"a{{mask:url({name})}}"


def test_versions_are_exact_and_every_package_is_known_by_its_hash():
    wanted = json.loads((ROOT / "web/package.json").read_text())
    locked = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    ours = locked.pop("")

    versions = wanted["dependencies"] | wanted["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())
    assert ours["dependencies"] | ours["devDependencies"] == versions
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())


def test_a_wheel_takes_every_kind_of_file_that_is_served():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    packed = project["tool"]["setuptools"]["package-data"]["*"]

    assert {f"*{suffix}" for suffix in KINDS} | {"*.html"} <= set(packed)
