"""The command menus, one for each scope and language, with their limits."""

import re

from tests.fakes.telegram_errors import bad

MOST = 100
NAME = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE = re.compile(r"([a-z]{2})?")
SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}


class Commands:
    """What setMyCommands left behind: [(name, description)] by ("chat:-100…", "de")."""

    def __init__(self):
        self.menus = {}

    def set(self, world, params):
        key = self._key(world, params)
        commands = params.object("commands")
        if not isinstance(commands, list):
            raise bad("can't parse commands: expected an Array of BotCommand")
        if len(commands) > MOST:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        self.menus[key] = [_checked(command) for command in commands]
        return True

    def delete(self, world, params):
        self.menus.pop(self._key(world, params), None)
        return True

    def get(self, world, params):
        menu = self.menus.get(self._key(world, params), [])
        return [{"command": name, "description": text} for name, text in menu]

    def _key(self, world, params):
        scope = params.object("scope") or {"type": "default"}
        if scope.get("type") not in SCOPES:
            raise bad("can't parse BotCommandScope: type of the scope is unsupported")
        details = [str(scope.get(name, "")) for name in SCOPES[scope["type"]]]
        if details and details[0].lstrip("-").isdigit() and int(details[0]) not in world.chats:
            raise bad("chat not found")
        language = params.text("language_code")
        if not LANGUAGE.fullmatch(language):
            raise bad("invalid language code specified")
        return ":".join([scope["type"], *details]), language


def _checked(command):
    name, text = command.get("command", "").removeprefix("/"), command.get("description", "")
    if not NAME.fullmatch(name):
        raise bad("BOT_COMMAND_INVALID")
    if not 1 <= len(text) <= 256:
        raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return name, text
