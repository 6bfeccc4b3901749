"""The rights that we need in a channel, under the names that Discord shows people."""

import discord

VIEW = ("view_channel", "View Channel")
SEND = ("send_messages", "Send Messages")
SEND_IN_THREADS = ("send_messages_in_threads", "Send Messages in Threads")
EMBED = ("embed_links", "Embed Links")
ATTACH = ("attach_files", "Attach Files")
GATES = frozenset(shown for _, shown in (VIEW, SEND, SEND_IN_THREADS))
UNLOCKING = "Manage Threads (or unlock this thread)"


def lacking(permissions: discord.Permissions, *, in_thread: bool) -> tuple[str, ...]:
    """What is missing to ring there."""
    needed = (VIEW, SEND_IN_THREADS if in_thread else SEND, EMBED)
    return _missing(permissions, *needed)


def wanting(permissions: discord.Permissions) -> tuple[str, ...]:
    """What is missing to show everything there: charts need more than rings do."""
    return _missing(permissions, ATTACH)


def locking(channel: object, permissions: discord.Permissions) -> tuple[str, ...]:
    """What is missing to write into a thread that moderators have locked."""
    is_locked = isinstance(channel, discord.Thread) and channel.locked
    may_write = permissions.administrator or permissions.manage_threads
    return (UNLOCKING,) if is_locked and not may_write else ()


def first_lacking(permissions: discord.Permissions, *, in_thread: bool) -> tuple[str, ...]:
    """The same of rights that the library worked out: the one without which it withholds others."""
    lacks = lacking(permissions, in_thread=in_thread)
    return lacks[:1] if GATES.intersection(lacks) else lacks


def may_manage(permissions: discord.Permissions) -> bool:
    """Whether a member decides what the server's channels get: Manage Server."""
    return permissions.administrator or permissions.manage_guild


def _missing(permissions: discord.Permissions, *rights: tuple[str, str]) -> tuple[str, ...]:
    if permissions.administrator:
        return ()
    return tuple(shown for flag, shown in rights if not getattr(permissions, flag))
