"""`make faults`: the whole matrix into docs/faults.md; with --count so many faults by chance."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.faults.cases import MATRIX
from tests.faults.loop import played
from tests.faults.many import GROWTH, SETTLED, struck
from tests.faults.table import DOCUMENT, page
from tests.faults.verdict import outcome_of


def main():
    """What the arguments ask for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--count", type=int, help=f"play so many, more than {SETTLED}, in one run")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    return play_many(asked.count, asked.seed) if asked.count else play_matrix()


def play_matrix():
    """1 when a promise was broken."""
    outcomes = {}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for case, outcome in zip(MATRIX, pool.map(outcome_of, MATRIX), strict=True):
            outcomes[case] = outcome
            say(f"{len(outcomes):>3} of {len(MATRIX)}  {case}: {outcome}")
    DOCUMENT.write_text(page(outcomes), encoding="utf-8")
    return any(outcome.broken for outcome in outcomes.values())


def play_many(count, seed):
    """1 when the memory grew."""
    first, last = played(struck(count, seed))
    grown = last / first - 1
    say(f"after {SETTLED} faults {first:.1f} MB, after {count} {last:.1f} MB: {grown:+.1%}")
    return grown > GROWTH


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
