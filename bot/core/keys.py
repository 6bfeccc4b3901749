"""Keys of the HTTP API: how one is made of random bytes, and what is kept of it."""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

PREFIX = "gb_live_"
RANDOM_BYTES = 20  # 160 bits, exactly 32 characters of base 32
PER_MINUTE = 600  # requests, where nothing else was said
BY_KEY = "key:"  # begins the holder of a session that a key opened; its digest follows


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Who may ask, and how often."""

    name: str
    digest: str  # of the key, hex
    per_minute: int
    created_at: datetime


def make_key(random: bytes) -> str:
    """The key to be shown once: gb_live_ and 32 characters that a double click selects."""
    return PREFIX + b32encode(random).decode().lower()


def digest_of(key: str) -> str:
    """What is kept of a key.

    One round of SHA-256: there is nothing to guess in 160 random bits, so a slow hash, as a
    password needs it, would only slow down every request.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def find_key(presented: str, keys: Iterable[ApiKey]) -> ApiKey | None:
    """The key that was presented; takes as long for any, whether or not it is known."""
    digest, found = digest_of(presented), None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found
