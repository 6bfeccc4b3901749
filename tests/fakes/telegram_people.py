"""Who there is, and what they may do in a chat."""

from dataclasses import dataclass

# What an administrator may do; a chat's kind decides which of them are shown.
ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_post_messages",
    "can_edit_messages",
    "can_pin_messages",
    "can_manage_topics",
)
ONLY_IN_CHANNELS = {"can_post_messages", "can_edit_messages"}
ONLY_IN_GROUPS = {"can_pin_messages", "can_manage_topics"}
MEMBER_RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
PRESENT = {"creator", "administrator", "member", "restricted"}


@dataclass(eq=False)
class User:
    id: int
    first_name: str
    username: str = ""
    is_bot: bool = False
    language: str = "en"

    def as_json(self):
        shown = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        shown |= {"username": self.username} if self.username else {}
        return shown | ({} if self.is_bot else {"language_code": self.language})


@dataclass(frozen=True)
class Member:
    """Someone's standing in a chat."""

    status: str  # creator, administrator, member, restricted, left, kicked
    rights: frozenset = frozenset()

    @property
    def is_present(self):
        return self.status in PRESENT

    @property
    def is_admin(self):
        return self.status in ("creator", "administrator")

    def may(self, right):
        return self.status == "creator" or right in self.rights

    def as_json(self, user, chat):
        shown = {"user": user.as_json(), "status": self.status}
        if self.status == "creator":
            return shown | {"is_anonymous": False}
        if self.status == "administrator":
            return shown | {"can_be_edited": False, "is_anonymous": False} | self._admin_json(chat)
        if self.status == "restricted":
            rights = {right: self.may(right) for right in MEMBER_RIGHTS}
            return shown | {"is_member": True, "until_date": 0} | rights
        return shown | ({"until_date": 0} if self.status == "kicked" else {})

    def _admin_json(self, chat):
        absent = ONLY_IN_GROUPS if chat.type == "channel" else ONLY_IN_CHANNELS
        return {right: self.may(right) for right in ADMIN_RIGHTS if right not in absent}


LEFT = Member("left")
FOR_ADMINS = {"can_change_info", "can_pin_messages", "can_manage_topics"}  # unless a group says so
MEMBER = Member("member", frozenset(MEMBER_RIGHTS) - FOR_ADMINS)
CREATOR = Member("creator")


def administrator(without=()):
    return Member("administrator", frozenset(ADMIN_RIGHTS) - set(without))
