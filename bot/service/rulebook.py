"""The rules as the judgement needs them: by symbol and topic, with their memory."""

from collections.abc import Mapping, Sequence

from bot.core.chats import Chat
from bot.core.crossings import Watches
from bot.core.packs import feed_rules
from bot.core.routing import Rules, by_topic
from bot.core.rules import Rule, RuleState, default_rules, watches_of
from bot.ports import Store


class Rulebook:
    """What is asked for, by rules and feeds; the default pack where nobody asked for anything."""

    def __init__(self, store: Store, default_target: str | None) -> None:
        self._store = store
        self._default_target = default_target
        self._rules: Sequence[Rule] = ()
        self._of_symbol: dict[str, list[Rule]] = {}
        self._topics: dict[str, Rules] = {}
        self._watches: dict[str, Watches] = {}
        self.states: dict[str, RuleState] = {}
        self.chats: Mapping[str, Chat] = {}

    async def reload(self) -> None:
        """Read the rules, their states and the chats again."""
        rules = await self._store.rules()
        chats = {chat.target: chat for chat in await self._store.chats()}
        stored = await self._store.rule_states()
        # What rang while this was read is newer than what was read.
        ahead = {
            rule: state
            for rule, state in self.states.items()
            if rule not in stored or stored[rule].rings < state.rings
        }
        self.states = {**stored, **ahead}
        self.chats = chats
        self._take([*rules, *_rules_of_feeds(chats)])

    def of(self, symbol: str) -> Sequence[Rule]:
        """The symbol's rules."""
        if not self._rules and self._default_target:
            return default_rules(symbol, self._default_target)
        return self._of_symbol.get(symbol, [])

    def topics(self, symbol: str) -> Rules:
        """The symbol's rules under what they wait for."""
        if symbol not in self._topics:
            self._topics[symbol] = by_topic(self.of(symbol))
        return self._topics[symbol]

    def watches(self, symbol: str) -> Watches:
        """What the symbol's rules ask to be judged beyond the defaults."""
        if symbol not in self._watches:
            self._watches[symbol] = watches_of(r for r in self.of(symbol) if not r.paused)
        return self._watches[symbol]

    def by_target(self) -> Mapping[str, Sequence[Rule]]:
        """What rings where."""
        found: dict[str, list[Rule]] = {}
        for rule in self._rules:
            found.setdefault(rule.target, []).append(rule)
        return found

    def rang(self, states: Mapping[str, RuleState]) -> None:
        """Remember what was just stored."""
        self.states.update(states)

    def _take(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._of_symbol = {}
        for rule in rules:
            self._of_symbol.setdefault(rule.symbol, []).append(rule)
        self._topics.clear()
        self._watches.clear()


def _rules_of_feeds(chats: Mapping[str, Chat]) -> list[Rule]:
    """What the feeds of all chats that can be reached stand for."""
    return [
        rule
        for chat in chats.values()
        if chat.feed and chat.state != "gone"
        for rule in feed_rules(chat.feed, chat.target)
    ]
