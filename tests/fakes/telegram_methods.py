"""The methods of the Bot API that send, edit and tell."""

from tests.fakes.telegram_content import (
    read_caption,
    read_document,
    read_markup,
    read_media,
    read_photo,
    read_text,
)
from tests.fakes.telegram_errors import NOT_MODIFIED, ApiError, bad, trouble
from tests.fakes.telegram_people import LEFT
from tests.fakes.telegram_queries import ANSWERING

ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


def send_message(api, params):
    return _send(api, params, "can_send_messages", "text messages", lambda: read_text(params))


def send_photo(api, params):
    def content():
        return read_photo(api.world, params) | read_caption(params)

    return _send(api, params, "can_send_photos", "photos", content)


def send_document(api, params):
    def content():
        return read_document(api.world, params) | read_caption(params)

    return _send(api, params, "can_send_documents", "documents", content)


def _send(api, params, right, what, read_content):
    """The new message. Whatever is wrong with it is told before a limit counts it."""
    world, chat = api.world, api.world.find_chat(params)
    content = read_content() | read_markup(params, chat)
    world.check_sending(chat, right, what)
    topic = world.find_topic(chat, params)
    answered = _answered(chat, params)
    api.limits.take(chat)
    silent = params.flag("disable_notification")
    message = world.own_message(chat, topic=topic, reply_to=answered, silent=silent, **content)
    return message.as_json()


def _answered(chat, params):
    reply = params.object("reply_parameters") or {}
    number = reply.get("message_id") or params.integer("reply_to_message_id")
    message = chat.messages.get(number) if number else None
    gone = number and (message is None or message.deleted)
    if gone and not reply.get("allow_sending_without_reply"):
        raise bad("message to be replied not found")
    return None if gone else message


def send_chat_action(api, params):
    chat = api.world.find_chat(params)
    if params.text("action") not in ACTIONS:
        raise bad("wrong parameter action in request")
    api.world.check_sending(chat, "can_send_messages", "text messages")
    api.world.find_topic(chat, params)
    return True


def edit_message_text(api, params):
    message = _own_message(api, params)
    if not message.text:
        raise bad("there is no text in the message to edit")
    return _edit(api, message, read_text(params) | read_markup(params))


def edit_message_caption(api, params):
    message = _own_message(api, params)
    if message.text:
        raise bad("there is no caption in the message to edit")
    return _edit(api, message, read_caption(params) | read_markup(params))


def edit_message_media(api, params):
    message = _own_message(api, params)
    if message.text:  # newer servers may turn a text into a photo; who relies on it fails here
        raise bad("there is no media in the message to edit")
    if message.inline_id and params.uploads:
        raise bad("can't upload a file to an inline message; use a file_id or a URL")
    return _edit(api, message, read_media(api.world, params) | read_markup(params))


def edit_message_reply_markup(api, params):
    return _edit(api, _own_message(api, params), read_markup(params))


def _own_message(api, params):
    """The message to edit. Raises ApiError where the bot may not."""
    if params.values.get("inline_message_id"):
        return _inline_message(api, params)
    chat = api.world.find_chat(params)
    api.world.check_access(chat)
    message = api.world.find_message(chat, params, "edit")
    theirs = message.sender is not api.world.bot and message.sender_chat is not chat
    if theirs or message.service:
        raise bad("message can't be edited")
    return message


def _inline_message(api, params):
    message = api.world.inline_messages.get(params.text("inline_message_id"))
    if message is None or message.deleted:
        raise bad("MESSAGE_ID_INVALID")
    return message


def _edit(api, message, content):
    if all(getattr(message, name) == value for name, value in content.items()):
        raise bad(NOT_MODIFIED)
    for name, value in content.items():
        setattr(message, name, value)
    message.edits += 1
    message.edit_date = api.world.now()
    return True if message.inline_id else message.as_json()


def delete_message(api, params):
    chat = api.world.find_chat(params)
    api.world.check_access(chat)
    message = api.world.find_message(chat, params, "delete")
    own = message.sender is api.world.bot or chat.type == "private"
    if not own and not chat.member(api.world.bot.id).may("can_delete_messages"):
        raise bad("message can't be deleted")
    message.deleted = True
    return True


