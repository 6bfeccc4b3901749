"""Where something is said: a chat, and the topic within it."""

from dataclasses import dataclass

NAME = "telegram"


@dataclass(frozen=True, slots=True)
class Address:
    """A chat; `topic` is its message thread, None where there are no topics."""

    chat: int
    topic: int | None = None

    @property
    def target(self) -> str:
        """As the rest of the program writes it: "telegram:-100123/7"."""
        return f"{NAME}:{self.chat}" + (f"/{self.topic}" if self.topic else "")

    @property
    def place(self) -> str:
        """What Telegram limits: the chat, whatever the topic."""
        return str(self.chat)


def parse_address(target: str) -> Address:
    """The address that a target names. Raises ValueError."""
    chat, _, topic = target.removeprefix(f"{NAME}:").partition("/")
    return Address(int(chat), int(topic) if topic else None)
