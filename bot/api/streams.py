"""Answers that go on: each ends with the key of whoever listens, and all with the server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import cast

from aiohttp import web

from bot.api.pages import Stream
from bot.errors import StoreError

RECHECK_SECONDS = 30.0  # whether whoever is told of what happens still has a key

Knows = Callable[[web.BaseRequest], Awaitable[bool]]


class Streams:
    """Those under way."""

    def __init__(self, knows: Knows, recheck: float) -> None:
        self._knows = knows  # whether who asked would still be admitted; raises StoreError
        self._recheck = recheck  # seconds
        self._running: set[asyncio.Task[object]] = set()

    async def run(
        self, request: web.BaseRequest, stream: Stream, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """The answer, once it has ended. Raises web.HTTPException for no true WebSocket."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._running.add(task)
        watch = asyncio.create_task(self._until_its_key_ends(request))

        def end(_: object) -> None:  # also when the watch itself fails
            task.cancel()

        watch.add_done_callback(end)
        try:
            return await stream.run(request, headers)
        finally:
            watch.remove_done_callback(end)
            watch.cancel()
            self._running.discard(task)

    def close(self) -> None:
        """End them all."""
        for task in self._running:
            task.cancel()

    async def _until_its_key_ends(self, request: web.BaseRequest) -> None:
        """Returns once whoever listens could not open it any more."""
        is_known = True
        while is_known:
            await asyncio.sleep(self._recheck)
            with suppress(StoreError):
                is_known = await self._knows(request)
