"""The simulator's own interface: its faults, and what it was asked."""

from collections import Counter, defaultdict

import msgspec
from aiohttp import web

from bot.sim.faults import Fault, Faults

MOST_PATHS = 1000
OTHER = "other"  # path, once so many were counted


class Requests:
    """How often each path of each venue was asked for, WebSockets' handshakes included."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, venue: str, path: str) -> None:
        known = (venue, path) in self._counts or len(self._counts) < MOST_PATHS
        self._counts[venue, path if known else OTHER] += 1

    def of(self, venue: str, path: str) -> int:
        return self._counts[venue, path]

    def listed(self) -> dict[str, dict[str, int]]:
        """By venue and path."""
        listed: dict[str, dict[str, int]] = defaultdict(dict)
        for (venue, path), count in sorted(self._counts.items()):
            listed[venue][path] = count
        return listed


class Control:
    """`/control/faults` and `/control/requests`."""

    def __init__(self, faults: Faults, requests: Requests) -> None:
        self._faults = faults
        self._requests = requests

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/requests", self._counted),
            web.get("/control/faults", self._listed),
            web.post("/control/faults", self._add),
            web.delete("/control/faults", self._clear),
            web.delete(r"/control/faults/{id:\d{1,15}}", self._remove),
        ]

    async def _counted(self, _: web.Request) -> web.Response:
        return _json(self._requests.listed())

    async def _listed(self, _: web.Request) -> web.Response:
        return _json(self._faults.listed())

    async def _add(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
            return _json({"id": self._faults.add(fault)})
        except ValueError as error:  # msgspec's among them
            return _json({"error": str(error)}, 400)

    async def _clear(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return _json({})

    async def _remove(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        if self._faults.remove(number):
            return _json({})
        return _json({"error": f"there is no fault {number}"}, 404)


def _json(body: object, status: int = 200) -> web.Response:
    text = msgspec.json.encode(body)
    return web.Response(body=text, status=status, content_type="application/json")
