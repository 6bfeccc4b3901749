"""Updates that the library can read, whatever Telegram has come up with since it was made."""

import logging
from typing import Any

from telegram import Update

logger = logging.getLogger(__name__)


def legible(update: dict[str, Any]) -> dict[str, Any]:
    """The update; of one that cannot be read only its number, so that those after it come."""
    try:
        Update.de_json(update)
    except Exception:
        logger.exception("telegram: update %s cannot be read and is skipped", update["update_id"])
        return {"update_id": update["update_id"]}
    return update
