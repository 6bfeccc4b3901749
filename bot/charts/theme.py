"""The colours of a chart, for a dark chat and for a light one."""

from dataclasses import dataclass

from bot.charts.levels import Kind


@dataclass(frozen=True, slots=True)
class Theme:
    """A colour for each thing drawn, as `#rrggbb`.

    Text stands out from the ground by 4.5 to 1 or more; levels that share a form of line are told
    apart in every form of colour blindness.
    """

    name: str
    ground: str
    panel: str
    grid: str
    ink: str
    faint: str
    call: str
    put: str
    hvl: str
    flip: str
    max_pain: str
    alarm: str
    rising: str  # candles: the lighter one rose, as everywhere
    falling: str

    def level(self, kind: Kind) -> str:
        """The colour of that kind of level."""
        colours: dict[Kind, str] = {
            "spot": self.ink,
            "hvl": self.hvl,
            "call": self.call,
            "put": self.put,
            "flip": self.flip,
            "max_pain": self.max_pain,
            "move": self.faint,
        }
        return colours[kind]


DARK = Theme(
    name="dark",
    ground="#0f151d",
    panel="#151d28",
    grid="#2a3646",
    ink="#e8eef4",
    faint="#a3b3c2",
    call="#4aa8ff",
    put="#eda31c",
    hvl="#5fe0a0",
    flip="#ee9fd0",
    max_pain="#f4e66a",
    alarm="#ff7a59",
    rising="#e8eef4",
    falling="#74879b",
)
LIGHT = Theme(
    name="light",
    ground="#ffffff",
    panel="#f3f6f9",
    grid="#d5dde5",
    ink="#121a24",
    faint="#56646f",
    call="#0b6bcb",
    put="#b05a00",
    hvl="#00664f",
    flip="#c2378f",
    max_pain="#6b6300",
    alarm="#c22a12",
    rising="#8d9aa8",
    falling="#2b3644",
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}
