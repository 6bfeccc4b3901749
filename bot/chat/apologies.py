"""What the chats say for themselves, where the command layer was not asked or did not answer."""

from bot.core.reply import Reply

BROKEN = Reply(
    "That went wrong",
    lines=("The mistake is mine and noted; try again in a moment.",),
    tone="error",
    private=True,
)
NOT_OURS = Reply(
    "That button is not mine",
    lines=("This button is too old, or not of my making: type the command instead.",),
    tone="error",
    private=True,
)
CROWDED = Reply(
    "One moment",
    lines=("So much was asked here at once that I leave some of it out; ask again in a moment.",),
    tone="error",
)
