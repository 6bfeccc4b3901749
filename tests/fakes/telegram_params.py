"""The parameters of a Bot API call, however they were sent."""

import json
from dataclasses import dataclass, field

from tests.fakes.telegram_errors import bad


@dataclass(frozen=True)
class Upload:
    """A file in a multipart body."""

    name: str
    data: bytes

    def __repr__(self):
        return f"Upload({self.name!r}, {len(self.data)} bytes)"


@dataclass(frozen=True)
class Params:
    """Values as they came: strings from queries and forms, anything from JSON."""

    values: dict = field(default_factory=dict)
    uploads: dict = field(default_factory=dict)

    def text(self, name, default=""):
        value = self.values.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name, default=None):
        value = self.values.get(name, default)
        try:
            return value if value is None else int(value)
        except (TypeError, ValueError):
            raise bad(f"{name} must be an integer") from None

    def flag(self, name):
        return self.text(name).lower() in ("true", "yes", "1")

    def object(self, name, default=None):
        """A nested value; a JSON string in forms."""
        value = self.values.get(name)
        try:
            value = json.loads(value) if isinstance(value, str) and value else value
        except ValueError:
            raise bad(f"can't parse {name} JSON object") from None
        return default if value in (None, "") else value

    def file(self, name, value=None):
        """The upload meant by a field or by `attach://name`, else the file id in it."""
        value = self.values.get(name) if value is None else value
        if isinstance(value, str) and value.startswith("attach://"):
            name, value = value.removeprefix("attach://"), None
        found = self.uploads.get(name) if value is None else value
        if found is None:
            raise bad(f"there is no {name} in the request")
        return found


async def read_params(request):
    """Query first, then the body over it."""
    values, uploads = dict(request.query), {}
    kind = request.content_type
    if request.method == "GET" or not request.can_read_body:
        return Params(values)
    if kind == "application/json":
        values |= await _json(request)
    elif kind == "multipart/form-data":
        await _read_parts(request, values, uploads)
    else:
        values |= await request.post()
    return Params(values, uploads)


async def _json(request):
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad("can't parse request parameters JSON object")
    return {name: value for name, value in body.items() if value is not None}


async def _read_parts(request, values, uploads):
    async for part in await request.multipart():
        data = bytes(await part.read())
        if part.filename is None:
            values[part.name] = data.decode()
        else:
            uploads[part.name] = Upload(part.filename, data)
