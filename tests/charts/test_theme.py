from itertools import combinations

import numpy as np
import pytest

from bot.charts.ladders import DASHES
from bot.charts.theme import DARK, LIGHT, THEMES

KINDS = ("hvl", "call", "put", "flip", "max_pain", "move")

# What each kind of eye sees of linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
EYES = {
    "most": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Oklab, by Björn Ottosson: distances in it are what people see.
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def linear(colour):
    """Linear RGB, (3,), of `#rrggbb`."""
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """As WCAG 2 counts it: 1 to 21."""
    dark, bright = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other))
    return (bright + 0.05) / (dark + 0.05)


def seen(colour, eye):
    light = np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1)
    return TO_LAB @ np.cbrt(TO_CONES @ light)


def test_the_themes_are_known_by_name():
    assert THEMES == {"dark": DARK, "light": LIGHT}


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("thing", ["ink", "faint", "alarm", *KINDS])
def test_text_stands_out_from_the_ground(theme, thing):
    colour = theme.level(thing) if thing in KINDS else getattr(theme, thing)

    assert contrast(colour, theme.ground) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_what_is_drawn_stands_out_from_the_panel(theme):
    for colour in (theme.call, theme.put, theme.falling, theme.ink):
        assert contrast(colour, theme.panel) >= 3

    assert contrast(theme.rising, theme.falling) >= 2


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("eye", EYES)
def test_levels_that_share_a_line_are_told_apart_by_every_eye(theme, eye):
    for one, other in combinations(["spot", *KINDS], 2):
        if DASHES.get(one) == DASHES.get(other):
            colours = seen(theme.level(one), eye), seen(theme.level(other), eye)
            assert np.linalg.norm(colours[0] - colours[1]) > 0.08, (one, other)
