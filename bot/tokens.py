"""The tokens of the chats: from the environment or a file that it names, never from the config."""

import os
from collections.abc import Mapping
from pathlib import Path

from bot.config import PREFIX
from bot.core.secret import Secret
from bot.errors import ConfigError


def read_token(platform: str, environment: Mapping[str, str] = os.environ) -> Secret:
    """The platform's token. Raises ConfigError, which says where to put it."""
    name = f"{PREFIX}{platform.upper()}_TOKEN"
    text = environment.get(name, "")
    file = environment.get(f"{name}_FILE", "")
    if not text and file:
        text = _read(Path(file), f"{name}_FILE")
    text = text.strip()
    if not text:
        raise ConfigError(
            f"{platform}.enabled: set {name} to the bot's token, or {name}_FILE to a file with it"
        )
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ConfigError(f"{name}: this is no token; copy it once more, without quotes")
    return Secret(text)


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{name}: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: {path}: not text") from error
