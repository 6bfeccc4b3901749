"""Buttons, menus and forms; what each carries is a signed line, so that nothing is remembered."""

from collections.abc import Callable, Iterable, Sequence

import discord

from bot.chat.buttons import Signer
from bot.chat.discord.render import clean, clipped
from bot.core.menu import Form, Question
from bot.core.reply import Action, Link, Menu, Reply

Sign = Callable[[str], str | None]

ROWS, ROW, OPTIONS, INPUTS = 5, 5, 25, 5
DATA = 100  # bytes that a button may carry
LABEL, HINT = 80, 100  # characters
FORM_TITLE, FORM_LABEL = 45, 45


def view_of(reply: Reply, signer: Signer, *, beside: bool = False) -> discord.ui.View | None:
    """The reply's buttons and menus, as many as Discord takes; None when it has none.

    The view is stopped, so that the client keeps nothing of it: a press is answered from what
    the button carries, after a restart as well.
    """

    def sign(line: str) -> str | None:
        return signer.sign(line, DATA, beside=beside)

    view = discord.ui.View(timeout=None)
    menus = [(menu.label, options) for menu in reply.menus if (options := _options(menu, sign))]
    rows = max(0, ROWS - len(menus))
    buttons = [*map(_link, reply.links), *_buttons(reply.actions, sign)]
    for button in buttons[: rows * ROW]:
        view.add_item(button)
    for number, (label, options) in enumerate(menus[:ROWS]):
        view.add_item(_select(number, label, options))
    view.stop()
    return view if view.children else None


def modal_of(form: Form, signer: Signer) -> discord.ui.Modal | None:
    """The form as a window with text fields; None when its name is too long to carry."""
    data = signer.sign(form.name, DATA)
    if data is None:
        return None
    modal = discord.ui.Modal(
        title=clipped(clean(form.title), FORM_TITLE), custom_id=data, timeout=None
    )
    for question in form.questions[:INPUTS]:
        modal.add_item(_input(question))
    modal.stop()
    return modal


def _buttons(actions: Iterable[Action], sign: Sign) -> list[discord.ui.Button[discord.ui.View]]:
    signed = _signed(actions, sign)
    return [discord.ui.Button(label=label or "…", custom_id=data) for data, label in signed]


def _link(link: Link) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(label=clipped(clean(link.label), LABEL), url=link.url)


def _select(
    number: int, label: str, options: list[discord.SelectOption]
) -> discord.ui.Select[discord.ui.View]:
    return discord.ui.Select(
        custom_id=f"menu{number}", placeholder=clipped(clean(label), HINT), options=options
    )


def _options(menu: Menu, sign: Sign) -> list[discord.SelectOption]:
    signed = _signed(menu.actions, sign)[:OPTIONS]
    return [discord.SelectOption(label=label or "…", value=data) for data, label in signed]


def _signed(actions: Iterable[Action], sign: Sign) -> Sequence[tuple[str, str]]:
    """What each button carries and says; left out is what carries too much, or the same again."""
    signed = ((sign(action.line), action.label) for action in actions)
    return list({data: clipped(clean(label), LABEL) for data, label in signed if data}.items())


def _input(question: Question) -> discord.ui.TextInput[discord.ui.Modal]:
    return discord.ui.TextInput(
        label=clipped(clean(question.title or question.name), FORM_LABEL),
        custom_id=question.name,
        placeholder=clipped(clean(question.help), HINT),
        default=clean(question.value) or None,
        required=question.required,
    )
