"""Telegram's Bot API on a loopback socket, for the real client to talk to.

It keeps the real one's rules and limits; what is not published is marked where it stands. A test
is every user of it at once: see `Scene` for what they can do.
"""

import asyncio
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.telegram_errors import UNAUTHORIZED, UNKNOWN_METHOD, ApiError, too_many
from tests.fakes.telegram_faults import Faults
from tests.fakes.telegram_methods import METHODS
from tests.fakes.telegram_params import Params, read_params
from tests.fakes.telegram_scene import Scene

CALLS_KEPT = 20_000
LARGEST_REQUEST = 60 * 1024 * 1024
BAD_GATEWAY = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n"
CUT = 0  # a call's status where it got no answer
LOOK_EVERY = 0.02  # seconds
LINGER = 0.2  # seconds that an answer on its way may take when the server closes


@dataclass(frozen=True)
class Call:
    """One call and its HTTP status; 0 where the connection was cut instead."""

    time: float
    method: str
    params: dict
    uploads: dict  # field: bytes
    status: int
    reason: str = ""  # of a refusal


class FakeTelegram(Scene):
    """Serves for as long as it is entered: base_url of the client is `api_base` + "/bot"."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.api_base = ""  # known once entered
        self.calls = deque(maxlen=CALLS_KEPT)
        self.counts = Counter()  # by (method, status)
        self.faults = Faults()
        self._refuse = False
        self._closing = asyncio.Event()
        self._changed = asyncio.Event()
        self._open = set()  # connections with a call under way
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            shutdown_timeout=LINGER,
            handler_cancellation=True,  # a poll or a hanging call ends when its client goes
        )

    def __repr__(self):
        return f"FakeTelegram({self.api_base})"

    async def __aenter__(self):
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.api_base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_):
        self._closing.set()
        await self.updates.close()
        await self._runner.cleanup()

    @property
    def refuse(self):
        """Whether the server is down: every connection is cut, the waiting ones too."""
        return self._refuse

    @refuse.setter
    def refuse(self, down):
        self._refuse = down
        for transport in list(self._open) if down else []:
            transport.abort()

    def fail(self, method, kind, times=1, seconds=1):
        """Let the next calls whose method matches meet a fault, one of faults.KINDS."""
        self.faults.add(method, kind, times, seconds)

    def called(self, method):
        """The parameters of the calls of a method, oldest first."""
        return [call.params for call in self.calls if call.method == method]

    async def until(self, predicate, timeout=30.0):  # noqa: ASYNC109 a test gives up, no task does
        """Wait until the predicate holds; looked at after every call. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not predicate():
                self._changed.clear()
                with suppress(TimeoutError):  # what it looks at may be no call's doing
                    await asyncio.wait_for(self._changed.wait(), LOOK_EVERY)

    async def next_message(self, chat, timeout=30.0):  # noqa: ASYNC109 likewise
        """The bot's first message to the chat that was not returned before, as it is now."""
        await self.until(lambda: self._unread(chat), timeout)
        message = self._unread(chat)
        chat.read = message.id
        return message

    def _unread(self, chat):
        return next((m for m in self.messages(chat) if m.by_bot and m.id > chat.read), None)

    def _application(self):
        application = web.Application(client_max_size=LARGEST_REQUEST)
        application.router.add_get("/file/bot{token}/{path:.+}", self._file, allow_head=False)
        application.router.add_get("/bot{token}/{method}", self._call, allow_head=False)
        application.router.add_post("/bot{token}/{method}", self._call)
        return application

    async def _file(self, request):
        path, token = request.match_info["path"], request.match_info["token"]
        found = next((file for file in self.world.files.values() if file.path == path), None)
        if token != self.token or found is None:
            return _refusal(ApiError(*UNKNOWN_METHOD))
        return web.Response(body=found.data, content_type="application/octet-stream")

    async def _call(self, request):
        """One call, recorded with what came of it."""
        method, params, status, reason = request.match_info["method"], Params(), CUT, ""
        self._open.add(request.transport)
        try:
            params = await self._received(request)
            response = await self._answer(request.match_info["token"], method, params)
            status = response.status
        except ConnectionAbortedError:
            response = _cut(request)
        except ApiError as error:
            response, status, reason = _refusal(error), error.code, error.description
        finally:
            self._open.discard(request.transport)
            self._record(method, params, status, reason)
        return response

    async def _received(self, request):
        if self._refuse:
            raise ConnectionAbortedError
        return await read_params(request)

    def _record(self, method, params, status, reason):
        sizes = {name: len(upload.data) for name, upload in params.uploads.items()}
        call = Call(self.world.clock(), method, params.values, sizes, status, reason)
        self.calls.append(call)
        self.counts[method, status] += 1
        self._changed.set()

    async def _answer(self, token, method, params):
        """The response, unless a fault comes in between. Raises ApiError."""
        fault = self.faults.take(method)
        kind = fault.kind if fault else ""
        if kind == "bad gateway":
            return web.Response(status=502, text=BAD_GATEWAY, content_type="text/html")
        if kind == "flood":
            raise too_many(fault.seconds)
        if kind == "hang":
            await self._closing.wait()
        if kind in ("hang", "reset"):
            raise ConnectionAbortedError
        result = await self._result(token, method, params)
        if kind == "reply lost":
            raise ConnectionAbortedError
        if kind == "slow":
            await self._pause(fault.seconds)
        return web.json_response({"ok": True, "result": result})

    async def _pause(self, seconds):
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    async def _result(self, token, method, params):
        if token != self.token:
            raise ApiError(*UNAUTHORIZED)
        if method.lower() == "getupdates":
            return await self.updates.poll(params)
        if method.lower() not in METHODS:
            raise ApiError(*UNKNOWN_METHOD)
        return METHODS[method.lower()](self, params)


def _cut(request):
    """Nothing: the connection is gone."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refusal(error):
    return web.json_response(error.as_json(), status=error.code)
