"""The OpenAPI 3.1 document, from the table of paths and the types that encode the answers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bot.api.calls import Route
from bot.api.codes import CODES, UNAUTHORIZED, Code
from bot.api.pages import Described
from bot.api.parameters import Parameter
from bot.api.schema import VERSION, Failure, Success

TITLE = "gammabell"
REF = "#/components/schemas/{name}"
ABOUT = (
    "Gamma levels of crypto options. Every path is served at the root and under /v2. "
    "Simulated markets carry meta.simulated and the header X-Simulated."
)
INTEGER, STRING = {"type": "integer"}, {"type": "string"}
HEADERS: Mapping[str, Mapping[str, object]] = {
    "X-Request-ID": STRING,
    "X-RateLimit-Limit": INTEGER,
    "X-RateLimit-Remaining": INTEGER,
    "X-RateLimit-Reset": INTEGER,
}


def make_document(routes: Sequence[Route], files: Sequence[Described] = ()) -> bytes:
    """The document as JSON."""
    kinds = [Success[route.data] for route in routes]  # type: ignore[name-defined]  # made at run time
    schemas, components = msgspec.json.schema_components([*kinds, Failure], ref_template=REF)
    *successes, failure = schemas
    paths = {
        route.path: {"get": _operation(route, success, failure)}
        for route, success in zip(routes, successes, strict=True)
    }
    for file in files:
        paths[file.path] = {"get": _file_operation(file, failure)}
    document = {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}, {"url": "/v2"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }
    return msgspec.json.encode(document)


def _operation(
    route: Route, success: Mapping[str, object], failure: Mapping[str, object]
) -> Mapping[str, object]:
    refusals = [code for code in CODES if not (route.is_public and code is UNAUTHORIZED)]
    return {
        "operationId": _identifier(route.path),
        "summary": route.summary,
        "security": [] if route.is_public else [{"key": []}, {}],
        "parameters": [_parameter(one) for one in route.parameters],
        "responses": {
            "200": _response("the answer", success, ("ETag",)),
            "304": {
                "description": "If-None-Match knows it already",
                "headers": _headers(("ETag",)),
            },
            **{str(code.status): _refusal(code, failure) for code in refusals},
        },
    }


def _file_operation(file: Described, failure: Mapping[str, object]) -> Mapping[str, object]:
    content = {kind: {"schema": {"type": "string"}} for kind in file.kinds}
    return {
        "operationId": _identifier(file.path),
        "summary": file.summary,
        "security": [{"key": []}, {}],
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "enum": list(values)},
            }
            for name, values in file.names.items()
        ],
        "responses": {
            "200": {"description": "the file", "headers": _headers(()), "content": content},
            **{str(code.status): _refusal(code, failure) for code in CODES},
        },
    }


def _identifier(path: str) -> str:
    return "_".join(re.findall("[a-z]+", path))


def _parameter(parameter: Parameter) -> Mapping[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.text,
        "required": parameter.required,
        "schema": parameter.schema,
        **({"style": "form", "explode": False} if parameter.schema["type"] == "array" else {}),
    }


def _refusal(code: Code, failure: Mapping[str, object]) -> Mapping[str, object]:
    more = {429: ("Retry-After",), 405: ("Allow",)}.get(code.status, ())
    return _response(f"{code.name}: {code.when}", failure, more)


def _response(
    text: str, schema: Mapping[str, object], headers: Sequence[str]
) -> Mapping[str, object]:
    return {
        "description": text,
        "headers": _headers(headers),
        "content": {"application/json": {"schema": schema}},
    }


def _headers(more: Sequence[str]) -> Mapping[str, object]:
    shown = {**HEADERS, **dict.fromkeys(more, STRING)}
    return {name: {"schema": schema} for name, schema in shown.items()}
