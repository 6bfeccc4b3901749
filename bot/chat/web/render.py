"""A reply as the dashboard's script reads it: plain values, which it shows as text alone."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from bot.chat.buttons import Signer
from bot.core.events import Alert
from bot.core.menu import Form
from bot.core.reply import Action, Reply
from bot.core.rings import BELL

LONGEST_LINE = 2_000  # bytes of a button's data


def card_of(reply: Reply, signer: Signer, *, beside: bool = False) -> dict[str, Any]:
    """The card; its picture comes apart. The answers to a ring's buttons come beside it."""
    file = reply.file
    return {
        "title": reply.title,
        "tone": reply.tone,
        "fields": [[field.name, field.value] for field in reply.fields],
        "tables": [[table.title, table.columns, table.rows] for table in reply.tables],
        "lines": reply.lines,
        "footer": reply.footer,
        "buttons": _buttons(reply.actions, signer, beside=beside),
        "links": [[link.label, link.url] for link in reply.links],
        "menus": [[menu.label, _buttons(menu.actions, signer)] for menu in reply.menus],
        "file": [file.name, file.media_type, b64encode(file.content).decode()] if file else None,
        "picture_first": reply.picture_first,
        "unfinished": reply.unfinished,
    }


def ring_of(alert: Alert) -> dict[str, Any]:
    """What rang, in a line: how a list tells it."""
    text = alert.card.title.removeprefix(f"{BELL} ") if alert.card else alert.text
    return {"id": alert.id, "at": alert.at.isoformat(), "symbol": alert.symbol, "text": text}


def form_of(form: Form) -> dict[str, Any]:
    """What to ask; the answers' line is the form's name and what was written in each field."""
    return {
        "title": form.title,
        "name": form.name,
        "questions": [
            {
                "name": question.name,
                "title": question.title or question.name,
                "help": question.help,
                "required": question.required,
                "value": question.value,
                "choices": [[choice, question.label(choice)] for choice in question.choices],
            }
            for question in form.questions
        ],
    }


def _buttons(
    actions: Sequence[Action], signer: Signer, *, beside: bool = False
) -> list[tuple[str, str]]:
    signed = (
        (action.label, signer.sign(action.line, LONGEST_LINE, beside=beside)) for action in actions
    )
    return [(label, data) for label, data in signed if data]
