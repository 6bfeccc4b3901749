"""alert add, list, pause, resume, delete and fallback."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.alerts import ALL_ALERTS, choice_text, rule_card, rules_card
from bot.core.chats import feed_text
from bot.core.menu import Argument, Entry
from bot.core.reply import Action, Command, Field, Reply
from bot.core.rules import LEVEL_NAMES, Rule, default_rules, parse_rule, rule_text
from bot.core.text import level_text
from bot.core.view import View
from bot.core.words import fitting
from bot.errors import UserError
from bot.service.commands.calls import LEAST_COOLDOWN, call_here, call_nowhere, require_calm
from bot.service.commands.dashboard import PAGE
from bot.service.commands.homes import (
    lacking_lines,
    require_manager,
    settle_in,
    whose_lines,
)
from bot.service.commands.table import SYMBOL, Complete, Handled, Parts

MOST_RULES = 50  # a target
LEVELS = {name: level_text(name) for name in LEVEL_NAMES} | {"regime": "Regime"}
EVENTS = {
    "cross any": "Crosses, any way",
    "cross up": "Crosses going up",
    "cross down": "Crosses going down",
    "moved 1%": "Moves by 1%",
    "moved 0.5%": "Moves by 0.5%",
    "moved 2%": "Moves by 2%",
}
OPTIONS = ("once", "3 times", "cooldown 1h", "buffer 0.1%", "buffer 0.1% cooldown 30m", "ttl 1h")
PACK_ENDS = "The default pack rings no more: only rules that are set do."
CALL_ME_HERE = Action("Call me here if my DMs are closed", "alert fallback")


def alert_commands(parts: Parts) -> Sequence[Handled]:
    """Every command about rules."""
    alerts = AlertCommands(parts)
    add = Entry(
        "alert add",
        "ring on: btc hvl cross down once",
        (
            replace(SYMBOL, required=True),
            Argument(
                "level",
                "hvl, flip, regime, ... or a price",
                required=True,
                open=True,
                label="Which level or price",
            ),
            Argument("event", "cross any, cross down, moved 1%", open=True, label="What it does"),
            Argument("options", "once, cooldown 30m, buffer 0.1%", open=True, label="Options"),
        ),
        private=True,
        asks_rights=True,
        title="Set an alert",
    )
    samples = {
        "symbol": parts.coins,
        "level": tuple(LEVELS),
        "event": tuple(EVENTS),
        "options": OPTIONS,
    }
    fallback = Entry(
        "alert fallback",
        "call me here when my direct messages are closed",
        (Argument("state", "off ends it", choices=("on", "off")),),
        private=True,
        asks_rights=True,
    )
    return (
        Handled(add, alerts.add, samples, labels={"level": LEVELS, "event": EVENTS}),
        Handled(Entry("alert list", "what rings here", (), True, True), alerts.list_all),
        Handled(_of_id("pause", "no rings until resumed"), alerts.pause, {}, alerts.running),
        Handled(_of_id("resume", "ring again"), alerts.resume, {}, alerts.paused),
        Handled(_of_id("delete", "ring no more"), alerts.delete, {}, alerts.every),
        Handled(fallback, alerts.fallback),
    )


def _of_id(word: str, text: str) -> Entry:
    identity = Argument(
        "id", "its number in alert list", required=True, open=True, label="Which alert"
    )
    title = f"{word.capitalize()} an alert"
    return Entry(f"alert {word}", text, (identity,), private=True, asks_rights=True, title=title)


class AlertCommands:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self.every = {"id": self._completing((True, False))}
        self.running = {"id": self._completing((False,))}
        self.paused = {"id": self._completing((True,))}

    async def add(self, command: Command, view: View) -> Reply:
        """A new rule, unless it is there already."""
        del view
        new = parse_rule(" ".join(command.arguments), self._parts.symbols, command.home)
        _require_modest(new)
        own = await self._store.rules(command.home)
        for rule in own:
            if replace(rule, id="", paused=False) == new:
                return rule_card(f"Alert #{rule.id} is set already", rule)
        if len(own) >= MOST_RULES:
            raise UserError(
                f"{MOST_RULES} alerts are set here, and more I cannot watch; delete one"
            )
        if (await self._parts.chats.of(command.home)).fallback:
            require_calm(new)
        first = (PACK_ENDS,) if await self._pack_rings(command) else ()
        rule = await self._store.add_rule(new)
        await self._parts.rules_changed(command.home)
        await settle_in(self._parts.chats, command)
        reply = rule_card(f"Alert #{rule.id} set", rule)
        lines = (*_where_lines(command), *first)
        callable_here = not (command.decides or command.lacks)
        actions = (*reply.actions, CALL_ME_HERE) if callable_here else reply.actions
        return replace(reply, lines=lines, actions=actions)

    async def list_all(self, command: Command, view: View) -> Reply:
        """Every rule of the home, how often it rang, and a menu to delete one."""
        own = await self._store.rules(command.home)
        states = await self._store.rule_states()
        chat = await self._parts.chats.of(command.home)
        lines = whose_lines(command)
        if chat.feed:
            lines += (f"The feed rings as well: {feed_text(chat.feed)}",)
        elif not own:
            lines += ("None set here. Add one: alert add btc hvl cross down once",)
        if await self._pack_rings(command):
            lines += ("Nobody set any, so the default pack rings in the terminal, on each symbol:",)
            lines += tuple(map(rule_text, default_rules(self._parts.symbols[0], command.target)))
        return rules_card(own, states, lines, view.now)

    async def pause(self, command: Command, view: View) -> Reply:
        """The rule stays, and is silent."""
        del view
        return await self._pause(command, paused=True)

    async def resume(self, command: Command, view: View) -> Reply:
        """The rule rings again."""
        del view
        return await self._pause(command, paused=False)

    async def delete(self, command: Command, view: View) -> Reply:
        """The rule is forgotten."""
        del view
        rule = await self._own_rule(command)
        await self._store.delete_rule(rule.id, command.home)
        await self._parts.rules_changed(command.home)
        again = await self._pack_rings(command)
        return Reply(
            f"Alert #{rule.id} deleted",
            fields=(Field("It was", rule_text(rule)),),
            lines=("That was the last rule: the default pack rings again.",) if again else (),
            actions=(Action("Set again", f"alert add {rule_text(rule)}"), ALL_ALERTS),
            private=True,
        )

    async def fallback(self, command: Command, view: View) -> Reply:
        """The person agrees to be called by name here."""
        del view
        if not command.is_shared:
            raise UserError("this is your own chat; write it where I may call you instead")
        if command.arguments[:1] == ("off",):
            await call_nowhere(self._parts.chats, command.person)
            return Reply("You are called nowhere else", private=True)
        if command.lacks:
            raise UserError(" ".join(lacking_lines(command)))
        for rule in await self._store.rules(command.person):
            require_calm(rule)
        await call_here(self._parts.chats, command)
        return Reply(
            "You are called here",
            lines=("When your direct messages are closed, what rings for you comes here.",),
            actions=(Action("Rather not", "alert fallback off"),),
            private=True,
        )

    async def _pause(self, command: Command, *, paused: bool) -> Reply:
        rule = replace(await self._own_rule(command), paused=paused)
        await self._store.change_rule(rule)
        await self._parts.rules_changed(command.home)
        return rule_card(f"Alert #{rule.id} {'paused' if paused else 'rings again'}", rule)

    async def _own_rule(self, command: Command) -> Rule:
        """The home's rule that is meant. Raises UserError."""
        if not command.arguments:
            raise UserError(f"which one? alert list shows the ids; then: {command.name} ID")
        rule_id = command.arguments[0].lstrip("#")
        own = {rule.id: rule for rule in await self._store.rules(command.home)}
        if rule_id in own:
            return own[rule_id]
        if any(rule.id == rule_id for rule in await self._store.rules(command.target)):
            require_manager(command)
        raise UserError(f"no alert {rule_id!r} here; alert list shows what there is")

    async def _pack_rings(self, command: Command) -> bool:
        """Whether the default pack rings, where that is of interest: in the terminal itself."""
        if command.person or await self._store.rules():
            return False
        return not any(chat.feed for chat in await self._parts.chats.all())

    def _completing(self, states: Sequence[bool]) -> Complete:
        async def complete(text: str, command: Command) -> Sequence[str]:
            rules = await self._store.rules(command.home)
            return fitting(text, [choice_text(rule) for rule in rules if rule.paused in states])

        return complete


def _require_modest(rule: Rule) -> None:
    """Raises UserError for a rule of a page that may ring too often: guests may be anyone."""
    if rule.target.startswith(PAGE) and rule.cooldown < LEAST_COOLDOWN:
        raise UserError("on this page an alert rings once a minute at most; give it cooldown 1m")


def _where_lines(command: Command) -> tuple[str, ...]:
    """Where a new rule rings, if that is not plain."""
    if command.home != command.target:
        return ("It rings in your own chat with me: moderators alone set what rings here.",)
    here = ("It rings in this chat, for all to see.",) if command.is_shared else ()
    return (*here, *lacking_lines(command))
