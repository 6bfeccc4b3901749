"""What each platform calls the things that people are told to look for there."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform's words."""

    manager: str  # the right to decide what a chat gets
    given: str = "there"  # where rights are given
    absence: str = ""  # what is lacking where we are not at all, as if it were a right
    absent: str = ""  # that in words
    group: str = ""  # how the addresses of chats begin that may have topics; "": there are none


TERMINAL = Platform("this terminal")
PLATFORMS: Mapping[str, Platform] = {
    "web": Platform("this page"),
    "discord": Platform(
        "Manage Server",
        "in this channel's settings under Permissions",
        "Add to Server",
        "I am not on this server",
    ),
    "telegram": Platform(
        "chat admin",
        "in this chat's settings under Administrators",
        "be a member of this chat",
        "I am not in this chat",
        "-",
    ),
}


PASSING = "web:guest-"  # how the addresses begin of those whom nobody knows but their browser


def platform_of(target: str) -> Platform:
    """The platform that the target is on."""
    return PLATFORMS.get(target.partition(":")[0], TERMINAL)


def may_have_topics(target: str) -> bool:
    """Whether other addresses lie within this one: a Telegram group's topics alone."""
    group, address = platform_of(target).group, target.partition(":")[2]
    return bool(group) and address.startswith(group) and "/" not in address


def is_group(address: str) -> bool:
    """Whether it is no person's: Telegram lets people speak as their group or channel."""
    group = platform_of(address).group
    return bool(group) and address.partition(":")[2].startswith(group)
