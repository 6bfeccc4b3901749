"""What goes into a message, checked as Telegram checks it: text, captions, keyboards, files."""

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from tests.fakes.telegram_errors import ApiError, bad
from tests.fakes.telegram_html import formatted, utf16
from tests.fakes.telegram_params import Params, Upload

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LARGEST_PHOTO = 10 * 1024 * 1024
LARGEST_FILE = 50 * 1024 * 1024
MOST_BUTTONS = 100
MOST_IN_A_ROW = 8
LONGEST_MARKUP = 10 * 1024
BUTTON_ACTIONS = {
    "callback_data",
    "url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "web_app",
    "login_url",
    "copy_text",
    "pay",
}


def read_text(params, name="text"):
    """{text, entities}. Raises ApiError."""
    given = params.object("entities") if params.values.get("entities") else None
    text, entities = formatted(params.text(name), params.text("parse_mode"), given)
    if not text:
        raise bad("message text is empty")
    if utf16(text) > LONGEST_TEXT:
        raise bad("message is too long")
    return {"text": text, "caption": "", "entities": entities}


def read_caption(params):
    """{caption, entities}. Raises ApiError."""
    given = params.object("caption_entities")
    text, entities = formatted(params.text("caption"), params.text("parse_mode"), given)
    if utf16(text) > LONGEST_CAPTION:
        raise bad("message caption is too long")
    return {"text": "", "caption": text, "entities": entities}


def read_markup(params, chat=None):
    """{keyboard, other_markup}. Raises ApiError."""
    markup = params.object("reply_markup") or {}
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if "inline_keyboard" in markup:
        return {"keyboard": read_keyboard(markup["inline_keyboard"]), "other_markup": None}
    if markup and (chat is None or chat.type == "channel"):
        raise bad("inline keyboard expected")
    return {"keyboard": [], "other_markup": markup or None}


def read_keyboard(rows):
    """Rows of buttons, without empty rows. Raises ApiError."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad('field "inline_keyboard" must be an Array of Arrays')
    for row in rows:
        for button in row:
            _check_button(button)
    if any(len(row) > MOST_IN_A_ROW for row in rows) or sum(map(len, rows)) > MOST_BUTTONS:
        raise bad("REPLY_MARKUP_TOO_LONG")
    if len(str(rows)) > LONGEST_MARKUP:
        raise bad("REPLY_MARKUP_TOO_LONG")
    return [row for row in rows if row]


def _check_button(button):
    if not isinstance(button, dict) or not button.get("text"):
        raise bad("can't parse inline keyboard button: Can't find field \"text\"")
    actions = BUTTON_ACTIONS & button.keys()
    if len(actions) != 1:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed")
    data = button.get("callback_data", "-")
    if not 1 <= len(data.encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    if not button.get("url", "http://").startswith(("http://", "https://", "tg://")):
        raise bad(f"inline keyboard button URL '{button['url']}' is invalid")


def read_photo(world, params, value=None):
    """{photo_file, photo_size}: a new upload or one known by its id. Raises ApiError."""
    found = params.file("photo", value)
    file = found if isinstance(found, Upload) else _known_file(world, found)
    if len(file.data) > LARGEST_PHOTO:
        raise bad("too big file")
    size = _picture_size(file.data)
    if isinstance(file, Upload):
        file = world.keep_file(file.data, file.name, "photos")
    return {"photo_file": file, "photo_size": size, "document_file": None}


def read_document(world, params, value=None):
    """{document_file}. Raises ApiError."""
    found = params.file("document", value)
    file = found if isinstance(found, Upload) else _known_file(world, found)
    if len(file.data) > LARGEST_FILE:
        raise ApiError(413, "Request Entity Too Large")
    if not file.data:
        raise bad("file must be non-empty")
    if isinstance(file, Upload):
        file = world.keep_file(file.data, file.name, "documents")
    return {"document_file": file, "photo_file": None}


def _known_file(world, file_id):
    if file_id not in world.files:  # addresses are not fetched here
        raise bad("wrong file identifier/HTTP URL specified")
    return world.files[file_id]


def _picture_size(data):
    """(width, height) of a PNG or JPEG."""
    if not data:
        raise bad("file must be non-empty")
    try:
        with Image.open(BytesIO(data), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise bad("IMAGE_PROCESS_FAILED") from None
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    return width, height


def read_media(world, params):
    """The content of an InputMedia: a photo or a document with its caption. Raises ApiError."""
    media = params.object("media")
    readers = {"photo": read_photo, "document": read_document}
    if not isinstance(media, dict) or media.get("type") not in readers:
        raise bad("can't parse input media: unsupported type")
    inner = Params(media, params.uploads)
    return readers[media["type"]](world, inner, media.get("media")) | read_caption(inner)
