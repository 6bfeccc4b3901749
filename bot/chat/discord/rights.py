"""The rights that we need in a channel, under the names that Discord shows people."""

import discord

VIEW = ("view_channel", "View Channel")
NEEDED = (
    VIEW,
    ("send_messages", "Send Messages"),
    ("embed_links", "Embed Links"),
    ("attach_files", "Attach Files"),
)
NEEDED_IN_THREADS = (
    VIEW,
    ("send_messages_in_threads", "Send Messages in Threads"),
    *NEEDED[2:],
)
GATES = frozenset(shown for _, shown in (*NEEDED[:2], *NEEDED_IN_THREADS[:2]))


def lacking(permissions: discord.Permissions, *, in_thread: bool) -> tuple[str, ...]:
    """What is missing to write there."""
    if permissions.administrator:
        return ()
    needed = NEEDED_IN_THREADS if in_thread else NEEDED
    return tuple(shown for flag, shown in needed if not getattr(permissions, flag))


def first_lacking(permissions: discord.Permissions, *, in_thread: bool) -> tuple[str, ...]:
    """The same of rights that the library worked out: the one without which it withholds others."""
    lacks = lacking(permissions, in_thread=in_thread)
    return lacks[:1] if GATES.intersection(lacks) else lacks


def may_manage(permissions: discord.Permissions) -> bool:
    """Whether a member decides what the server's channels get: Manage Server."""
    return permissions.administrator or permissions.manage_guild
