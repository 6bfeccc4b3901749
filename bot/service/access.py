"""Who comes into the dashboard with a browser: by a link from the bot, or by a key."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from secrets import token_hex

from bot.core.seals import Seal
from bot.core.sessions import SESSION_SECONDS, has_ended, name_session, with_ended
from bot.ports import Facts

KEY = "access.key"  # a fact: what every process signs with; a new one ends every session
KEY_BYTES = 32
RELOAD_SECONDS = 1.0  # after which a new key counts, and the end of a session
NONCE_BYTES = 8
NAME_BYTES = 4  # of a session, beside the second in which it was opened
PASS_SECONDS = 10 * 60
SESSION = "named session"  # a seal apart from that of once, when they had no names
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
        self._ended: dict[str, Sequence[str]] = {}  # sessions, by holder; as old as the key

    async def link(self, person: str) -> str:
        """What lets the person in, once, within ten minutes. Their newest link alone counts.

        The pass stands behind the #, which browsers keep to themselves: no server, proxy or
        preview of a chat ever sees it. Raises StoreError.
        """
        nonce = token_hex(NONCE_BYTES)
        await self._facts.put_fact(_pass_of(person), nonce)
        words, until = f"{person} {nonce}", self._now() + PASS_SECONDS
        return f"{self.public_url}/sign-on#{(await self._seal('pass')).close(words, until)}"

    async def enter(self, given: str) -> str | None:
        """A session of the person whose pass it is; None when it is no good. Raises StoreError."""
        words = (await self._seal("pass")).open(given, self._now())
        if words is None:
            return None
        person, _, nonce = words.rpartition(" ")
        session = await self.begin(person)
        return session if await self._facts.swap_fact(_pass_of(person), nonce, "") else None

    async def begin(self, holder: str) -> str:
        """A session of that holder. Raises StoreError."""
        now = self._now()
        words = f"{holder} {name_session(now, token_hex(NAME_BYTES))}"
        return (await self._seal(SESSION)).close(words, now + SESSION_SECONDS)

    async def holder(self, session: str) -> str | None:
        """Whose session it is; None when it is none, or was ended. Raises StoreError."""
        opened = await self._opened(session)
        return opened[0] if opened else None

    async def end(self, session: str) -> None:
        """It is no session any more, in a second in every process. Raises StoreError."""
        opened = await self._opened(session)
        if opened:
            await self._end(*opened)

    async def calendar(self, symbol: str) -> str:
        """Where a calendar program, which sends no key, finds the symbol's expiries."""
        token = (await self._seal("calendar")).close(symbol, FOR_EVER)
        return f"{self.public_url}/calendar/{token}.ics"

    async def calendar_of(self, token: str) -> str | None:
        """The symbol whose calendar it is; None when it is none of ours. Raises StoreError."""
        return (await self._seal("calendar")).open(token, self._now())

    async def _opened(self, session: str) -> tuple[str, str] | None:
        """The holder and the name of a session that has not ended."""
        words = (await self._seal(SESSION)).open(session, self._now())
        if words is None:
            return None
        holder, _, name = words.rpartition(" ")
        return None if has_ended(name, await self._ended_of(holder)) else (holder, name)

    async def _ended_of(self, holder: str) -> Sequence[str]:
        if holder not in self._ended:
            kept = await self._facts.fact(_ended_by(holder)) or ""
            self._ended[holder] = kept.split()
        return self._ended[holder]

    async def _end(self, holder: str, name: str) -> None:
        """Others may end theirs meanwhile: what they write is kept."""
        fact = _ended_by(holder)
        kept = await self._facts.first_fact(fact, "")
        while not has_ended(name, kept.split()):
            await self._facts.swap_fact(fact, kept, " ".join(with_ended(name, kept.split())))
            kept = await self._facts.first_fact(fact, "")
        self._ended[holder] = kept.split()

    async def _seal(self, purpose: str) -> Seal:
        """What signs for that purpose; what is remembered of the store is a second old at most."""
        now = self._now()
        if abs(now - self._read_at) >= RELOAD_SECONDS:
            fresh = token_hex(KEY_BYTES)
            self._key, self._read_at = await self._facts.first_fact(KEY, fresh), now
            self._ended = {}
        return Seal(self._key, purpose)


async def end_all(facts: Facts) -> None:
    """No pass, session or calendar that there is counts any more. Raises StoreError."""
    await facts.put_fact(KEY, token_hex(KEY_BYTES))


def _pass_of(person: str) -> str:
    """Where it is kept which pass of the person's was not used yet."""
    return f"access.pass {person}"


def _ended_by(holder: str) -> str:
    """Where it is kept which sessions the holder signed out of."""
    return f"access.ended {holder}"
