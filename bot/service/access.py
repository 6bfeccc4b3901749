"""Who comes into the dashboard with a browser: by a link from the bot, or by a key."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex

from bot.core.seals import Seal
from bot.ports import Facts

KEY = "access.key"  # a fact: what every process signs with; a new one ends every session
KEY_BYTES = 32
RELOAD_SECONDS = 1.0  # after which a new key counts
NONCE_BYTES = 8
PASS_SECONDS = 10 * 60
SESSION_SECONDS = 30 * 86_400
FOR_EVER = datetime.max.replace(tzinfo=UTC).timestamp()  # calendars are fetched for years


class Access:
    """Links that lead into the dashboard, and the sessions of the browsers that followed one."""

    def __init__(self, facts: Facts, now: Callable[[], float], public_url: str) -> None:
        self._facts = facts
        self._now = now  # seconds since 1970
        # Where people open the dashboard, without the slash; empty where nobody said so.
        self.public_url = public_url
        self._key = ""
        self._read_at = float("-inf")

    async def link(self, person: str) -> str:
        """What lets the person in, once, within ten minutes. Their newest link alone counts.

        The pass stands behind the #, which browsers keep to themselves: no server, proxy or
        preview of a chat ever sees it. Raises StoreError.
        """
        nonce = token_hex(NONCE_BYTES)
        await self._facts.put_fact(_fact(person), nonce)
        words, until = f"{person} {nonce}", self._now() + PASS_SECONDS
        return f"{self.public_url}/sign-on#{(await self._seal('pass')).close(words, until)}"

    async def enter(self, given: str) -> str | None:
        """A session of the person whose pass it is; None when it is no good. Raises StoreError.

        Two who use it in the same moment may both come in: it is one person's, and what they
        can do with it is read.
        """
        words = (await self._seal("pass")).open(given, self._now())
        if words is None:
            return None
        person, _, nonce = words.rpartition(" ")
        kept = await self._facts.fact(_fact(person)) or ""
        if not hmac.compare_digest(kept.encode(), nonce.encode()):
            return None
        await self._facts.put_fact(_fact(person), "")
        return await self.begin(person)

    async def begin(self, holder: str) -> str:
        """A session of that holder. Raises StoreError."""
        return (await self._seal("session")).close(holder, self._now() + SESSION_SECONDS)

    async def holder(self, session: str) -> str | None:
        """Whose session it is; None when it is none. Raises StoreError."""
        return (await self._seal("session")).open(session, self._now())

    async def calendar(self, symbol: str) -> str:
        """Where a calendar program, which sends no key, finds the symbol's expiries."""
        token = (await self._seal("calendar")).close(symbol, FOR_EVER)
        return f"{self.public_url}/calendar/{token}.ics"

    async def calendar_of(self, token: str) -> str | None:
        """The symbol whose calendar it is; None when it is none of ours. Raises StoreError."""
        return (await self._seal("calendar")).open(token, self._now())

    async def _seal(self, purpose: str) -> Seal:
        """What signs for that purpose, with a key that is a second old at most."""
        now = self._now()
        if abs(now - self._read_at) >= RELOAD_SECONDS:
            fresh = token_hex(KEY_BYTES)
            self._key, self._read_at = await self._facts.first_fact(KEY, fresh), now
        return Seal(self._key, purpose)


async def end_all(facts: Facts) -> None:
    """No pass, session or calendar that there is counts any more. Raises StoreError."""
    await facts.put_fact(KEY, token_hex(KEY_BYTES))


def _fact(person: str) -> str:
    """Where it is kept which pass of the person's was not used yet."""
    return f"access.pass {person}"
