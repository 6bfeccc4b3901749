"""Messages as a phone's Discord shows them, as HTML: what the platform was sent, no more."""

import re
from html import escape

from tests.pictures.shot import data_address

SELECT = 3  # Discord's number of that kind of component

EPHEMERAL = "Only you can see this · <span class=link>Dismiss message</span>"
# Discord's mark-up that we send, and that which would show if we escaped badly.
PIECES = re.compile(
    r"```\n?(?P<block>.*?)\n?```\n?|\\(?P<kept>[^A-Za-z0-9\s])|\*\*(?P<bold>.+?)\*\*"
    r"|(?<!\w)[*_](?P<italic>[^*_\n]+)[*_](?!\w)|`(?P<code>[^`\n]+)`",
    re.DOTALL,
)
STYLE = """
* { box-sizing: border-box; margin: 0; }
body { width: 390px; background: #1a1a1e; color: #dfe0e2; padding: 0 0 14px;
  font: 15px/1.35 "Noto Sans", "Liberation Sans", Arial, sans-serif; }
header { padding: 12px 16px; border-bottom: 1px solid #2c2c32; color: #fff; font-weight: 700; }
header i { color: #94959c; font-style: normal; font-weight: 400; margin-right: 8px; }
article { position: relative; padding: 14px 12px 0 64px; }
.asked { color: #94959c; font-size: 12.5px; margin-bottom: 5px; }
.asked b { color: #c9cdfb; font-weight: 600; }
.face { position: absolute; left: 12px; width: 40px; height: 40px; border-radius: 50%;
  background: #4c7ddb; font-size: 21px; line-height: 40px; text-align: center; }
.name { font-weight: 600; color: #fff; }
.app { background: #5865f2; color: #fff; font-size: 10px; padding: 1px 5px; border-radius: 4px;
  margin: 0 5px; font-weight: 600; vertical-align: 2px; }
.time { color: #94959c; font-size: 12px; font-weight: 400; }
.embed { background: #242429; border: 1px solid #313137; border-left: 4px solid; margin-top: 4px;
  border-radius: 5px; padding: 9px 12px 12px; font-size: 14px; overflow-wrap: break-word; }
.embed h3 { color: #fff; font-size: 15px; margin-bottom: 5px; }
.words { white-space: pre-wrap; }
pre { font: 12px/1.4 "Noto Sans Mono", "Liberation Mono", monospace; background: #1a1a1e;
  border: 1px solid #313137; border-radius: 4px; padding: 6px; margin: 3px 0 5px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.embed img { width: 100%; border-radius: 4px; margin-top: 10px; display: block; }
footer { font-size: 12px; color: #c4c5ca; margin-top: 8px; white-space: pre-wrap; }
.row { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px; }
.button { background: #3a3a41; border-radius: 8px; padding: 7px 13px; font-size: 14px;
  color: #fff; font-weight: 500; max-width: 100%; }
.menu { background: #1f1f23; border: 1px solid #3a3a41; border-radius: 8px; padding: 8px 12px;
  width: 100%; color: #94959c; display: flex; justify-content: space-between; }
.alone { font-size: 12px; color: #94959c; margin-top: 6px; }
.link { color: #7cb3ff; }
.sheet { background: #242429; margin: 60px 0 -14px; border-radius: 16px 16px 0 0;
  padding: 20px 16px 26px; }
.sheet h2 { font-size: 20px; color: #fff; margin-bottom: 4px; overflow: hidden;
  white-space: nowrap; text-overflow: ellipsis; }
.sheet p { color: #94959c; font-size: 12.5px; margin-bottom: 12px; }
.sheet label { display: block; font-size: 14px; font-weight: 600; color: #fff; margin: 14px 0 6px; }
.sheet em { color: #f57976; font-style: normal; }
.input { background: #1a1a1e; border: 1px solid #3a3a41; border-radius: 8px; padding: 10px 12px;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-height: 42px; color: #fff; }
.input.empty { color: #84858d; }
.submit { background: #5865f2; color: #fff; border-radius: 8px; text-align: center; padding: 11px;
  font-weight: 600; margin-top: 22px; }
"""


def page(channel, *shown):
    """The channel with these messages; each comes with the words that name who asked, or none."""
    return _document(channel, "".join(_message(message, asked) for message, asked in shown))


def form_page(channel, modal):
    """The channel behind an open form."""
    fields = "".join(_field(label, part) for label, part in modal.fields.items())
    return _document(
        channel,
        f"<div class=sheet><h2>{escape(modal.title)}</h2><p>gammabell</p>{fields}"
        "<div class=submit>Submit</div></div>",
    )


def _document(channel, body):
    head = f"<header><i>#</i>{escape(channel)}</header>"
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body>{head}{body}"


def _message(message, asked):
    line = f"<div class=asked>↱ <b>{escape(asked)}</b></div>" if asked else ""
    alone = f"<div class=alone>◉ {EPHEMERAL}</div>" if message.ephemeral else ""
    embeds = "".join(_embed(embed, message) for embed in message.embeds)
    rows = "".join(map(_row, message.components))
    return (
        f"<article>{line}<div class=face>🔔</div><span class=name>gammabell</span>"
        "<span class=app>APP</span><span class=time>12:00</span>"
        f"<div class=words>{_marked(message.content)}</div>{embeds}{rows}{alone}</article>"
    )


def _embed(embed, message):
    image = f"<img src='{data_address(message.image)}'>" if message.image else ""
    footer = (embed.get("footer") or {}).get("text", "")
    return (
        f"<div class=embed style='border-left-color:#{embed.get('color', 0):06x}'>"
        f"<h3>{_marked(embed.get('title') or '')}</h3>"
        f"<div class=words>{_marked(embed.get('description') or '')}</div>{image}"
        f"<footer>{escape(footer)}</footer></div>"
    )


def _row(row):
    return f"<div class=row>{''.join(map(_part, row['components']))}</div>"


def _part(part):
    if part["type"] == SELECT:
        return f"<div class=menu>{escape(part.get('placeholder') or '')}<span>⌄</span></div>"
    return f"<div class=button>{escape(part['label'])}</div>"


def _field(label, part):
    star = "<em> *</em>" if part.get("required", True) else ""
    value, hint = part.get("value") or "", part.get("placeholder") or ""
    kind = "input" if value else "input empty"
    return f"<label>{escape(label)}{star}</label><div class='{kind}'>{escape(value or hint)}</div>"


def _marked(text):
    """The text with its mark-up carried out."""
    parts, at = [], 0
    for found in PIECES.finditer(text):
        parts += [escape(text[at : found.start()]), _piece(found.lastgroup, found)]
        at = found.end()
    return "".join([*parts, escape(text[at:])])


def _piece(kind, found):
    if kind in ("block", "kept"):
        text = escape(found[kind])
        return f"<pre>{text}</pre>" if kind == "block" else text
    tag = {"bold": "b", "italic": "i", "code": "code"}[kind]
    return f"<{tag}>{_marked(found[kind])}</{tag}>"
