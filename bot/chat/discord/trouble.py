"""Discord's refusals as errors of ours: what each means for a subscription."""

import discord

from bot.errors import BotError, DeliveryError, MessageRefused, PermissionMissing, RecipientGone

UNKNOWN_CHANNEL = 10_003
UNKNOWN_GUILD = 10_004
UNKNOWN_MESSAGE = 10_008
UNKNOWN_USER = 10_013
UNKNOWN_WEBHOOK = 10_015  # or an interaction's token after 15 minutes
UNKNOWN_INTERACTION = 10_062  # first answered later than 3 s
ACKNOWLEDGED = 40_060
TAG_REQUIRED = 40_067  # of each post in a forum
MISSING_ACCESS = 50_001
CLOSED = 50_007
NOT_TEXT = 50_008
MISSING_PERMISSION = 50_013
ARCHIVED, LOCKED = 50_083, 160_005  # threads

LOST = (UNKNOWN_INTERACTION, UNKNOWN_WEBHOOK, ACKNOWLEDGED)


class Limited(DeliveryError):
    """Discord asks to wait: with this route, or with everything; a ban when it is no longer it."""

    def __init__(self, seconds: float, scope: str, *, is_ban: bool) -> None:
        said = "Discord has banned this address for a while" if is_ban else "Discord's limit"
        super().__init__(f"{said}: wait {seconds:.0f} s", seconds)
        self.seconds = seconds
        self.scope = scope  # "user", "global" or "shared"
        self.is_ban = is_ban


LONGEST = 200  # characters of an error

GONE = (UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_USER)
MENDABLE = {  # what a person can give back, by Discord's code
    MISSING_ACCESS: "missing View Channel in {place}",
    MISSING_PERMISSION: "missing Send Messages or Embed Links in {place}",
    CLOSED: "direct messages are closed: open them for a server that we share",
    NOT_TEXT: "{place} takes no messages: switch the feed on in a text channel or in a thread",
    TAG_REQUIRED: "{place} requires a tag on every post: end that, or switch the feed on in a post",
    ARCHIVED: "{place} is archived: reopen it",
    LOCKED: "{place} is locked: unlock it",
}


def one_line(error: BaseException) -> str:
    """What went wrong, in one short line; a refusal may bring a whole page along."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]


def delivery_trouble(error: discord.HTTPException, place: str) -> BotError:
    """What a refused message means; `place` is the channel's name for people."""
    if error.code in GONE:
        return RecipientGone(f"{place} is gone")
    if error.code in MENDABLE:
        return PermissionMissing(MENDABLE[error.code].format(place=place))
    if error.status >= 500:
        return DeliveryError(f"Discord answered {error.status}")
    return MessageRefused(f"Discord refuses the message ({error.status}, {error.code})")
