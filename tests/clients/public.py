"""A client as somebody writes it for the public API: nothing here knows our program."""

import time

import requests

TRIES = 2
PATIENCE_SECONDS = 60


class ApiError(Exception):
    def __init__(self, status, error, meta):
        super().__init__(f"{error['code']}: {error['message']} (request_id={meta['request_id']})")
        self.status = status
        self.code = error["code"]
        self.details = error.get("details", {})


class Levels:
    """Asks, waits where it is told to, and remembers what has not changed."""

    def __init__(self, base, key="", sleep=time.sleep):
        self._base = base
        self._session = requests.Session()
        if key:
            self._session.headers["X-API-Key"] = key
        self._sleep = sleep
        self._known = {}  # (path, parameters) -> ETag, body
        self.remaining = None
        self.spared = 0  # answers that were known already

    def get(self, path, **params):
        asked = (path, tuple(params.items()))
        tag, known = self._known.get(asked, ("", None))
        for _ in range(TRIES):
            headers = {"If-None-Match": tag} if tag else {}
            response = self._session.get(
                f"{self._base}{path}", params=params, headers=headers, timeout=PATIENCE_SECONDS
            )
            self.remaining = int(response.headers["X-RateLimit-Remaining"])
            if response.status_code != 429:
                break
            self._sleep(int(response.headers["Retry-After"]))
        if response.status_code == 304:
            self.spared += 1
            return known
        body = response.json()
        if not body["success"]:
            raise ApiError(response.status_code, body["error"], body["meta"])
        self._known[asked] = (response.headers["ETag"], body)
        return body

    def close(self):
        self._session.close()


def summary(body):
    """A line as a desk prints it."""
    levels, meta = body["data"]["all_expiry"], body["meta"]
    return (
        f"{meta['symbol']} spot {meta['spot_price']:,.2f} HVL {levels['hvl']:,.0f} "
        f"call wall {levels['call_resistance']:,.0f} put support {levels['put_support']:,.0f} "
        f"({meta['freshness_seconds']:.0f} s old, {', '.join(meta['source'])})"
    )
