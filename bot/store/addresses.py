"""Targets as the store reads them: a messenger, a chat, perhaps a topic: "telegram:-100123/7"."""

from dataclasses import replace
from typing import TypeVar

from bot.core.chats import Chat
from bot.core.events import Alert
from bot.core.rules import Rule

T = TypeVar("T", Alert, Chat, Rule)


def messenger_of(target: str) -> str:
    """The name of the messenger that reaches the target."""
    return target.partition(":")[0]


def moved(address: str, target: str, to: str) -> str:
    """The address after the target became `to`: its topics went with it, all others stay."""
    if address == target or address.startswith(f"{target}/"):
        return to + address.removeprefix(target)
    return address


def follow(value: T, target: str, to: str) -> T:
    """The value with its target moved."""
    return replace(value, target=moved(value.target, target, to))


def follow_chat(chat: Chat, target: str, to: str) -> Chat:
    """The chat with every address that it names moved."""
    owner, fallback = moved(chat.owner, target, to), moved(chat.fallback, target, to)
    return replace(follow(chat, target, to), owner=owner, fallback=fallback)
