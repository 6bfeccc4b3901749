"""The served schema, tried by a program that others wrote: schemathesis asks what it promises."""

import asyncio
import json
import sys

import pytest

from tests.api.serving import KEY, SYMBOLS, add_key, make_store, served
from tests.api.test_dashboard import dashboard

pytest.importorskip("schemathesis", reason="schemathesis is not installed: make test")

RUN = "from schemathesis.cli import schemathesis; schemathesis()"
CASES = "12"  # made up for each path, beside its examples and the edges of every parameter
PATIENCE_SECONDS = 120
ELSEWHERE = "127.1"  # this machine's, in a spelling that is not taken for it: a key is required


async def try_all(client, folder, *more):
    """The report of everything that schemathesis finds, with right and with wrong data."""
    report = folder / "report.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, "run", f"{client.address}/openapi.json"),
        *("--checks", "all", "--mode", "all", "--generation-deterministic"),
        *("--max-examples", CASES, "--continue-on-failure"),
        *("--report", "json", "--report-json-path", str(report), *more),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert report.exists(), said.decode()
    return json.loads(report.read_text()), said.decode()


def assert_good(report, said, paths):
    assert (report["exit_code"], report["failures"], report["errors"]) == (0, [], []), said
    assert report["complete"], said
    assert report["operations"]["tested"] == len(paths)
    assert report["test_cases"]["generated"] > 20 * len(paths)
    assert not any(report["warnings"].values()), report["warnings"]


async def test_an_open_api_and_its_dashboard_keep_what_the_schema_promises(tmp_path):
    async with dashboard() as client:
        paths = (await client.ask("/openapi.json")).body["paths"]
        report, said = await try_all(client, tmp_path)

    assert {"/pictures/{symbol}/{picture}", "/export/{symbol}/{format}"} <= set(paths)
    assert_good(report, said, paths)


async def test_an_api_that_wants_a_key_keeps_it_as_well_and_lets_nobody_in_without(tmp_path):
    store = await make_store(*SYMBOLS[:-1])
    await add_key(store, per_minute=1_000_000)
    async with served(store, ELSEWHERE) as client:
        paths = (await client.ask("/openapi.json")).body["paths"]
        report, said = await try_all(
            client, tmp_path, "-H", f"X-API-Key: {KEY}", *("--phases", "coverage")
        )

    assert_good(report, said, paths)
