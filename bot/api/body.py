"""Bodies: the data part is encoded, hashed and compressed once, only meta for each request.

The gzip stream of an answer is the data part's, which ends at a byte's border, and meta in a block
that is stored as it is: one member, which every client reads, and nothing is compressed twice.
"""

import hashlib
import zlib
from collections.abc import Hashable

import msgspec

from bot.api.schema import Meta

OPENING, MIDDLE, CLOSING = b'{"success":true,"data":', b',"meta":', b"}"
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no time
LAST_STORED = b"\x01"
LEAST_COMPRESSED = 512  # bytes: below it is not worth it
RAW_DEFLATE = -15  # zlib's word for a stream without its own header
LEVEL = 6
TAG_BYTES = 16


class Body:
    """The data part of an answer, with everything that can be known before it is asked for."""

    def __init__(self, identity: Hashable, data: object) -> None:
        encoded = msgspec.json.encode(data)
        self._head = OPENING + encoded + MIDDLE
        self._packed: bytes | None = None
        self._crc = 0
        tag = hashlib.blake2b(repr(identity).encode(), digest_size=TAG_BYTES)
        tag.update(encoded)
        self.tag = tag.hexdigest()

    @property
    def is_worth_packing(self) -> bool:
        """Whether compression saves anything."""
        return len(self._head) >= LEAST_COMPRESSED

    def plain(self, meta: Meta) -> bytes:
        """The whole answer."""
        return b"".join((self._head, msgspec.json.encode(meta), CLOSING))

    def packed(self, meta: Meta) -> bytes:
        """The whole answer as gzip."""
        tail = msgspec.json.encode(meta) + CLOSING
        if self._packed is None:
            self._packed, self._crc = _compressed(self._head), zlib.crc32(self._head)
        stored = _stored(tail)
        checksum = zlib.crc32(tail, self._crc).to_bytes(4, "little")
        length = (len(self._head) + len(tail)).to_bytes(4, "little")
        return b"".join((GZIP_HEADER, self._packed, stored, checksum, length))


def _compressed(data: bytes) -> bytes:
    """Raw deflate up to a byte's border, the stream left open."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW_DEFLATE)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


def _stored(data: bytes) -> bytes:
    """The last block of a deflate stream: at most 65,535 bytes as they are, and meta is short."""
    size = len(data)
    return LAST_STORED + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + data
