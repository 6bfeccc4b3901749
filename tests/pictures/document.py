"""docs/pictures.md: every picture with its words."""

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "pictures.md"
FOLDER = DOCUMENT.parent / "pictures"
WIDTH = 390  # px on the page: a phone's
WIDE = 800  # what a page of the documents has room for

HEAD = """# What people see

Made by `make pictures` from the simulated market. The messages, at a phone's width, are those that
the real clients of Discord and Telegram sent to the servers that the tests use in their place. How
a message looks around its words is drawn by pages of our own, near to the apps but not theirs. The
dashboard is the demo's, in a real browser.
"""


def text_of(sections):
    """The document; sections are (title, [(name of the file, caption, width in px)])."""
    return "\n".join([HEAD, *(_section(title, shown) for title, shown in sections)])


def _section(title, shown):
    return "\n".join([f"## {title}\n", *(_picture(*one) for one in shown)])


def _picture(name, caption, width):
    words = caption.replace("`", "")
    return f'{caption}\n\n<img src="pictures/{name}.png" alt="{words}" width="{width}">\n'
