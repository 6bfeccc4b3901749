"""A client that only sends: logged in when first needed, within the limits, never for long."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import TypeVar

import aiohttp
import discord

from bot.chat.discord.quiet import quieten
from bot.chat.discord.trouble import Limited
from bot.core.secret import Secret
from bot.errors import DeliveryError, TokenRefused
from bot.ports import Pace, Urgency

T = TypeVar("T")

CONNECTIONS = 20
BAN_SECONDS = 300.0  # without a request, once Discord's front refuses the address
LOGIN = "the token was refused; set GAMMABELL_DISCORD_TOKEN to the bot's own"


class Published(Exception):
    """Said in place of the answer, after whose headers the library would sleep out the hour."""


class Unanswered(DeliveryError):
    """Nobody knows whether Discord did what was asked."""


class Rest:
    """Requests with one token; each takes its turn, and every failure is one of our errors."""

    def __init__(self, token: Secret, pace: Pace, seconds: float) -> None:
        self._token = token
        self._pace = pace
        self._seconds = seconds  # that one request may take
        self._client: discord.Client | None = None
        self._logging_in = asyncio.Lock()

    async def ask(
        self,
        place: str,
        urgency: Urgency,
        request: Callable[[discord.Client], Awaitable[T]],
    ) -> T:
        """What the request gives. Raises BotError, or HTTPException for what Discord refuses."""
        client = await self._logged_in()
        async with self._pace.turn(place, urgency):
            try:
                return await bounded(request(client), self._seconds)
            except Limited as limited:
                self._hold(limited, place)
                raise
            except discord.HTTPException as error:
                if error.status in (401, 403):
                    self._pace.refused()
                if error.status == 401:
                    raise TokenRefused(LOGIN) from error
                raise

    async def close(self) -> None:
        """Give up the connections."""
        client, self._client = self._client, None
        if client:
            await client.close()

    async def _logged_in(self) -> discord.Client:
        async with self._logging_in:
            if self._client is None:
                self._client = await self._log_in()
            return self._client

    async def _log_in(self) -> discord.Client:
        """A new client. Raises TokenRefused, DeliveryError."""
        client = make_client()
        try:
            await bounded(client.login(self._token.reveal()), self._seconds)
        except BaseException as error:
            await client.close()
            if isinstance(error, discord.LoginFailure):
                self._pace.refused()
                raise TokenRefused(LOGIN) from error
            if isinstance(error, Limited):
                self._hold(error, "")
            if isinstance(error, discord.HTTPException):
                raise DeliveryError(f"Discord refuses the login ({error.status})") from error
            raise
        return client

    def _hold(self, limited: Limited, place: str) -> None:
        """Wait as long as Discord wants; a shared limit is nobody's fault, and does not count."""
        everything = limited.is_ban or limited.scope == "global"
        self._pace.hold(limited.seconds, None if everything else place)
        if limited.scope != "shared":
            self._pace.refused()


def make_client() -> discord.Client:
    """A client without a gateway and without the library's own patience."""
    quieten()
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(judge)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    return discord.Client(
        intents=discord.Intents(guilds=True),  # the library warns of less, also without a gateway
        connector=connector,
        http_trace=trace,
        allowed_mentions=discord.AllowedMentions.none(),
        max_messages=None,
    )


async def judge(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    params: aiohttp.TraceRequestEndParams,
) -> None:
    """Raise for what the library would wait over, holding back everything else.

    It would sleep up to 25 s over a 5xx, and when that sleep is cut short in a global 429 no
    request of the client would ever go again.
    """
    status, headers = params.response.status, params.response.headers
    if status == 429:
        is_ban = "Via" not in headers
        seconds = BAN_SECONDS if is_ban else float(headers.get("Retry-After") or 1.0)
        everything = headers.get("X-RateLimit-Global", "").lower() == "true"
        scope = "global" if everything else headers.get("X-RateLimit-Scope", "user")
        raise Limited(seconds, scope, is_ban=is_ban)
    if status >= 500:
        raise DeliveryError(f"Discord answered {status}")
    if status < 300 and params.url.path.endswith("/crosspost"):
        raise Published


async def bounded(request: Awaitable[T], seconds: float) -> T:
    """The request's result, not too late. Raises DeliveryError when the network fails.

    That is Unanswered where the request may have got through.
    """
    try:
        async with asyncio.timeout(seconds):
            return await request
    except TimeoutError as error:
        raise Unanswered(f"Discord did not answer within {seconds:g} s") from error
    except discord.RateLimited as error:
        raise DeliveryError("Discord's limit", error.retry_after) from error
    except aiohttp.ClientConnectorError as error:
        raise DeliveryError(f"Discord is not reached: {type(error).__name__}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unanswered(f"Discord is not reached: {type(error).__name__}") from error
