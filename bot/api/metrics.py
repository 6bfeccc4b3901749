"""Counters of the API, in the plain text that Prometheus reads."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

OTHER = "other"  # every path that is not in the table
REQUESTS, SECONDS, AGES = (
    "gammabell_http_requests_total",
    "gammabell_http_seconds_total",
    "gammabell_snapshot_age_seconds",
)


class Metrics:
    """What was answered since the start."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, int]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def count(self, path: str, status: int, seconds: float) -> None:
        """One answer."""
        self._answers[path, status] += 1
        self._seconds[path] += seconds

    def text(self, ages: Mapping[str, float]) -> str:
        """All of it; `ages` are those of the newest snapshots, seconds by symbol."""
        answered = (
            (f'path="{path}",status="{status}"', str(count))
            for (path, status), count in sorted(self._answers.items())
        )
        took = ((f'path="{path}"', f"{took:.6f}") for path, took in sorted(self._seconds.items()))
        old = ((f'symbol="{symbol}"', f"{age:.3f}") for symbol, age in ages.items())
        return "".join(
            (
                *_family(REQUESTS, "counter", answered),
                *_family(SECONDS, "counter", took),
                *_family(AGES, "gauge", old),
            )
        )


def _family(name: str, kind: str, samples: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"# TYPE {name} {kind}\n"
    for labels, value in samples:
        yield f"{name}{{{labels}}} {value}\n"
