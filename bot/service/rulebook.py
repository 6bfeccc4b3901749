"""The rules as the judgement needs them: by symbol, with their memory."""

from collections.abc import Mapping, Sequence

from bot.core.crossings import Watches
from bot.core.rules import Rule, RuleState, default_rules, watches_of
from bot.ports import Store


class Rulebook:
    """What is asked for; the default pack where nobody asked for anything."""

    def __init__(self, store: Store, default_target: str | None) -> None:
        self._store = store
        self._default_target = default_target
        self._rules: Sequence[Rule] = ()
        self._watches: dict[str, Watches] = {}
        self.states: dict[str, RuleState] = {}

    async def reload(self) -> None:
        """Read the rules and their states again."""
        self._rules = await self._store.rules()
        stored = await self._store.rule_states()
        # What rang while this was read is newer than what was read.
        ahead = {
            rule: state
            for rule, state in self.states.items()
            if rule not in stored or stored[rule].rings < state.rings
        }
        self.states = {**stored, **ahead}
        self._watches.clear()

    def of(self, symbol: str) -> Sequence[Rule]:
        """The symbol's rules."""
        if not self._rules and self._default_target:
            return default_rules(symbol, self._default_target)
        return [rule for rule in self._rules if rule.symbol == symbol]

    def watches(self, symbol: str) -> Watches:
        """What the symbol's rules ask to be judged beyond the defaults."""
        if symbol not in self._watches:
            self._watches[symbol] = watches_of(self.of(symbol))
        return self._watches[symbol]

    def rang(self, states: Mapping[str, RuleState]) -> None:
        """Remember what was just stored."""
        self.states.update(states)