def pin_chat_message(api, params):
    message = _message_to_pin(api, params)
    message.pinned = True
    return True


def unpin_chat_message(api, params):
    _message_to_pin(api, params).pinned = False
    return True


def _message_to_pin(api, params):
    chat = api.world.find_chat(params)
    api.world.check_access(chat)
    right = "can_edit_messages" if chat.type == "channel" else "can_pin_messages"
    if chat.type != "private" and not chat.member(api.world.bot.id).may(right):
        raise bad("not enough rights to manage pinned messages in the chat")
    return api.world.find_message(chat, params, "pin")


def get_me(api, params):
    abilities = {
        "can_join_groups": True,
        "can_read_all_group_messages": not api.privacy,
        "supports_inline_queries": True,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
    return api.world.bot.as_json() | abilities


def get_chat(api, params):
    chat = api.world.find_chat(params)
    api.world.check_access(chat)
    gifts = dict.fromkeys(
        (
            "unlimited_gifts",
            "limited_gifts",
            "unique_gifts",
            "premium_subscription",
            "gifts_from_channels",
        ),
        False,
    )
    needed = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}
    return chat.as_json() | needed


def get_chat_member(api, params):
    chat = _chat_with_list(api, params)
    user = api.world.users.get(params.integer("user_id", 0))
    if user is None:
        raise bad("PARTICIPANT_ID_INVALID")
    return chat.member(user.id).as_json(user, chat)


def get_chat_administrators(api, params):
    chat = _chat_with_list(api, params)
    if chat.type == "private":
        raise bad("there are no administrators in the private chat")
    admins = [(user_id, member) for user_id, member in chat.members.items() if member.is_admin]
    return [member.as_json(api.world.users[user_id], chat) for user_id, member in admins]


def _chat_with_list(api, params):
    chat = api.world.find_chat(params)
    api.world.check_access(chat)
    if chat.type == "channel" and not chat.member(api.world.bot.id).is_admin:
        raise bad("member list is inaccessible")
    return chat


def leave_chat(api, params):
    chat = api.world.find_chat(params)
    if chat.type == "private":
        raise bad("chat member status can't be changed in private chats")
    if not chat.member(api.world.bot.id).is_present:
        raise trouble("not member", chat)
    api.change_standing(chat, api.world.bot, LEFT)
    return True


def get_file(api, params):
    file = api.world.files.get(params.text("file_id"))
    if file is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    return file.as_json(file_path=file.path)


def set_my_description(api, params):
    if len(params.text("description")) > 512 or len(params.text("short_description")) > 120:
        raise ApiError(400, "Bad Request: BOT_DESCRIPTION_INVALID")
    return True


METHODS = {
    name.lower(): method
    for name, method in {
        "getMe": get_me,
        "sendMessage": send_message,
        "sendPhoto": send_photo,
        "sendDocument": send_document,
        "sendChatAction": send_chat_action,
        "editMessageText": edit_message_text,
        "editMessageCaption": edit_message_caption,
        "editMessageMedia": edit_message_media,
        "editMessageReplyMarkup": edit_message_reply_markup,
        "deleteMessage": delete_message,
        "pinChatMessage": pin_chat_message,
        "unpinChatMessage": unpin_chat_message,
        "getChat": get_chat,
        "getChatMember": get_chat_member,
        "getChatAdministrators": get_chat_administrators,
        "leaveChat": leave_chat,
        "getFile": get_file,
        "setMyCommands": lambda api, params: api.commands.set(api.world, params),
        "getMyCommands": lambda api, params: api.commands.get(api.world, params),
        "deleteMyCommands": lambda api, params: api.commands.delete(api.world, params),
        "setMyDescription": set_my_description,
        "setMyShortDescription": set_my_description,
        "setWebhook": lambda api, params: api.updates.set_webhook(params),
        "deleteWebhook": lambda api, params: api.updates.delete_webhook(params),
        "getWebhookInfo": lambda api, params: api.updates.webhook_info(),
        "logOut": lambda api, params: True,
        "close": lambda api, params: True,
        **ANSWERING,
    }.items()
}
