"""Faults of the way to Telegram and of Telegram itself, each used up by the call it meets."""

import re
from dataclasses import dataclass

KINDS = {
    "bad gateway",  # 502 with HTML, nothing done
    "flood",  # 429 for so many seconds, nothing done
    "reset",  # the connection is cut, nothing done
    "hang",  # no answer ever, nothing done
    "reply lost",  # done, and the connection is cut
    "slow",  # done, and answered only after so many seconds
}


@dataclass
class Fault:
    pattern: str  # of the method's name
    kind: str
    times: int
    seconds: int


class Faults:
    """Those still to come."""

    def __init__(self):
        self._coming = []

    def add(self, pattern, kind, times, seconds):
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are {sorted(KINDS)}")
        self._coming.append(Fault(pattern, kind, times, seconds))

    def take(self, method):
        """The fault that this call meets, or None."""
        for fault in self._coming:
            if re.fullmatch(fault.pattern, method, re.IGNORECASE):
                fault.times -= 1
                self._coming = [fault for fault in self._coming if fault.times]
                return fault
        return None

    def clear(self):
        self._coming.clear()
