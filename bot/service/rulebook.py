"""The rules as the judgement needs them: by symbol and topic, with their memory."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain

from bot.core.chats import Chat
from bot.core.crossings import Watches
from bot.core.packs import feed_rules
from bot.core.routing import Rules
from bot.core.rules import Rule, RuleState, default_rules
from bot.ports import Store
from bot.service.index import Index

BATCH = 100  # targets taken up before others have a turn

Wanted = tuple[tuple[Rule, ...], Chat]  # a target's own rules, and the chat with its feed


class Rulebook:
    """What is asked for, by rules and feeds; the default pack where nobody asked for anything."""

    def __init__(self, store: Store, default_target: str | None) -> None:
        self._store = store
        self._default_target = default_target
        self._turn = asyncio.Lock()  # what was read earlier never comes after what was read later
        self._wanted: dict[str, Wanted] = {}
        self._index = Index()
        self._packs: dict[str, Index] = {}  # the default pack, by symbol
        self._followers: list[Callable[[], Awaitable[None]]] = []
        self.states: dict[str, RuleState] = {}
        self.chats: Mapping[str, Chat] = {}

    def follow(self, act: Callable[[], Awaitable[None]]) -> None:
        """Have `act` done when somebody here changed rules, before they are answered."""
        self._followers.append(act)

    async def reload(self) -> None:
        """Read the rules, their states and the chats again."""
        async with self._turn:
            rules: dict[str, list[Rule]] = {}
            for rule in await self._store.rules():
                rules.setdefault(rule.target, []).append(rule)
            self.chats = {chat.target: chat for chat in await self._store.chats()}
            # Their order is that in which rings of one moment are stored.
            targets = dict.fromkeys([*rules, *self.chats, *self._wanted])
            for number, target in enumerate(targets, 1):
                self._take(target, rules.get(target, ()))
                if number % BATCH == 0:
                    await asyncio.sleep(0)
            self._remember(await self._store.rule_states())

    async def changed(self, target: str) -> None:
        """Read the target's rules and what is kept of the chat again."""
        async with self._turn:
            rules, chat = await self._store.rules(target), await self._store.chat(target)
            others = {name: one for name, one in self.chats.items() if name != target}
            self.chats = {**others, target: chat} if chat else others
            self._take(target, rules)
        for act in self._followers:
            await act()

    def topics(self, symbol: str) -> Rules:
        """The symbol's rules under what they wait for."""
        return self._asked_for(symbol).topics(symbol)

    def watches(self, symbol: str) -> Watches:
        """What the symbol's rules ask to be judged beyond the defaults."""
        return self._asked_for(symbol).watches(symbol)

    def by_target(self) -> Mapping[str, Sequence[Rule]]:
        """What rings where."""
        return self._index.by_target

    def rang(self, states: Mapping[str, RuleState]) -> None:
        """Remember what was just stored."""
        self.states.update(states)

    def _asked_for(self, symbol: str) -> Index:
        """What people asked for; the default pack of the symbol where nobody did."""
        if self._index.by_target or not self._default_target:
            return self._index
        if symbol not in self._packs:
            pack = self._packs[symbol] = Index()
            pack.put(self._default_target, default_rules(symbol, self._default_target))
        return self._packs[symbol]

    def _take(self, target: str, rules: Sequence[Rule]) -> None:
        """Take up the target's own rules and its feed, where they are not the known ones."""
        chat = self.chats.get(target) or Chat(target)
        wanted = tuple(rules), chat
        if self._wanted.get(target) != wanted:
            self._index.put(target, [*rules, *feed_rules(chat)])
        if rules or target in self.chats:
            self._wanted[target] = wanted
        else:
            self._wanted.pop(target, None)

    def _remember(self, stored: Mapping[str, RuleState]) -> None:
        """Take the states up; what rang while they were read is newer than what was read."""
        ahead = {
            rule: state
            for rule, state in self.states.items()
            if rule not in stored or stored[rule].rings < state.rings
        }
        known = {rule.id for rule in chain(self._index, *self._packs.values())} if ahead else ()
        self.states = {**stored, **{rule: ahead[rule] for rule in ahead if rule in known}}
