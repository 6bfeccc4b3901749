"""The schemas of the types that encode the answers, as exact as the answers are."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec.inspect import (
    CollectionType,
    DataclassType,
    DateTimeType,
    DictType,
    StructType,
    Type,
    UnionType,
    multi_type_info,
)

REF = "#/components/schemas/{name}"
TEXT = {"type": "string"}

Schema = dict[str, Any]


def make_components(kinds: Sequence[object]) -> tuple[Sequence[Schema], dict[str, Schema]]:
    """A schema of each type, and the schemas by name that they refer to."""
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    for info in _objects(multi_type_info(kinds)):
        found = components.get(info.cls.__name__)  # none: an envelope, which is named for its data
        if found is not None:
            _mark_times(found["properties"], info)
            if isinstance(info, DataclassType):
                _require_all(found)
    for found in components.values():
        _type_booleans(found.get("properties", {}))
    return list(schemas), components


def _objects(infos: Sequence[Type]) -> Iterator[StructType | DataclassType]:
    """Every object within these types, each once."""
    waiting, seen = list(infos), set()
    while waiting:
        info = waiting.pop()
        if isinstance(info, StructType | DataclassType):
            if info.cls not in seen:
                yield info
                waiting += [field.type for field in info.fields]
            seen.add(info.cls)
        waiting += _parts(info)


def _parts(info: Type) -> Sequence[Type]:
    if isinstance(info, UnionType):
        return info.types
    if isinstance(info, CollectionType):
        return (info.item_type,)
    return (info.value_type,) if isinstance(info, DictType) else ()


def _mark_times(properties: Schema, info: StructType | DataclassType) -> None:
    """Say which texts are times: msgspec does so of annotated ones alone."""
    for field in info.fields:
        if any(isinstance(one, DateTimeType) for one in (field.type, *_parts(field.type))):
            schema = properties[field.encode_name]
            for part in schema.get("anyOf", [schema]):
                if part == TEXT:
                    part["format"] = "date-time"


def _type_booleans(properties: Schema) -> None:
    """msgspec types no Literal[True]; generators of clients then drop every answer it is in."""
    for schema in properties.values():
        if any(isinstance(value, bool) for value in schema.get("enum", ())):
            schema["type"] = "boolean"


def _require_all(schema: Schema) -> None:
    """A dataclass is sent with all its fields; their defaults are our own code's affair."""
    schema["required"] = list(schema["properties"])
    for part in schema["properties"].values():
        part.pop("default", None)
