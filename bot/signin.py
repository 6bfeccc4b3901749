"""Whether the chats' tokens work: what `gammabell check` asks the platforms."""

from typing import TypeVar

import aiohttp
import msgspec

from bot.config import Config
from bot.core.secret import Secret
from bot.errors import BotError

T = TypeVar("T")

PATIENCE_SECONDS = 10.0
# View Channel, Send Messages, Embed Links, Attach Files, Send Messages in Threads.
PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 38


class Bot(msgspec.Struct):
    """What both platforms say of a bot."""

    id: str | int
    username: str


class Answer(msgspec.Struct):
    """Telegram's envelope."""

    result: Bot


async def discord_bot(config: Config, token: Secret) -> str:
    """Who the token signs in as, and the link that adds it to a server. Raises BotError."""
    headers = {"Authorization": f"Bot {token.reveal()}"}
    bot = await _ask("discord", f"{config.discord.api_base}/users/@me", headers, Bot)
    return (
        f"{bot.username}; add it to a server: https://discord.com/oauth2/authorize"
        f"?client_id={bot.id}&scope=bot+applications.commands&permissions={PERMISSIONS}"
    )


async def telegram_bot(config: Config, token: Secret) -> str:
    """Who the token signs in as, and the link that opens a chat with it. Raises BotError."""
    url = f"{config.telegram.api_base}/bot{token.reveal()}/getMe"
    bot = (await _ask("telegram", url, {}, Answer)).result
    return f"@{bot.username}; open a chat with it: https://t.me/{bot.username}"


async def _ask(platform: str, url: str, headers: dict[str, str], kind: type[T]) -> T:
    """The answer. Raises BotError, which never shows the URL: it may hold the token."""
    limit = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(url, headers=headers) as reply,
        ):
            if reply.status in (401, 404):
                raise BotError(f"{platform}: the token is refused; copy it once more")
            if reply.status != 200:
                raise BotError(f"{platform}: answers {reply.status}; try again later")
            return msgspec.json.decode(await reply.read(), type=kind)
    except msgspec.MsgspecError:
        raise BotError(f"{platform}: answers what cannot be read; check api_base") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise BotError(f"{platform}: cannot be reached ({type(error).__name__})") from None
