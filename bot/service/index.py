"""Rules by what they wait for, where those of one target change and all others stay."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.core.crossings import Watches
from bot.core.routing import Rules, Topic, by_topic
from bot.core.rules import Rule, watches_of


class Index:
    """The rules of every target, by symbol and topic."""

    def __init__(self) -> None:
        self._of_target: dict[str, Sequence[Rule]] = {}
        self._waiting: dict[str, dict[Topic, dict[str, Sequence[Rule]]]] = {}  # by symbol, target
        # What follows is made anew when it is asked for, of the topics that changed alone.
        self._changed: dict[str, set[Topic]] = {}
        self._topics: dict[str, dict[Topic, Sequence[Rule]]] = {}
        self._watches: dict[str, Watches] = {}

    def __iter__(self) -> Iterator[Rule]:
        return (rule for rules in self._of_target.values() for rule in rules)

    @property
    def by_target(self) -> Mapping[str, Sequence[Rule]]:
        """What rings where; targets without rules are not in it."""
        return self._of_target

    def put(self, target: str, rules: Sequence[Rule]) -> None:
        """Make these the target's rules, in place of those it had."""
        before, after = by_topic(self._of_target.get(target, ())), by_topic(rules)
        for topic in before.keys() - after.keys():
            self._place(topic).pop(target)
        for topic, waiting in after.items():
            self._place(topic)[target] = waiting
        self._note(before.keys() | after.keys())
        if rules:
            self._of_target[target] = rules
        else:
            self._of_target.pop(target, None)

    def topics(self, symbol: str) -> Rules:
        """The symbol's rules under what they wait for."""
        shown, waiting = self._topics.setdefault(symbol, {}), self._waiting.get(symbol, {})
        for topic in self._changed.pop(symbol, ()):
            rules = [rule for one in waiting[topic].values() for rule in one]
            if rules:
                shown[topic] = rules
            else:
                shown.pop(topic, None)
                del waiting[topic]
        return shown

    def watches(self, symbol: str) -> Watches:
        """What the symbol's rules ask to be judged beyond the defaults."""
        if symbol not in self._watches:
            self._watches[symbol] = watches_of(_running(self.topics(symbol)))
        return self._watches[symbol]

    def _place(self, topic: Topic) -> dict[str, Sequence[Rule]]:
        return self._waiting.setdefault(topic[1], {}).setdefault(topic, {})

    def _note(self, topics: Iterable[Topic]) -> None:
        for topic in topics:
            self._changed.setdefault(topic[1], set()).add(topic)
            self._watches.pop(topic[1], None)


def _running(topics: Rules) -> Iterator[Rule]:
    """One rule that is not paused of each topic: the others ask for the same."""
    for rules in topics.values():
        yield from [rule for rule in rules if not rule.paused][:1]
