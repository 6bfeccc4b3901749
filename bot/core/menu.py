"""What commands there are, as every chat's menu shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Argument:
    """One thing that a command takes; its value may be several words."""

    name: str  # one lower-case word
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()  # all there are, at most 25
    open: bool = False  # what fits depends on what is typed: `complete` knows
    label: str = ""  # of its field in a form: "Which coin"; else its name

    @property
    def usage(self) -> str:
        """As help writes it: [optional] [one|of|these] REQUIRED."""
        if self.required:
            return self.name.upper()
        return f"[{'|'.join(self.choices) or self.name}]"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: its line is its name and its arguments' values, in their order."""

    name: str  # one word, or two of which the first is a group: "alert add"
    help: str
    arguments: tuple[Argument, ...] = ()
    private: bool = False  # the answer concerns only the one who asked
    asks_rights: bool = False  # what they, and we, may do there must be known first
    title: str = ""  # of its form, in words for people: "Set an alert"
    topic: str = "More"  # under which help lists it

    @property
    def usage(self) -> str:
        """The line with its arguments as help writes them."""
        return " ".join([self.name, *(argument.usage for argument in self.arguments)])


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of someone who left an argument out."""

    name: str  # the argument's
    help: str  # a hint of what to write
    required: bool
    choices: Sequence[str] = ()  # at most 25; another value may do as well
    value: str = ""  # as known so far
    labels: Mapping[str, str] = field(default_factory=dict)  # choices in words for people
    title: str = ""  # what its field is called: "Which coin"

    def label(self, choice: str) -> str:
        """What a button or an option shows in the choice's place."""
        return self.labels.get(choice, choice)


@dataclass(frozen=True, slots=True)
class Form:
    """A command that still lacks something: its line is its name and the questions' values."""

    title: str
    name: str
    questions: tuple[Question, ...]
