"""What a button carries: the line that pressing it types, signed so that nobody can make one up.

No state is kept, so that buttons work after a restart; what the line may do is checked when it is
pressed, as for a typed one.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

TAG_BYTES = 6  # 48 bits: nobody guesses one through a chat's limits
TAG_LENGTH = 8  # characters that they become
BESIDE = "+"  # begins the line of a button whose message stays: the answer comes beside it


@dataclass(frozen=True, slots=True)
class Press:
    """What a button means."""

    line: str
    beside: bool = False  # whether the message with the button stays as it is


class Signer:
    """Signs lines with a key that every process of the program shares."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def sign(self, line: str, limit: int, *, beside: bool = False) -> str | None:
        """The button's data; None where it would be longer than `limit` bytes."""
        line = f"{BESIDE}{line}" if beside else line
        data = self._tag(line) + line
        return data if len(data.encode()) <= limit else None

    def read(self, data: str) -> Press | None:
        """What was signed; None when it was not by us."""
        tag, line = data[:TAG_LENGTH], data[TAG_LENGTH:]
        if not hmac.compare_digest(tag.encode("utf-8", "surrogatepass"), self._tag(line).encode()):
            return None
        return Press(line.removeprefix(BESIDE), line.startswith(BESIDE))

    def _tag(self, line: str) -> str:
        whole = hmac.digest(self._key, line.encode("utf-8", "surrogatepass"), sha256)
        return urlsafe_b64encode(whole[:TAG_BYTES]).decode()
