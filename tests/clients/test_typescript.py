"""A client in TypeScript: its types hold for the compiler, and for what the program answers."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPILER = HERE.parents[1] / "web" / "node_modules" / "typescript" / "bin" / "tsc"
PATIENCE_SECONDS = 180


def run(*command):
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def node():
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node here")
    return found


@pytest.fixture(scope="module")
def program(node, tmp_path_factory):
    """The client, compiled; the compiler finds nothing wrong with its types."""
    if not COMPILER.exists():
        pytest.skip("no typescript here: make web")
    folder = tmp_path_factory.mktemp("client")
    (folder / "package.json").write_text('{"type": "module"}')
    run(node, COMPILER, "--project", HERE, "--outDir", folder)
    return folder / "levels.js"


def test_a_typed_client_reads_what_the_contract_promises(node, program, daemon):
    told = json.loads(run(node, program, f"{daemon.address}/v2", daemon.key))

    assert told["spot"] > 0
    assert told["odte"] == ["hvl", "call_resistance", "put_support"]
    assert all(told[name] is not None for name in ("hvl", "strongest", "band", "pain"))
    assert told["opened"] == sorted(told["opened"]) != []
    assert (told["served"], told["invalid"]) == (["BTCUSDT", "ETHUSDT"], ["NOPE"])
    assert all(price > 0 for price in told["prices"])
    assert 0 < told["remaining"] < 1_000
    assert told["unknown"]["status"] == 422
    assert sorted(told["unknown"]["kinds"]) == ["unknown", "value"]
    assert told["stranger"] == {"status": 401, "code": "UNAUTHORIZED", "kinds": []}
    assert told["statuses"][0] == 200
    assert 304 in told["statuses"]
