"""Calling people by name in a shared chat when their own chat with us is closed."""

from dataclasses import replace
from datetime import timedelta

from bot.core.chats import Chat
from bot.core.reply import Command
from bot.core.rules import Rule
from bot.errors import UserError
from bot.service.chats import Chats

MOST_CALLED = 20  # people in one chat
LEAST_COOLDOWN = timedelta(
    minutes=1
)  # of a rule whose rings others have to read, or that anyone may set


def require_calm(rule: Rule) -> None:
    """Raises UserError for a rule that may ring too often for a chat of others."""
    if rule.cooldown < LEAST_COOLDOWN:
        name = f"#{rule.id}" if rule.id else "this one"
        raise UserError(
            f"{name} may ring more than once a minute, too often for the chat that you are called "
            "in when your own is closed; give it cooldown 1m, or end that: alert fallback off"
        )


async def call_here(chats: Chats, command: Command) -> None:
    """Call the person in this chat, and in no other any more. Raises UserError."""
    await chats.change(command.target, lambda chat: _with_caller(chat, command.person))
    before = (await chats.of(command.person)).fallback
    await chats.change(command.person, lambda chat: replace(chat, fallback=command.target))
    if before not in ("", command.target):
        await chats.change(before, lambda chat: _without_caller(chat, command.person))


async def call_nowhere(chats: Chats, person: str) -> None:
    """Call the person in no chat but their own."""
    before = (await chats.of(person)).fallback
    await chats.change(person, lambda chat: replace(chat, fallback=""))
    if before:
        await chats.change(before, lambda chat: _without_caller(chat, person))


async def forbid_calls(chats: Chats, target: str) -> int:
    """How many people are no longer called there; nobody is from now on."""
    called = (await chats.of(target)).called or ()
    await chats.change(target, lambda chat: replace(chat, called=None))
    for person in called:
        await chats.change(person, lambda chat: _not_called_in(chat, target))
    return len(called)


async def allow_calls(chats: Chats, target: str) -> None:
    """People may ask to be called there."""
    await chats.change(target, lambda chat: replace(chat, called=chat.called or ()))


def _with_caller(chat: Chat, person: str) -> Chat:
    if chat.called is None:
        raise UserError("who manages this chat wants nobody called here; ask in another one")
    if person in chat.called:
        return chat
    if len(chat.called) >= MOST_CALLED:
        raise UserError(f"{MOST_CALLED} people are called here, and no more can be; ask elsewhere")
    return replace(chat, called=(*chat.called, person))


def _without_caller(chat: Chat, person: str) -> Chat:
    return replace(chat, called=chat.called and tuple(c for c in chat.called if c != person))


def _not_called_in(chat: Chat, target: str) -> Chat:
    return replace(chat, fallback="") if chat.fallback == target else chat
