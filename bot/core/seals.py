"""Words that a browser keeps for us: everyone can read them, and nobody but us can write them."""

import hmac
from base64 import b32decode, b32encode
from hashlib import sha256

TAG_BYTES = 16  # 128 bits: nobody guesses one


class Seal:
    """Signs words for one purpose; what was signed for another is not taken."""

    def __init__(self, key: str, purpose: str) -> None:
        self._key = hmac.digest(key.encode(), purpose.encode(), sha256)

    def close(self, words: str, until: float) -> str:
        """A token that a link or a cookie can hold, good until then, seconds since 1970."""
        body = _text(f"{int(until)} {words}".encode())
        return f"{body}.{self._tag(body)}"

    def open(self, token: str, now: float) -> str | None:
        """The words; None when they are not from us, or when their time is over."""
        body, _, tag = token.partition(".")
        if not hmac.compare_digest(tag.encode("utf-8", "replace"), self._tag(body).encode()):
            return None
        until, _, words = _bytes(body).decode().partition(" ")
        return words if now < int(until) else None

    def _tag(self, body: str) -> str:
        whole = hmac.digest(self._key, body.encode("utf-8", "replace"), sha256)
        return _text(whole[:TAG_BYTES])


def _text(data: bytes) -> str:
    """In letters and digits, which no chat takes for formatting."""
    return b32encode(data).decode().rstrip("=").lower()


def _bytes(text: str) -> bytes:
    return b32decode(text.upper() + "=" * (-len(text) % 8))
