"""Messages as a phone's Telegram shows them, as HTML: what the platform was sent, no more."""

from html import escape

from tests.pictures.shot import data_address

TAGS = {"bold": "b", "italic": "i", "underline": "u", "code": "code", "pre": "pre"}
STYLE = """
* { box-sizing: border-box; margin: 0; }
body { width: 390px; background: #d3e0ea; color: #000; padding: 0 0 14px;
  font: 15.5px/1.32 "Noto Sans", "Liberation Sans", Arial, sans-serif; }
header { background: #fff; padding: 8px 14px; display: flex; gap: 10px; align-items: center;
  font-weight: 700; }
header small { display: block; color: #7d8790; font-weight: 400; font-size: 12.5px; }
.face { width: 36px; height: 36px; border-radius: 50%; background: #4c7ddb; font-size: 19px;
  line-height: 36px; text-align: center; color: #fff; }
article { margin: 10px 8px 0; max-width: 340px; }
article.own { margin-left: auto; width: fit-content; max-width: 340px; }
.bubble { background: #fff; border-radius: 14px; overflow: hidden; width: fit-content;
  min-width: 150px; max-width: 100%; }
.photo .bubble { width: 340px; }
.own .bubble { background: #e6fed3; min-width: 0; }
.bubble img { width: 100%; display: block; }
.words { padding: 7px 11px 2px; white-space: pre-wrap; overflow-wrap: break-word; }
pre { font: 13.5px/1.35 "Noto Sans Mono", "Liberation Mono", monospace; background: #eef3f8;
  border-left: 3px solid #4c7ddb; border-radius: 5px; padding: 5px 7px; margin: 2px 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.time { text-align: right; color: #8b959e; font-size: 11.5px; padding: 0 10px 5px; }
.link { color: #2678c8; }
.row { display: flex; gap: 4px; margin-top: 4px; width: 100%; }
.button { flex: 1 1 0; min-width: 0; background: #5f7f9c; color: #fff; border-radius: 9px;
  text-align: center; padding: 10px 6px; font-size: 14.5px; font-weight: 500; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; }
.offered { background: #fff; margin-top: 14px; border-top: 1px solid #c5d1da; }
.offer { display: flex; gap: 12px; padding: 9px 14px; border-bottom: 1px solid #e3eaef; }
.offer div:last-child { min-width: 0; }
.offer .square { flex: none; width: 44px; height: 44px; border-radius: 7px; background: #4c7ddb;
  color: #fff; font-size: 20px; font-weight: 700; line-height: 44px; text-align: center; }
.offer b { display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.offer span { color: #7d8790; font-size: 13.5px; line-height: 1.25; display: -webkit-box;
  -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
.typed { background: #fff; padding: 11px 16px; margin-bottom: -14px; }
"""


def page(title, messages):
    """The chat with these messages."""
    return _document(title, "bot", "".join(map(_message, messages)))


def inline_page(title, query):
    """The chat of people in which `@bot words` is typed, with what is offered."""
    offers = "".join(map(_offer, query.results))
    typed = f"<div class=typed>@gammabell_bot {escape(query.words)}</div>"
    return _document(title, "3 members", f"<div class=offered>{offers}</div>{typed}")


def _document(title, below, body):
    face = "🔔" if below == "bot" else escape(title[:1])
    head = (
        f"<header><div class=face>{face}</div>"
        f"<div>{escape(title)}<small>{below}</small></div></header>"
    )
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body>{head}{body}"


def _message(message):
    kinds = " ".join(["own"] * (not message.by_bot) + ["photo"] * bool(message.photo))
    image = f"<img src='{data_address(message.photo)}'>" if message.photo else ""
    rows = "".join(map(_row, message.keyboard))
    return (
        f"<article class='{kinds}'><div class=bubble>{image}"
        f"<div class=words>{_formatted(message)}</div><div class=time>12:00</div></div>{rows}"
        "</article>"
    )


def _row(buttons):
    shown = "".join(f"<div class=button>{escape(button['text'])}</div>" for button in buttons)
    return f"<div class=row>{shown}</div>"


def _offer(result):
    title = result["title"]
    first = title.rpartition("· ")[2][:1]  # SIMULATED is in front of it
    return (
        f"<div class=offer><div class=square>{escape(first)}</div><div>"
        f"<b>{escape(title)}</b><span>{escape(result.get('description', ''))}</span></div></div>"
    )


def _formatted(message):
    """The words with their entities, whose places are counted in UTF-16 units."""
    units = message.words.encode("utf-16-le")
    parts, at = [], 0
    for entity in sorted(message.entities, key=lambda e: e["offset"]):
        start, end = 2 * entity["offset"], 2 * (entity["offset"] + entity["length"])
        if start < at:
            continue
        parts += [_text(units[at:start]), _entity(entity["type"], _text(units[start:end]))]
        at = end
    html = "".join([*parts, _text(units[at:])])
    # A block stands in a line of its own: the line breaks around it are not shown besides.
    return html.replace("</pre>\n", "</pre>").replace("\n<pre>", "<pre>")


def _entity(kind, text):
    tag = TAGS.get(kind)
    return f"<{tag}>{text}</{tag}>" if tag else f"<span class=link>{text}</span>"


def _text(units):
    return escape(units.decode("utf-16-le"))
