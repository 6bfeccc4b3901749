"""The OpenAPI 3.1 document, from the table of paths and the types that encode the answers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bot.api.calls import Route
from bot.api.codes import CODES, METHOD_NOT_ALLOWED, RATE_LIMIT_EXCEEDED, UNAUTHORIZED, Code
from bot.api.components import make_components
from bot.api.examples import example_of, example_of_refusal
from bot.api.pages import PREFIX, Described
from bot.api.parameters import Parameter
from bot.api.schema import VERSION, Failure, Success

TITLE = "gammabell"
ABOUT = (
    "Gamma levels of crypto options. Every path is served at the root and under /v2, and answers"
    " HEAD as well. An X-Request-ID of letters, digits and ._:~- comes back, any other is replaced."
    " If-None-Match with an ETag that was sent gets 304 while nothing is new. Simulated markets"
    " carry meta.simulated and the header X-Simulated."
)
KEY = "`gammabell keys create NAME` makes one."
OPEN = " On this machine none is needed while there is none."
INTEGER, STRING = {"type": "integer"}, {"type": "string"}
HEADERS: Mapping[str, tuple[str, Mapping[str, object], object]] = {
    "X-Request-ID": ("meta.request_id", STRING, "0f8fad5bd9cb469fa16570867728950e"),
    "X-RateLimit-Limit": ("requests a minute", INTEGER, 600),
    "X-RateLimit-Remaining": ("how many of them are left", INTEGER, 599),
    "X-RateLimit-Reset": ("when all are back, seconds since 1970", INTEGER, 1_772_452_860),
    "ETag": ("of the data, not of meta", STRING, '"5e0f8fad5bd9cb469fa1657086772895"'),
    "Retry-After": ("seconds until the next request is answered", INTEGER, 32),
    "Allow": ("the methods that are answered", STRING, "GET, HEAD"),
}
ALWAYS = tuple(HEADERS)[:4]
MORE = {RATE_LIMIT_EXCEEDED: ("Retry-After",), METHOD_NOT_ALLOWED: ("Allow",)}
UNCHANGED = "Unchanged"
LEVELS, FILES, ABOUT_US = "levels", "files", "about"
GROUPS = {"gex": LEVELS, "multi": LEVELS, "expiries": LEVELS, "pictures": FILES, "export": FILES}

Part = Mapping[str, Any]


def make_document(
    routes: Sequence[Route], files: Sequence[Described] = (), *, is_open: bool = True
) -> bytes:
    """The document as JSON; where it is open a key may be left out."""
    kinds = [Success[route.data] for route in routes]  # type: ignore[name-defined]  # made at run time
    schemas, components = make_components([*kinds, Failure])
    *successes, failure = schemas
    paths = {
        route.path: {"get": _operation(route, success, is_open=is_open)}
        for route, success in zip(routes, successes, strict=True)
    }
    for file in files:
        paths[file.path] = {"get": _file_operation(file, is_open=is_open)}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name} for name in (LEVELS, FILES, ABOUT_US)],
        "servers": [{"url": "/"}, {"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": {name: _header(*about) for name, about in HEADERS.items()},
            "responses": {
                UNCHANGED: {"description": "If-None-Match knows it", "headers": _headers("ETag")},
                **{code.name: _refusal(code, failure) for code in CODES},
            },
            "securitySchemes": {
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": KEY + OPEN if is_open else KEY,
                }
            },
        },
    }
    return msgspec.json.encode(document)


def _operation(route: Route, success: Part, *, is_open: bool) -> Part:
    content = {"application/json": {"schema": success, "example": example_of(route.path)}}
    answer = {"description": "the answer", "headers": _headers("ETag"), "content": content}
    return {
        "operationId": _identifier(route.path),
        "tags": [_group(route.path)],
        "summary": route.summary,
        "security": [] if route.is_public else _security(is_open=is_open),
        "parameters": [_parameter(one) for one in route.parameters],
        "responses": {
            "200": answer,
            "304": _shared(UNCHANGED),
            **_refusals(is_public=route.is_public),
        },
    }


def _file_operation(file: Described, *, is_open: bool) -> Part:
    content = {kind: {"schema": STRING} if kind.startswith("text/") else {} for kind in file.kinds}
    return {
        "operationId": _identifier(file.path),
        "tags": [_group(file.path)],
        "summary": file.summary,
        "security": _security(is_open=is_open),
        "parameters": [
            *(_name(name, values) for name, values in file.names.items()),
            *map(_parameter, file.parameters),
        ],
        "responses": {
            "200": {"description": "the file", "headers": _headers(), "content": content},
            "304": _shared(UNCHANGED),
            **_refusals(is_public=False),
        },
    }


def _security(*, is_open: bool) -> Sequence[Part]:
    return [{"key": []}, {}] if is_open else [{"key": []}]


def _group(path: str) -> str:
    """The heading that /docs shows it under, by the path's first word."""
    return GROUPS.get(path.split("/")[1], ABOUT_US)


def _identifier(path: str) -> str:
    return "_".join(re.findall("[a-z]+", path))


def _parameter(parameter: Parameter) -> Part:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.text,
        "required": parameter.required,
        "schema": parameter.schema,
        "example": parameter.example,
        **({"style": "form", "explode": False} if parameter.schema["type"] == "array" else {}),
    }


def _name(name: str, values: Sequence[str]) -> Part:
    """What may stand for a name of the path."""
    return {
        "name": name,
        "in": "path",
        "description": f"one of {', '.join(values)}",
        "required": True,
        "schema": {"type": "string", "enum": list(values)},
        "example": values[0],
    }


def _refusals(*, is_public: bool) -> Part:
    """Every refusal by its status; what is public needs no key."""
    return {
        str(code.status): _shared(code.name)
        for code in CODES
        if not (is_public and code is UNAUTHORIZED)
    }


def _shared(name: str) -> Part:
    return {"$ref": f"#/components/responses/{name}"}


def _refusal(code: Code, failure: Part) -> Part:
    content = {"application/json": {"schema": failure, "example": example_of_refusal(code)}}
    return {
        "description": f"{code.name}: {code.when}",
        "headers": _headers(*MORE.get(code, ())),
        "content": content,
    }


def _header(text: str, schema: Part, example: object) -> Part:
    return {"description": text, "schema": schema, "example": example}


def _headers(*more: str) -> Part:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*ALWAYS, *more)}
