"""`make bench`: what the program costs, as a table and as build/bench.json."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.chains import NOW, SPOT, make_chain
from bot.core.snapshot import compute_levels

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("GAMMABELL_SHARED", ROOT.parent / "shared"))
APRIL = SHARED / "data" / "recordings" / "deribit-2026-04-23_24.jsonl.gz"
GAMMABELL = [sys.executable, "-m", "bot"]
DAEMON_SECONDS = 20


def main() -> None:
    """Measure everything, print the table, write the file."""
    results = [
        measure_levels("levels-3860", 3_860, 100),
        measure_levels("levels-36000", 36_000, 20),
        measure("help", 10, lambda: run(["--help"])),
    ]
    if APRIL.exists():
        results.append(measure("replay-april", 3, replay_april))
    else:
        print(f"replay-april left out: no {APRIL}")
    print(f"{'name':<16}{'n':>5}{'median ms':>12}{'min ms':>12}{'max ms':>12}")
    for row in results:
        print(
            f"{row['name']:<16}{row['n']:>5}{row['median_ms']:>12.2f}"
            f"{row['min_ms']:>12.2f}{row['max_ms']:>12.2f}"
        )
    print(f"daemon, 4 symbols, {DAEMON_SECONDS} s, no chart: {daemon_megabytes():.0f} MB resident")
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(json.dumps(results, indent=1) + "\n")


def measure_levels(name: str, rows: int, times: int) -> dict:
    """Every level of both sets, zones included, of a chain of so many contracts."""
    chain = make_chain(rows)
    return measure(name, times, lambda: compute_levels(chain, SPOT, NOW))


def measure(name: str, times: int, act: Callable[[], object]) -> dict:
    """How long it takes, after one run that does not count."""
    act()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append((time.perf_counter() - started) * 1_000)
    return {
        "name": name,
        "n": times,
        "median_ms": statistics.median(taken),
        "min_ms": min(taken),
        "max_ms": max(taken),
    }


def run(arguments: list[str], folder: str = ".") -> None:
    """One command of the program, from start to end, its output thrown away."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*GAMMABELL, *arguments], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL
    )


def replay_april() -> None:
    """The April recording into a new database on disk."""
    with tempfile.TemporaryDirectory() as folder:
        run(["replay", str(APRIL), "--speed", "max", "--json"], folder)


def daemon_megabytes() -> float:
    """Resident memory of the daemon against the simulator."""
    with tempfile.TemporaryDirectory() as folder:
        daemon = subprocess.Popen(
            [*GAMMABELL, "run", "--source", "sim"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            time.sleep(DAEMON_SECONDS)
            status = Path(f"/proc/{daemon.pid}/status").read_text()
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(15)
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
    return int(kilobytes) / 1_024


if __name__ == "__main__":
    main()
