"""JSON-RPC as Deribit and Derive speak it: its answers, refusals and calls."""

import msgspec

from bot.errors import SourceError
from bot.exchanges.rows import NULL, decode, decode_row


class Failure(msgspec.Struct):
    """Why the venue refused."""

    code: int = 0
    message: str = "no message"


class Answer(msgspec.Struct):
    """The envelope of every answer."""

    result: msgspec.Raw = NULL
    error: Failure | None = None
    sent: object = msgspec.field(name="usOut", default=None)  # us since 1970; Deribit's alone


class Refusal(msgspec.Struct):
    """The envelope of an answer that holds nothing but an error."""

    error: Failure


class Refused(SourceError):
    """The venue answered with an error; whoever knows another way to ask may try that."""

    def __init__(self, venue: str, error: Failure) -> None:
        super().__init__(venue, f"{error.message} ({error.code})")
        self.code = error.code


def open_answer(venue: str, body: bytes) -> Answer:
    """The answer, which has a result. Raises SourceError; Refused with the venue's words."""
    answer = decode(venue, body, Answer)
    if answer.result != NULL:
        return answer
    if answer.error:
        raise Refused(venue, answer.error)
    raise SourceError(venue, "no result")


def error_code(body: bytes) -> int | None:
    """Which error the body tells of; None where it tells of none."""
    refusal = decode_row(body, Refusal)
    return refusal.error.code if refusal else None


def call(number: int, method: str, **params: object) -> str:
    """The message that calls a method; its answer has the same number."""
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return msgspec.json.encode(message).decode()
