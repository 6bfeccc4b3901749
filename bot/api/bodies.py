"""Bodies of requests: none is needed, and so much is tolerated."""

import asyncio

from aiohttp import StreamReader, hdrs, web

from bot.api.codes import BAD_REQUEST, PAYLOAD_TOO_LARGE, Refused

MOST_BYTES = 65_536
WHOLE_SECONDS = 1.0  # in which a body has come that does not say its size
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


async def check_body(request: web.BaseRequest) -> None:
    """Raises Refused for a body that is too large, or whose size cannot be known."""
    if hdrs.CONTENT_LENGTH in request.headers:
        size = request.content_length or 0
    elif hdrs.TRANSFER_ENCODING in request.headers:
        size = await _measured(request)
    else:
        return  # of CONNECT: it has none, but would be followed by something
    if size > MOST_BYTES:
        raise Refused(PAYLOAD_TOO_LARGE, f"a body has at most {MOST_BYTES} bytes")


async def _measured(request: web.BaseRequest) -> int:
    """The bytes of a body that comes in pieces, read no further than is tolerated."""
    if hdrs.EXPECT in request.headers and request.transport:
        request.transport.write(GO_ON)
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            return await _size_of(request.content)
    except TimeoutError as error:
        text = f"the body has not come whole in {WHOLE_SECONDS:g} s"
        raise Refused(BAD_REQUEST, text) from error
    except (web.RequestPayloadError, OSError) as error:
        raise Refused(BAD_REQUEST, "the body cannot be read") from error


async def _size_of(content: StreamReader) -> int:
    size = 0
    while size <= MOST_BYTES and (piece := await content.readany()):
        size += len(piece)
    return size
