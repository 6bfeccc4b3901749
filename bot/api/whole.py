"""Responses that are known whole before their first byte leaves: most of what is answered."""

from http import HTTPStatus

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time

from bot.api.lines import END

BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class WholeResponse(web.StreamResponse):
    """Head and body in one write; `head` is lines of headers.

    aiohttp's own Response is made to be changed until it is sent, by signals, cookies and
    codings; that costs as much as the rest of a request.
    """

    def __init__(self, head: str, body: bytes = b"", status: int = HTTPStatus.OK) -> None:
        super().__init__(status=status)
        self._head = head
        self._content = body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Written. Raises ConnectionError where nobody is left to read it."""
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        head = self._whole_head(request).encode()
        transport.write(head if request.method == "HEAD" else head + self._content)
        self._payload_writer = request.writer
        return self._payload_writer

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002  there is no more to come
        """All of it is in the kernel's hands."""
        if self._payload_writer and not self._eof_sent:
            self._eof_sent = True
            await self._payload_writer.drain()

    def _whole_head(self, request: web.BaseRequest) -> str:
        """With what the status, the body and this connection add."""
        version = request.version
        size = "" if self._status in BODILESS else f"Content-Length: {len(self._content)}{END}"
        flow = ""
        if self._keep_alive and version == HttpVersion10:
            flow = f"Connection: keep-alive{END}"
        elif not self._keep_alive and version == HttpVersion11:
            flow = f"Connection: close{END}"
        return (
            f"HTTP/{version.major}.{version.minor} {self._status} {self._reason}{END}"
            f"{self._head}{size}Date: {rfc822_formatted_time()}{END}{flow}{END}"
        )
