"""The chains of a recording, read with a few lines of our own."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.core.chains import NAN
from tests.oracle import Row

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DERIBIT = re.compile(r"([A-Z]+)(?:_USDC)?-(\d{1,2})([A-Z]{3})(\d\d)-(\d+(?:d\d+)?)-([CP])")
DERIVE = re.compile(r"([A-Z]+)-(\d{4})(\d\d)(\d\d)-(\d+(?:_\d+)?)-([CP])")


class Recording:
    """The spots and the venue's answers of one file, by symbol and time."""

    def __init__(self, path: Path) -> None:
        self.spots: dict[str, list[tuple[datetime, float]]] = {}
        self.answers: dict[str, list[tuple[datetime, str, list[Row]]]] = {}
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                self._add(json.loads(line))

    def at(self, symbol: str, now: datetime) -> tuple[list[Row], float]:
        """The newest chain and the newest spot not after `now`."""
        parts = {part: rows for at, part, rows in self.answers[symbol] if at <= now}
        spot = [spot for at, spot in self.spots[symbol] if at <= now][-1]
        return [row for rows in parts.values() for row in rows], spot

    def chain_times(self, symbol: str) -> list[datetime]:
        return sorted({at for at, _, _ in self.answers[symbol]})

    def _add(self, line: dict) -> None:
        if "recording" in line:
            return
        at = datetime.fromisoformat(line["at"])
        if "spot" in line:
            self.spots.setdefault(line["symbol"], []).append((at, line["spot"]))
            return
        name = line["path"].rsplit("/", 1)[-1]
        if name == "get_book_summary_by_currency":
            rows, part = list(_deribit(line["body"])), ""
        elif name == "get_tickers":
            rows, part = list(_derive(line["body"])), line["params"]["expiry_date"]
        else:
            return
        self.answers.setdefault(f"{line['params']['currency']}USDT", []).append((at, part, rows))


def _deribit(body: dict) -> Iterator[Row]:
    for row in body["result"]:
        _, day, month, year, strike, side = DERIBIT.fullmatch(row["instrument_name"]).groups()
        expiry = datetime(2000 + int(year), MONTHS.index(month) + 1, int(day), 8, tzinfo=UTC)
        yield Row(
            "deribit",
            expiry,
            float(strike.replace("d", ".")),
            side == "C",
            oi=row["open_interest"],
            iv=row.get("mark_iv", NAN) / 100,
            forward=row["underlying_price"],
            index=row["estimated_delivery_price"],
        )


def _derive(body: dict) -> Iterator[Row]:
    for name, row in body["result"]["tickers"].items():
        _, year, month, day, strike, side = DERIVE.fullmatch(name).groups()
        pricing = row["option_pricing"]
        yield Row(
            "derive",
            datetime(int(year), int(month), int(day), 8, tzinfo=UTC),
            float(strike.replace("_", ".")),
            side == "C",
            oi=float(row["stats"]["oi"]),
            iv=float(pricing["i"]),
            forward=float(pricing["f"]),
            index=float(row["I"]),
        )
