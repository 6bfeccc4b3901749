"""docs/pictures.md: every picture with its words."""

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "pictures.md"
FOLDER = DOCUMENT.parent / "pictures"
WIDTH = 390  # px on the page: a phone's

HEAD = """# What people see

Made by `make pictures` from the simulated market, at a phone's width. The messages are those that
the real clients of Discord and Telegram sent to the servers that the tests use in their place. How
a message looks around its words is drawn by pages of our own, near to the apps but not theirs.
"""


def text_of(sections):
    """The document; sections are (title, [(name of the file, caption)])."""
    return "\n".join([HEAD, *(_section(title, shown) for title, shown in sections)])


def _section(title, shown):
    return "\n".join([f"## {title}\n", *(_picture(name, caption) for name, caption in shown)])


def _picture(name, caption):
    words = caption.replace("`", "")
    return f'{caption}\n\n<img src="pictures/{name}.png" alt="{words}" width="{WIDTH}">\n'
