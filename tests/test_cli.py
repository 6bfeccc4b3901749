"""The program as its user runs it: a process, its two streams and its exit code."""

import gzip
import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from fcntl import ioctl
from itertools import pairwise
from pathlib import Path
from termios import FIONREAD

import pytest

from bot.core.venues import VENUES
from tests.core.recordings import Recording
from tests.oracle import compute
from tests.recording.days import (
    START,
    answer,
    book,
    day_header,
    day_lines,
    tick,
    write_day,
    write_recording,
)
from tests.shared import RECORDINGS, needs_shared

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60
BUFFER = 0.0005
HOURS = 2  # from 07:00, so that an expiry is among them
NO_VENUES = {f"GAMMABELL_VENUES__{name.upper()}__ENABLED": "false" for name in VENUES}
LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
runpy.run_module("bot", run_name="__main__", alter_sys=True)
"""


class Program:
    """The program in a folder of its own, with a database there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "gammabell.db"

    def __call__(self, *arguments, largest_file=None, stdout=subprocess.PIPE, **environment):
        """Runs it to its end."""
        limit = [] if largest_file is None else ["-c", LIMITED, str(largest_file)]
        return subprocess.run(
            [sys.executable, *(limit or ["-m", "bot"]), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_SECONDS,
            check=False,
            cwd=self.folder,
            env=self._environment(environment),
        )

    @contextmanager
    def started(self, *arguments, **environment):
        """Starts it; whatever happens, it does not outlive the block."""
        with subprocess.Popen(
            [sys.executable, "-m", "bot", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=self.folder,
            env=self._environment(environment),
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def replay(self, recording, **options):
        """The lines that `replay --json` prints; it must succeed."""
        done = self("replay", recording, "--json", **options)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.splitlines()

    def killed_after(self, lines, recording, pause=lambda pipe: None):
        """The whole lines that were printed until it was killed at this one, or ended."""
        printed = b""
        with self.started("replay", recording, "--json") as process:
            while printed.count(b"\n") < lines and (part := process.stdout.read(4_096)):
                printed += part
            pause(process.stdout)
            process.kill()
            printed += process.stdout.read()
        return printed[: printed.rfind(b"\n") + 1].splitlines()

    def dump(self):
        """All that the database holds."""
        with closing(sqlite3.connect(self.database)) as database:
            return list(database.iterdump())

    def _environment(self, changes):
        known = {k: v for k, v in os.environ.items() if not k.startswith("GAMMABELL_")}
        url = f"sqlite+aiosqlite:///{self.database}"
        own = {"GAMMABELL_STORE__URL": url, "GAMMABELL_API__PORT": "0"}
        return known | {"PYTHONPATH": str(ROOT)} | own | changes


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


@pytest.fixture(scope="session")
def day(tmp_path_factory):
    """Two hours of BTC and ETH, one expiry in them."""
    return write_day(tmp_path_factory.mktemp("day") / "day.jsonl.gz", hours=HOURS)


@pytest.fixture(scope="session")
def replayed(day, tmp_path_factory):
    """The program after it replayed the day, and the lines that it printed."""
    program = Program(tmp_path_factory.mktemp("replayed"))
    return program, program.replay(day)


@pytest.fixture(scope="session")
def hour(tmp_path_factory):
    """An hour of BTC, for what needs many runs."""
    return write_day(tmp_path_factory.mktemp("hour") / "hour.jsonl.gz", ["BTC"], hours=1)


@pytest.fixture(scope="session")
def told_of_the_hour(hour, tmp_path_factory):
    """What an uninterrupted replay of the hour prints."""
    return Program(tmp_path_factory.mktemp("told")).replay(hour)


@pytest.fixture(scope="session")
def events(replayed):
    """What the lines say, in their order."""
    return [json.loads(line) for line in replayed[1]]


def one_line(done, code):
    """The only line on stderr of a run that printed nothing and ended with this code."""
    text = done.stderr.decode()
    assert text.count("\n") == 1, text
    assert (done.returncode, done.stdout) == (code, b""), text
    assert text.startswith("gammabell")
    return text


# --- usage


@pytest.mark.parametrize("command", [[], ["levels"], ["replay"]])
def test_help_says_what_there_is(program, command):
    done = program(*command, "--help")

    assert done.returncode == 0
    assert b"--debug" in done.stdout
    assert done.stderr == b""


BAD_USAGE = {
    "": "COMMAND",
    "levles": "levels",
    "levels --nope": "--nope",
    "levels XBT --recording {day}": "did you mean BTC?",
    "levels SOL --recording {day}": "known: BTC, ETH",
    "levels BTC --recording {day} --at yesterday": "--at yesterday",
    "levels BTC --recording {day} --at 0001-01-01T00:00:00+14:00": "--at",
    "levels BTC --recording {day} --exchanges derbit": "did you mean deribit?",
    "levels BTC --recording {day} --exchanges ,": "venue",
    "levels BTC --recording {day} --chart absent/out.png": "absent/out.png",
    "levels BTC --recording absent.gz": "absent.gz: no such file",
    "replay": "recording",
    "replay absent.gz": "absent.gz: no such file",
    "replay .": "directory",
    "replay {day} --speed nan": "--speed nan",
    "replay {day} --every soon": "--every",
    "run --role singer": "singer",
    "run --source absent.gz": "absent.gz: no such file",
    "run --events absent/events.json": "absent/events.json",
    "sim --port 99999": "99999",
    "sim --port x": "--port",
}
BAD_SETTINGS = {
    "COLLECTOR__EVRY=30s": "did you mean collector.every?",
    "TELEGRAM__MODE=webhook": "telegram.webhook_url",
    "STORE__URL=mysql://localhost/x": "[store] url",
}


@pytest.fixture(scope="session")
def refused(day, tmp_path_factory):
    """How each bad command line and each bad setting ended, and what it left behind."""

    def run(case):
        program = Program(tmp_path_factory.mktemp("refused"))
        if case in BAD_USAGE:
            done = program(*case.format(day=day).split())
        else:
            name, value = case.split("=")
            done = program("replay", day, **{f"GAMMABELL_{name}": value})
        return case, (done, list(program.folder.iterdir()))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(pool.map(run, [*BAD_USAGE, *BAD_SETTINGS]))


@pytest.mark.parametrize("case", [*BAD_USAGE, *BAD_SETTINGS])
def test_bad_usage_is_one_line_and_leaves_nothing(refused, case):
    done, left = refused[case]

    assert {**BAD_USAGE, **BAD_SETTINGS}[case] in one_line(done, 2)
    assert left == []


def test_a_bad_key_of_config_toml_is_named(program):
    (program.folder / "config.toml").write_text('[stroe]\nurl = "x"\n')

    line = one_line(program("migrate"), 2)

    assert "config.toml" in line
    assert "did you mean store?" in line


def test_debug_shows_where_an_error_comes_from(program):
    for arguments in (["--debug", "replay", "absent.gz"], ["replay", "absent.gz", "--debug"]):
        done = program(*arguments)

        assert done.returncode == 2
        assert b"Traceback" in done.stderr
        assert done.stderr.splitlines()[-1].startswith(b"gammabell: absent.gz")


# --- broken recordings


@pytest.mark.parametrize("command", ["replay {} --json", "levels BTC --recording {} --json"])
def test_a_recording_that_was_cut_off_is_one_line_and_leaves_nothing(program, day, command):
    whole = day.read_bytes()
    (program.folder / "cut.gz").write_bytes(whole[: len(whole) // 2])

    line = one_line(program(*command.format("cut.gz").split()), 1)

    assert "cut.gz: cut off" in line
    assert [path.name for path in program.folder.iterdir()] == ["cut.gz"]


def test_a_line_that_is_rubbish_is_named(program):
    path = write_recording(program.folder / "bad.gz", [tick(START, 80_000), b"rubbish"])

    line = one_line(program("replay", path), 1)

    assert f"{path}: line 3" in line
    assert not program.database.exists()


def test_a_recording_without_anything_for_its_symbols_is_no_crash(program):
    header = {**day_header(), "symbols": ["SOLUSDT"]}
    path = write_recording(program.folder / "idle.gz", [tick(START, 80_000)], header)

    done = program("replay", path, "--json")

    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_rows_that_cannot_be_read_are_counted(program):
    lines = day_lines(["BTC"], hours=0)
    lines[-1]["body"]["result"] += [None, {"instrument_name": "BTC-CS-3MAR26-1_2"}]
    path = write_recording(program.folder / "odd.gz", lines, day_header(["BTC"]))

    done = program("levels", "BTC", "--recording", path, "--json")

    dropped = json.loads(done.stdout)["meta"]["extra"]["dropped_rows"]
    assert dropped["row_unreadable"] == 3  # the day's own chains have one


def test_a_row_of_absurd_numbers_is_no_crash(program):
    lines = day_lines(["BTC"], hours=0)
    absurd = {"underlying_price": 1e-300, "estimated_delivery_price": 1e300}
    lines[-1]["body"]["result"][0] |= absurd
    path = write_recording(program.folder / "odd.gz", lines, day_header(["BTC"]))

    data = levels(program, path, "BTC")["data"]

    assert data["all_expiry"]["call_resistance"]


def test_what_a_venue_refused_with_is_what_the_line_says(program):
    header, lines = day_header(["BTC"]), day_lines(["BTC"], hours=1)
    later = START + timedelta(hours=1, minutes=1)
    refusal = {"jsonrpc": "2.0", "error": {"code": 10028, "message": "too_many_requests"}}
    path = write_recording(program.folder / "r.gz", [*lines, answer(later, refusal)], header)

    done = program("levels", "BTC", "--recording", path, "--json")

    assert "too_many_requests" in one_line(done, 1)


# --- one answer

NUMBER = "number"
WALLS = ["hvl", "call_resistance", "call_wall_2", "call_wall_3"]
WALLS += ["put_support", "put_wall_2", "put_wall_3"]
STRIKE = ["strike", "net_gex", "call_gex", "put_gex", "call_oi", "put_oi", "distance_pct"]
MOVES = ["upper_1sd", "lower_1sd", "upper_2sd", "lower_2sd"]
PRICES = ["open", "high", "low", "close", "volume"]
DATA = [
    ("all_expiry", [(name, NUMBER) for name in WALLS]),
    ("odte", [("hvl", NUMBER), ("call_resistance", NUMBER), ("put_support", NUMBER)]),
    (
        "ranked",
        [
            ("all_expiry_top_10", [[(name, NUMBER) for name in STRIKE]]),
            ("odte_top_10", [[(name, NUMBER) for name in STRIKE]]),
        ],
    ),
    ("max_pain", [("strike", NUMBER), ("value", NUMBER), ("expiry", "time")]),
    ("expected_move", [(name, NUMBER) for name in MOVES]),
    (
        "gamma_flip_zones",
        [
            [
                ("flip", NUMBER),
                ("flips", [NUMBER]),
                ("lower", NUMBER),
                ("upper", NUMBER),
                ("direction", "text"),
                ("distance_pct", NUMBER),
            ]
        ],
    ),
    ("spot", [("spot_price", NUMBER), ("perps_price", None)]),
    ("candles", [[("datetime", "time"), *((name, NUMBER) for name in PRICES)]]),
]
EXTRA = ["net_gex", "regime", "definition_version", "dropped_rows", "venue_ages_seconds"]
META = [
    ("version", "text"),
    ("timestamp", "time"),
    ("request_id", "text"),
    ("symbol", "text"),
    ("spot_price", NUMBER),
    ("computed_at", "time"),
    ("freshness_seconds", NUMBER),
    ("source", ["text"]),
    ("exchanges_filtered", None),
]


def outline(value):
    """The keys of a JSON value in their order, and of what kind each value is."""
    if isinstance(value, dict):
        return [(key, outline(part)) for key, part in value.items()]
    if isinstance(value, list):
        kinds = [outline(part) for part in value]
        return kinds[:1] if all(kind == kinds[0] for kind in kinds) else kinds
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return NUMBER
    return "time" if is_time(value) else "text"


def is_time(text):
    try:
        return datetime.fromisoformat(text).tzinfo == UTC and text.endswith("Z")
    except ValueError:
        return False


def levels(program, recording, *arguments):
    """The envelope of `levels --json`."""
    done = program("levels", *arguments, "--recording", recording, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"}\n")
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def envelope(replayed, day):
    """What `levels --json` prints of a moment between two chains."""
    return levels(replayed[0], day, "btc", "--at", "2026-03-02T07:41:00.25Z")


def test_the_envelope_has_every_key_in_its_order(envelope):
    assert list(envelope) == ["success", "data", "meta"]
    assert envelope["success"] is True
    assert outline(envelope["data"]) == DATA
    assert outline(envelope["meta"])[: len(META)] == META
    assert list(envelope["meta"])[len(META) :] == ["extra"]
    assert list(envelope["meta"]["extra"])[: len(EXTRA)] == EXTRA


def test_an_answer_is_of_the_moment_that_was_asked_for(envelope):
    meta, data = envelope["meta"], envelope["data"]
    moment = datetime(2026, 3, 2, 7, 41, 0, 250_000, UTC)
    assert datetime.fromisoformat(meta["computed_at"]) == moment
    assert datetime.fromisoformat(meta["timestamp"]) == moment
    assert meta["freshness_seconds"] == 0
    assert (meta["version"], meta["symbol"], meta["source"]) == ("2.0", "BTCUSDT", ["deribit"])
    assert meta["extra"]["venue_ages_seconds"] == {"deribit": 2_460.25}  # the chain is of 07:00
    ticks = {line["at"]: line["spot"] for line in day_lines(["BTC"], hours=2) if "spot" in line}
    assert meta["spot_price"] == data["spot"]["spot_price"] == ticks["2026-03-02T07:40:00Z"]
    times = [datetime.fromisoformat(candle["datetime"]) for candle in data["candles"]]
    assert times == sorted(times)
    assert all(moment - timedelta(hours=48) < time <= moment for time in times)


def test_without_a_time_the_answer_is_of_the_recordings_end(program, day):
    meta = levels(program, day, "ETH")["meta"]

    assert datetime.fromisoformat(meta["computed_at"]) == START + timedelta(hours=HOURS)


def test_a_time_of_another_zone_is_converted(program, day, envelope):
    there = levels(program, day, "BTCUSDT", "--at", "2026-03-02T09:41:00.25+02:00")

    assert there["data"] == envelope["data"]
    assert there["meta"]["computed_at"] == envelope["meta"]["computed_at"]


def test_the_levels_of_named_venues_say_so(program, day, envelope):
    at = envelope["meta"]["computed_at"]

    named = levels(program, day, "BTC", "--at", at, "--exchanges", "Deribit,bybit,deribit")

    assert named["meta"]["exchanges_filtered"] == ["deribit", "bybit"]
    assert named["meta"]["source"] == ["deribit"]
    assert named["data"] == envelope["data"]
    assert named["meta"]["extra"] == envelope["meta"]["extra"]


@pytest.mark.parametrize(
    "arguments",
    ["BTC --exchanges okx", "BTC --at 2026-03-01"],
)
def test_where_there_is_no_data_one_line_says_so(program, day, arguments):
    done = program("levels", *arguments.split(), "--recording", day)

    assert "BTC" in one_line(done, 1)


def test_a_card_for_people_is_plain_text_where_nobody_watches(program, day):
    done = program("levels", "ETH", "--recording", day)

    text = done.stdout.decode()
    assert done.returncode == 0
    assert text.startswith("ETH levels")
    assert "HVL" in text
    assert "\x1b" not in text


def test_a_chart_is_a_picture(program, day):
    done = program("levels", "BTC", "--recording", day, "--json", "--chart", "out.png")

    picture = (program.folder / "out.png").read_bytes()
    assert done.returncode == 0
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.endswith(b"IEND\xaeB`\x82")
    assert json.loads(done.stdout)["success"]


def test_a_chart_that_does_not_fit_on_the_disk_leaves_no_half(program, day):
    done = program("levels", "BTC", "--recording", day, "--chart", "out.png", largest_file=4_096)

    assert "out.png" in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert done.returncode != 0
    assert not (program.folder / "out.png").exists()


def test_a_full_disk_under_the_output_is_an_error(program, day):
    for arguments in (["--json"], []):
        with Path("/dev/full").open("wb") as full:
            done = program("levels", "BTC", "--recording", day, *arguments, stdout=full)

        assert done.returncode == 1
        assert done.stderr.count(b"\n") == 1


@needs_shared
def test_the_levels_of_a_real_recording_are_the_oracles(program):
    path, now = RECORDINGS / "deribit-2026-04-23_24.jsonl.gz", "2026-04-24T07:59:30.5+00:00"
    rows, spot = Recording(path).at("BTCUSDT", datetime.fromisoformat(now))
    oracle = compute(rows, spot, datetime.fromisoformat(now))

    envelope = levels(program, path, "BTC", "--at", now)

    data, extra = envelope["data"], envelope["meta"]["extra"]
    flips = [zone["flip"] for zone in oracle.data["gamma_flip_zones"]]
    assert data["spot"]["spot_price"] == spot
    assert data["all_expiry"] == oracle.data["all_expiry"]
    assert data["odte"] == oracle.data["odte"]
    assert extra["net_gex"] == pytest.approx(oracle.data["net_gex"], rel=1e-9)
    assert [zone["flip"] for zone in data["gamma_flip_zones"]] == pytest.approx(flips, rel=1e-9)


# --- what a replay prints

KEYS = {
    "snapshot": "event at symbol id spot data meta",
    "crossing": "event at symbol scope level price direction spot previous_spot snapshot late",
    "moved": "event at symbol scope level from to cause",
    "regime": "event at symbol from to spot",
    "stale": "event at symbol data_at",
    "fresh": "event at symbol data_at",
    "alert": "event at id rule target symbol text",
    "delivery": "event at alert target state",
}


def of(events, kind):
    return [event for event in events if event["event"] == kind]


def test_every_kind_of_event_happens_in_the_day(events):
    kinds = {"snapshot", "crossing", "moved", "regime", "alert", "delivery"}

    assert {event["event"] for event in events} == kinds


def test_an_event_has_its_keys_in_their_order(events):
    for event in events:
        keys = KEYS[event["event"]].split()
        if event.get("level") == "flip":
            keys.insert(keys.index("level") + 1, "zone")
        assert list(event) == keys
        assert is_time(event["at"])


def test_a_snapshot_carries_every_section(events):
    for event in of(events, "snapshot"):
        assert [name for name, _ in outline(event["data"])] == [name for name, _ in DATA]
        assert list(event["meta"])[: len(META)] == [name for name, _ in META]
        assert event["meta"]["computed_at"] == event["meta"]["timestamp"] == event["at"]
        assert event["spot"] == event["meta"]["spot_price"]


def test_events_come_in_the_order_of_time(events):
    times = [datetime.fromisoformat(event["at"]) for event in events]

    assert times == sorted(times)


def test_a_cycle_runs_at_every_chain_every_expiry_and_each_quarter(events):
    quarter = timedelta(minutes=15)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        shown = [one["at"] for one in of(events, "snapshot") if one["symbol"] == symbol]

        assert [datetime.fromisoformat(at) for at in shown] == [
            START + number * quarter for number in range(HOURS * 4 + 1)
        ]


def test_what_expires_at_eight_is_gone_at_eight(events):
    shown = {one["at"]: one["data"] for one in of(events, "snapshot")}

    before, after = shown["2026-03-02T07:45:00Z"], shown["2026-03-02T08:00:00Z"]
    assert before["max_pain"]["expiry"] == "2026-03-02T08:00:00Z"
    assert after["max_pain"]["expiry"] == "2026-03-03T08:00:00Z"


def test_every_alert_is_delivered_once_and_after_it_rang(events):
    rang, delivered = [], []
    for event in events:
        if event["event"] == "alert":
            rang.append((event["id"], event["target"]))
            assert event["text"].endswith(f"#{event['id']}")
        elif event["event"] == "delivery":
            delivered.append((event["alert"], event["target"]))
            assert event["state"] == "sent"
            assert delivered[-1] in rang

    assert Counter(delivered) == Counter(rang)
    assert len(set(rang)) == len(rang) > 0


def shown_levels(data):
    """The levels of a snapshot event that crossings are facts about, by scope, name and zone."""
    for scope in ("all_expiry", "odte"):
        for name, price in data[scope].items():
            if price is not None:
                yield (scope, name, None), price
    for number, zone in enumerate(data["gamma_flip_zones"]):
        yield ("all_expiry", "flip", number), zone["flip"]


def test_a_crossing_is_of_a_level_that_was_shown_and_by_more_than_the_buffer(events):
    shown, spots = {}, {}
    for line in day_lines(hours=HOURS):
        if "spot" in line:
            spots.setdefault(line["symbol"], []).append(line)
    for event in events:
        if event["event"] == "snapshot":
            shown[event["symbol"]] = event
        elif event["event"] == "crossing":
            last = shown[event["symbol"]]
            key = (event["scope"], event["level"], event.get("zone"))
            ticks = [one["spot"] for one in spots[event["symbol"]] if one["at"] <= event["at"]]
            price = dict(shown_levels(last["data"]))[key]
            up = event["direction"] == "up"
            assert (event["snapshot"], event["price"]) == (last["id"], price)
            assert (event["previous_spot"], event["spot"]) == tuple(ticks[-2:])
            assert event["spot"] > price * (1 + BUFFER) if up else event["spot"] < price
            assert up or event["spot"] < price * (1 - BUFFER)
            assert event["late"] is False


def test_no_jump_over_a_shown_level_is_swallowed(events):
    told = {
        (event["at"], event["symbol"], event["scope"], event["level"], event.get("zone"))
        for event in of(events, "crossing")
    }
    ticks = [line for line in day_lines(hours=HOURS) if "spot" in line]
    for symbol in ("BTCUSDT", "ETHUSDT"):
        snapshots = [one for one in of(events, "snapshot") if one["symbol"] == symbol]
        for before, now in pairwise(one for one in ticks if one["symbol"] == symbol):
            # A cycle comes after the tick of its time: these ticks saw the levels before it.
            seen = [one for one in snapshots if one["at"] < now["at"]]
            if seen and seen[-1]["at"] < before["at"]:
                for key, price in shown_levels(seen[-1]["data"]):
                    low, high = sorted((before["spot"], now["spot"]))
                    if low < price * (1 - BUFFER) and high > price * (1 + BUFFER):
                        assert (now["at"], symbol, *key) in told


def test_a_snapshot_is_what_levels_answers_for_its_time(program, day, events):
    event = of(events, "snapshot")[-5]

    envelope = levels(program, day, event["symbol"], "--at", event["at"])

    assert envelope["data"] == event["data"]
    assert envelope["meta"]["extra"] == event["meta"]["extra"]


def test_a_stored_snapshot_answers_for_its_time(replayed, events):
    program, _ = replayed
    event = of(events, "snapshot")[7]

    done = program("levels", event["symbol"], "--at", event["at"], "--json")

    envelope = json.loads(done.stdout)
    assert envelope["data"] == event["data"]
    assert envelope["meta"]["extra"]["dropped_rows"] == event["meta"]["extra"]["dropped_rows"]


def test_a_second_run_elsewhere_into_a_fresh_database_prints_the_same(program, day, replayed):
    assert program.replay(day, TZ="Pacific/Chatham", PYTHONHASHSEED="7") == replayed[1]


def test_a_finished_replay_prints_nothing_again(replayed, day):
    program, _ = replayed

    assert program.replay(day) == []


def test_another_recording_does_not_go_into_the_same_database(replayed, tmp_path):
    program, _ = replayed
    other = write_day(tmp_path / "other.gz", ["BTC"], hours=1)

    line = one_line(program("replay", other, "--json"), 1)

    assert "recording" in line
    assert "[store] url" in line


def test_a_replay_for_people_rings_in_plain_text(program, hour, told_of_the_hour):
    done = program("replay", hour)

    events = list(map(json.loads, told_of_the_hour))
    lines = done.stdout.decode().splitlines()
    assert sum(" RING " in line for line in lines) == len(of(events, "alert")) > 0
    assert len(lines) == len(of(events, "alert")) + len(of(events, "snapshot"))


# --- interrupted


def test_killed_again_and_again_a_replay_tells_the_same_story(program, day, replayed):
    told = []

    for lines in (1, 2, 15, 1, 30, 12, 20, 3, 35, 10):
        told += program.killed_after(lines, day)
    told += program.replay(day)

    assert differences(told, replayed[1]) == []


def test_killed_while_nobody_read_a_replay_tells_the_same_story(program, day, replayed):
    told = program.killed_after(50, day, pause=until_it_is_full)
    told += program.killed_after(25, day, pause=until_it_is_full)
    told += program.replay(day)

    assert differences(told, replayed[1]) == []


def until_it_is_full(pipe):
    """Waits for as long as more comes into the pipe."""
    unread, before = 0, -1
    while unread != before:
        time.sleep(0.3)
        before, (unread,) = unread, struct.unpack("i", ioctl(pipe, FIONREAD, bytes(4)))


def differences(told, whole):
    """What is told too often, too rarely or in another order than in the uninterrupted run."""
    often, once = Counter(told), Counter(whole)
    twice = [f"again: {line[:90]!r}" for line in (often - once).elements()]
    never = [f"never: {line[:90]!r}" for line in (once - often).elements()]
    order = ["in another order"] if not (twice or never) and told != whole else []
    return twice + never + order


@needs_shared
def test_killed_around_its_roll_the_real_hype_recording_tells_the_same_story(
    program, tmp_path_factory
):
    recording = program.folder / "until-ten.gz"
    with gzip.open(RECORDINGS / "derive-hype-2026-08-22.jsonl.gz") as lines:
        header, *rest = lines
        early = [line for line in rest if line[:20] < b'{"at":"2026-08-22T10']
    recording.write_bytes(gzip.compress(b"".join([header, *early])))
    whole = Program(tmp_path_factory.mktemp("whole")).replay(recording)
    events = [json.loads(line) for line in whole]
    roll = [event["at"] for event in events].index("2026-08-22T08:00:00Z") + 1

    told = program.killed_after(roll // 2, recording)
    told += program.killed_after(roll - len(told), recording)
    told += program.killed_after(1, recording)
    told += program.killed_after(40, recording)
    told += program.replay(recording)

    assert differences(told, whole) == []
    assert of(events, "alert")
    rolled = next(one for one in of(events, "snapshot") if one["at"] >= "2026-08-22T08:00:00Z")
    assert rolled["at"] == "2026-08-22T08:00:00Z"
    assert rolled["data"]["max_pain"]["expiry"] == "2026-08-23T08:00:00Z"


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(program, hour, told_of_the_hour):
    told = []

    for largest_file in (8_192, 200_000):
        full = program("replay", hour, "--json", largest_file=largest_file)
        told += full.stdout.splitlines()
        assert full.returncode == 1
        assert full.stderr.count(b"\n") == 1
        assert str(program.database) in full.stderr.decode()
    with Path("/dev/full").open("wb") as output:
        full = program("replay", hour, "--json", stdout=output)
    told += program.replay(hour)

    assert full.returncode == 1
    assert full.stderr.count(b"\n") == 1
    assert differences(told, told_of_the_hour) == []


def test_a_reader_that_goes_away_is_no_error(program, hour):
    with program.started("replay", hour, "--json") as process:
        process.stdout.read(10)
        process.stdout.close()

        assert process.wait(PATIENCE_SECONDS) == 0
        assert process.stderr.read() == b""


def test_an_interrupted_replay_goes_on_where_it_was(program, hour, told_of_the_hour):
    told = []

    for number in (signal.SIGTERM, signal.SIGINT):
        with program.started("replay", hour, "--json") as process:
            printed = b""
            while printed.count(b"\n") < 10 and (part := process.stdout.read(4_096)):
                printed += part
            process.send_signal(number)
            told += (printed + process.stdout.read()).splitlines()
            # 0: it was through before the signal came.
            assert process.wait(PATIENCE_SECONDS) in (-number, 128 + number, 0)
            assert process.stderr.read() == b""
    told += program.replay(hour)

    assert differences(told, told_of_the_hour) == []


# --- the daemon on a recording


def test_the_daemon_writes_the_same_events_to_a_file(program, hour, told_of_the_hour):
    events = list(map(json.loads, told_of_the_hour))
    path = program.folder / "events.jsonl"
    want = of(events, "alert")
    with program.started("run", "--source", hour, "--speed", "max", "--events", path) as process:
        until = time.monotonic() + PATIENCE_SECONDS
        while lines(path) < len(events) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0
        rings = process.stdout.read().decode().splitlines()

    told = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert of(told, "alert") == want
    assert of(told, "crossing") == of(events, "crossing")
    assert of(told, "snapshot") == of(events, "snapshot")
    assert len(of(told, "delivery")) == len(want)
    assert sum(ring.startswith("RING ") for ring in rings) == len(want)


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_an_events_file_that_is_full_is_one_line(program, hour):
    done = program("run", "--source", hour, "--speed", "max", "--events", "/dev/full")

    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"/dev/full" in done.stderr


# --- the database


def test_migrate_makes_the_database_once(program):
    first, second = program("migrate"), program("migrate")

    assert (first.returncode, second.returncode) == (0, 0)
    assert b"new" in first.stdout
    assert b"new" not in second.stdout


def test_what_was_recorded_can_be_looked_at_and_replayed(program):
    file = program.folder / "market.jsonl.gz"

    recorded = program("record", str(file), "--source", "sim", "--for", "9s")
    looked = program("levels", "ETH", "--recording", str(file), "--json")
    replayed = program("replay", str(file), "--json")

    assert (recorded.returncode, looked.returncode, replayed.returncode) == (0, 0, 0)
    assert {"deribit", "bybit", "okx", "binance"} <= set(
        json.loads(looked.stdout)["meta"]["source"]
    )
    events = [json.loads(line) for line in replayed.stdout.splitlines()]
    shown = {event["symbol"] for event in events if event["event"] == "snapshot"}
    assert shown == {"BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT"}


def test_a_recording_is_never_overwritten(program):
    file = program.folder / "kept.jsonl.gz"
    file.write_bytes(b"precious")

    line = one_line(program("record", str(file), "--source", "sim", "--for", "1s"), 2)

    assert "kept.jsonl.gz" in line
    assert file.read_bytes() == b"precious"


def test_live_data_does_not_come_faster_than_it_does(program):
    assert "--speed 60" in one_line(program("run", "--speed", "60", **NO_VENUES), 2)


def test_beyond_this_machine_it_does_not_run_without_a_key(program, hour):
    done = program("run", "--source", hour, GAMMABELL_API__HOST="0.0.0.0")

    assert "keys create" in one_line(done, 2)


@contextmanager
def simulated_venues():
    """The environment that points every venue at a simulator."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot.sim", "7"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as simulator:
        address = f"http://{simulator.stdout.readline().decode().strip()}"
        yield {f"GAMMABELL_VENUES__{name.upper()}__BASE_URL": address for name in VENUES}
        simulator.stdin.close()


def test_check_says_what_is_right(program):
    with simulated_venues() as venues:
        done = program("check", GAMMABELL_SYMBOLS__ALWAYS="HYPEUSDT", **venues)

    lines = sorted(done.stdout.decode().splitlines())
    assert done.returncode == 0
    assert [line.split()[:2] for line in lines] == [
        ["ok", "binance:"],
        ["ok", "bybit:"],
        ["ok", "config"],
        ["ok", "database:"],
        ["ok", "deribit:"],
        ["ok", "derive:"],
        ["ok", "okx:"],
    ]
    assert sum("lists no HYPE" in line for line in lines) == 3
    assert not program.database.exists()


def test_check_says_that_no_venue_is_enabled_and_what_nobody_lists(program):
    done = program("check", GAMMABELL_SYMBOLS__ALWAYS="FOOUSDT", **NO_VENUES)

    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.decode().splitlines()] == [
        "ok",
        "ok",
        "FAILED",
        "FAILED",
    ]


def test_check_says_which_venue_is_not_reached(program):
    local = {"GAMMABELL_VENUES__DERIBIT__BASE_URL": "http://127.0.0.1:9"}
    quiet = NO_VENUES | {"GAMMABELL_VENUES__DERIBIT__ENABLED": "true"}

    done = program("check", **local, **quiet)

    assert done.returncode == 1
    assert b"\nFAILED  deribit: not reached" in done.stdout


@pytest.fixture(scope="session")
def newer(tmp_path_factory):
    """The program over a database that a later version made."""
    program = Program(tmp_path_factory.mktemp("newer"))
    program("migrate")
    with closing(sqlite3.connect(program.database)) as database:
        database.execute("update alembic_version set version_num = '9999'")
        database.commit()
    return program


@pytest.mark.parametrize(
    "command", ["migrate", "replay {hour}", "run", "levels BTC --at 2026-03-02"]
)
def test_a_database_of_a_newer_version_is_one_line_and_stays_as_it_was(newer, hour, command):
    before = newer.dump()

    line = one_line(newer(*command.format(hour=hour).split()), 1)

    assert "revision 9999" in line
    assert newer.dump() == before


def test_check_finds_a_database_of_a_newer_version(newer):
    done = newer("check", **NO_VENUES)

    assert done.returncode == 1
    assert b"FAILED  database" in done.stdout


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0" + b"x" * 4_000])
def test_a_file_that_is_no_database_is_one_line_and_stays_as_it_was(program, day, content):
    program.database.write_bytes(content)

    line = one_line(program("replay", day), 1)

    assert str(program.database) in line
    assert program.database.read_bytes() == content


def test_a_folder_that_does_not_exist_is_one_line(program, day):
    url = f"sqlite+aiosqlite:///{program.folder}/absent/gammabell.db"

    line = one_line(program("replay", day, GAMMABELL_STORE__URL=url), 1)

    assert "absent" in line


@pytest.fixture
def read_only(program):
    """The program in a folder that nobody may write to, the administrator included."""
    if os.geteuid() == 0:
        program.database = Path("/proc/self/gammabell.db")
        if not program.database.parent.is_dir():
            pytest.skip("an administrator may write to every folder")
        yield program
        return
    program.folder.chmod(0o555)
    yield program
    program.folder.chmod(0o755)


def test_a_read_only_folder_is_one_line(read_only, day):
    line = one_line(read_only("replay", day, "--json"), 1)

    assert str(read_only.database) in line


@pytest.mark.skipif(os.geteuid() == 0, reason="an administrator may write to every file")
def test_a_read_only_database_is_one_line(program, day):
    program("migrate")
    program.database.chmod(0o444)

    line = one_line(program("replay", day, "--json"), 1)

    assert "read-only" in line


def test_a_password_is_never_shown(program):
    url = "postgresql+asyncpg://trader:secret@127.0.0.1:9/gammabell"

    line = one_line(program("migrate", GAMMABELL_STORE__URL=url), 1)

    assert "127.0.0.1:9" in line
    assert "secret" not in line
    assert "trader" not in line


def test_a_book_without_open_interest_is_no_crash(program):
    lines = day_lines(["BTC"], hours=0)
    for row in lines[-1]["body"]["result"]:
        if row:
            row["open_interest"] = 0
    empty = answer(START + timedelta(minutes=1), book([]))
    path = write_recording(program.folder / "r.gz", [*lines, empty], day_header(["BTC"]))

    data = levels(program, path, "BTC", "--at", f"{START:%Y-%m-%dT%H:%M:%SZ}")["data"]

    assert set(data["all_expiry"].values()) == {None}
    assert data["gamma_flip_zones"] == []
    assert data["max_pain"] is None
