"""What the Bot API says when it refuses, word for word as far as it is known."""

# What may be wrong with a chat until someone mends it: code and description.
TROUBLES = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "deactivated": (403, "Forbidden: user is deactivated"),
    "deleted": (403, "Forbidden: the group chat was deleted"),
    "kicked": (403, "Forbidden: bot was kicked from the {kind} chat"),
    "not member": (403, "Forbidden: bot is not a member of the {kind} chat"),
    "not started": (403, "Forbidden: bot can't initiate conversation with a user"),
    "not found": (400, "Bad Request: chat not found"),
    "no rights": (400, "Bad Request: not enough rights to send {what} to the chat"),
    "no channel rights": (400, "Bad Request: need administrator rights in the channel chat"),
    "topic closed": (400, "Bad Request: TOPIC_CLOSED"),
}


class ApiError(Exception):
    """The call is answered with this instead of a result."""

    def __init__(self, code, description, **parameters):
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def as_json(self):
        body = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad(reason):
    return ApiError(400, f"Bad Request: {reason}")


def trouble(name, chat, what="text messages"):
    code, text = TROUBLES[name]
    return ApiError(code, text.format(kind=chat.type, what=what))


def migrated(new_id):
    reason = "Bad Request: group chat was upgraded to a supergroup chat"
    return ApiError(400, reason, migrate_to_chat_id=new_id)


def too_many(seconds):
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


UNAUTHORIZED = (401, "Unauthorized")
UNKNOWN_METHOD = (404, "Not Found")
OTHER_POLLER = (
    409,
    (
        "Conflict: terminated by other getUpdates request; "
        "make sure that only one bot instance is running"
    ),
)
WEBHOOK_SET_MEANWHILE = (409, "Conflict: terminated by setWebhook request")
WEBHOOK_ACTIVE = (
    409,
    (
        "Conflict: can't use getUpdates method while webhook is active; "
        "use deleteWebhook to delete the webhook first"
    ),
)
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
