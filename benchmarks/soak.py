"""A day of the daemon in a hurry: `python -m benchmarks.soak [HOURS] [SPEED]`.

Simulated hours at speed, four symbols, five venues, over one expiry roll at 08:00 UTC. Prints
resident memory each simulated hour and what went wrong; exits with 1 when something did that was
not planted (nothing is), or when memory did not stay level.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {  # a cycle takes as much computing at any speed: fewer of them
    "GAMMABELL_COLLECTOR__EVERY": "2m",
    "GAMMABELL_COLLECTOR__STALE_AFTER": "6m",
}
LEVEL = 0.05  # of the memory after the first hours
SETTLED_HOURS = 4  # until caches and the database's pages are filled


def main() -> None:
    """Run, watch, judge."""
    hours, speed = [float(text) for text in (*sys.argv[1:], "24", "30")[:2]]
    with tempfile.TemporaryDirectory() as folder:
        events, log = Path(folder) / "events.jsonl", Path(folder) / "log.txt"
        resident = list(watch(start(folder, events, log, speed), hours, speed))
        complaints = log.read_text().splitlines()
        counts = Counter(json.loads(line)["event"] for line in events.open())
        rolls = sum(rolled(line) for line in events.open())
    print(f"events: {dict(counts)}; snapshots in the cycle of an expiry: {rolls}")
    print(f"log: {len(complaints)} lines", *complaints[:20], sep="\n  ")
    settled = resident[min(SETTLED_HOURS, len(resident) - 1) :]
    growth = settled[-1] / settled[0] - 1
    print(f"resident: {settled[0]:.1f} MB settled, {settled[-1]:.1f} MB at the end ({growth:+.1%})")
    sys.exit(bool(complaints) or abs(growth) > LEVEL or not counts["snapshot"] or not rolls)


def start(folder: str, events: Path, log: Path, speed: float) -> subprocess.Popen[bytes]:
    """The daemon on the simulated market, its log in the file."""
    daemon = [sys.executable, "-m", "bot", "run", "--source", "sim"]
    return subprocess.Popen(
        [*daemon, "--speed", str(speed), "--events", str(events)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | SETTINGS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log.open("wb"),
    )


def watch(daemon: subprocess.Popen[bytes], hours: float, speed: float) -> Iterator[float]:
    """Its resident memory each simulated hour, MB; ends it at the end."""
    try:
        for hour in range(1, int(hours) + 1):
            time.sleep(3_600 / speed)
            status = Path(f"/proc/{daemon.pid}/status").read_text()
            line = next(one for one in status.splitlines() if one.startswith("VmRSS"))
            megabytes = int(line.split()[1]) / 1_024
            print(f"hour {hour:>2}: {megabytes:.1f} MB", flush=True)
            yield megabytes
    finally:
        daemon.send_signal(signal.SIGTERM)
        print(f"ended with {daemon.wait(20)}")


def rolled(line: str) -> bool:
    """Whether it is a snapshot of the second in which options expired."""
    return '"event":"snapshot"' in line and "T08:00:00" in json.loads(line)["at"]


if __name__ == "__main__":
    main()
