"""The API and the terminal say the same of the same snapshot, to the digit."""

import json
import subprocess
import sys

import pytest

from tests.clients.conftest import wait_for

pytest.importorskip("requests", reason="requests is not installed: make test")

from tests.clients.public import ApiError, Levels

EVERYTHING = "candles,expected_move,max_pain,ranked,spot,zones"
PATIENCE_SECONDS = 120


def printed(daemon, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "bot", "levels", *arguments, "--json"],
        env=daemon.environment,
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("venues", ["deribit", "derive", "okx,bybit", "bybit,deribit,binance"])
def test_some_venues_alone_are_the_same_levels_on_either_way(daemon, venues):
    client = Levels(daemon.address, daemon.key)

    def heard():
        """None while a venue has not answered for the first time: Derive's takes its seconds."""
        try:
            return client.get("/gex/levels", symbol="BTCUSDT", exchanges=venues, include=EVERYTHING)
        except ApiError as error:
            if error.code != "NOT_FOUND":
                raise

    body = wait_for(heard)
    told = printed(daemon, "BTC", "--exchanges", venues, "--at", body["meta"]["computed_at"])

    client.close()
    assert told["data"] == body["data"]
    for name in ("symbol", "spot_price", "computed_at", "source"):
        assert told["meta"][name] == body["meta"][name]
    assert told["meta"]["extra"]["net_gex"] == body["meta"]["extra"]["net_gex"]
