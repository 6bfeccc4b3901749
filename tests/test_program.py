"""The daemon as its user runs it: a process, typed lines, a signal."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

PATIENCE_SECONDS = 120


@pytest.fixture
def start(tmp_path):
    """Starts daemons on the simulated exchange, all in one folder and on one database."""
    started = []
    url = f"sqlite+aiosqlite:///{tmp_path}/demo.db"

    def run(*arguments, stdin=subprocess.PIPE, **settings):
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run", "--source", "sim", *arguments],
            cwd=tmp_path,
            env=os.environ
            | {"GAMMABELL_STORE__URL": url, "GAMMABELL_API__PORT": "0"}
            | {"PYTHONPATH": str(Path.cwd())}
            | settings,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()
        process.stdout.close()


def say(process, line):
    process.stdin.write(f"{line}\n".encode())


def read_until(process, word):
    """What the program printed up to and with the word; it is given time, not sleep."""
    said = b""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while word.encode() not in said:
        ready, _, _ = select.select([process.stdout], [], [], deadline - time.monotonic())
        assert ready, f"never said {word!r}: {said.decode()}"
        chunk = os.read(process.stdout.fileno(), 65_536)
        assert chunk, f"ended: {said.decode()}"
        said += chunk
    return said.decode()


def ask_until_known(process, line, word):
    """The card, as soon as the first cycle is through."""
    for _ in range(PATIENCE_SECONDS):
        say(process, line)
        said = read_until(process, "\n\n")
        if word in said:
            return said
        time.sleep(0.5)
    raise AssertionError(said)


def test_the_demo_answers_typed_commands_and_stops_at_a_signal(start, tmp_path):
    daemon = start("--events", "events.jsonl")

    card = ask_until_known(daemon, "levels btc", "Call Resistance")
    say(daemon, "alert add btc hvl cross any")
    added = read_until(daemon, "btc hvl cross any")
    say(daemon, "levels bct")
    typo = read_until(daemon, "did you mean")
    say(daemon, "chart btc")
    chart = read_until(daemon, "chart saved to")
    daemon.send_signal(signal.SIGTERM)

    assert daemon.wait(PATIENCE_SECONDS) == 0
    assert "SIMULATED" in card
    assert "deribit" in card
    assert "#1" in added
    assert "BTC" in typo
    assert "SIMULATED" in chart
    assert next(tmp_path.glob("*.png")).read_bytes().startswith(b"\x89PNG")
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert "BTCUSDT" in {event["symbol"] for event in events if event["event"] == "snapshot"}


def test_what_was_stored_is_there_after_the_plug_was_pulled(start):
    daemon = start()
    ask_until_known(daemon, "levels eth", "Call Resistance")
    daemon.kill()
    daemon.wait()

    reader = start("--role", "deliver")
    say(reader, "levels eth")
    levels = read_until(reader, "as of")
    say(reader, "status")
    status = read_until(reader, "whose role is collect")

    assert "Call Resistance" in levels
    assert "polled" not in status


def test_the_api_answers_beside_the_terminal_and_a_taken_port_ends_no_bell(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        without = start(GAMMABELL_API__PORT=str(port))
        ask_until_known(without, "levels btc", "Call Resistance")
        without.terminate()
        without.wait(PATIENCE_SECONDS)

    served = start(GAMMABELL_API__PORT=str(port))
    ask_until_known(served, "levels btc", "Call Resistance")
    with urlopen(f"http://127.0.0.1:{port}/v2/gex/levels?symbol=BTCUSDT") as reply:
        answer = json.load(reply)

    assert answer["success"]
    assert answer["data"]["all_expiry"]["call_resistance"] > answer["meta"]["spot_price"]


def test_a_person_at_the_terminal_is_told_first_where_the_dashboard_is(start):
    ours, theirs = pty.openpty()
    try:
        told = read_until(start(stdin=theirs), "quit leaves")
        with urlopen(re.search(r"Dashboard: (\S+)", told)[1]) as page:
            title = re.search(r"<title>(.*)</title>", page.read().decode())[1]
    finally:
        os.close(ours)
        os.close(theirs)

    assert "gammabell" in title


def test_the_pages_of_an_api_alone_hear_the_prices_that_another_process_collects(start):
    few = {"GAMMABELL_SYMBOLS__ALWAYS": "BTCUSDT", "GAMMABELL_LOG__LEVEL": "info"}
    start("--role", "collect", **few)
    api = start("--role", "api", **few)
    address = re.search(r"listening on (\S+)", read_until(api, "listening on http"))[1]

    with urlopen(f"{address}/events", timeout=PATIENCE_SECONDS) as events:
        first, second = (next_price(events) for _ in range(2))

    assert first["symbol"] == second["symbol"] == "BTCUSDT"
    assert first["at"] < second["at"]


def next_price(events):
    """What the next `spot` event tells."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while events.readline() != b"event: spot\n":  # a sign of life comes now and then
        assert time.monotonic() < deadline, "never told a price"
    return json.loads(events.readline().removeprefix(b"data: "))
