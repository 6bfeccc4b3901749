"""The served schema: complete, exact, and with an example of everything."""

import re
from pathlib import Path

import msgspec
import pytest

from bot.api.codes import CODES
from bot.api.examples import DATA
from bot.api.schema import Failure, Success
from bot.core.exports.card import FORMATS
from tests.api.serving import BTC, HYPE, add_key, served
from tests.api.test_contract import DATA as TARGETS
from tests.api.test_dashboard import dashboard

ALWAYS = ("X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
PUBLIC = {"/health"}
ELSEWHERE = "127.1"  # this machine's, in a spelling that is not taken for it


@pytest.fixture
async def document():
    async with dashboard() as client:
        return (await client.ask("/openapi.json")).body


def operations(document):
    return {path: item["get"] for path, item in document["paths"].items()}


def resolved(document, part):
    """The part itself, or what it refers to."""
    while "$ref" in part:
        found = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def validator(document, schema):
    rs = pytest.importorskip("jsonschema_rs", reason="it comes with schemathesis: make setup")
    whole = {**schema, "components": document["components"]}
    return rs.validator_for(whole, validate_formats=True)


def references(part):
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part
        for one in part.values():
            yield from references(one)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


async def test_every_path_of_the_contract_is_there_and_its_names_are_unique(document):
    found = operations(document)

    assert document["openapi"] == "3.1.0"
    assert [server["url"] for server in document["servers"]] == ["/", "/v2"]
    assert {target.partition("?")[0] for target in TARGETS} <= found.keys()
    identifiers = [operation["operationId"] for operation in found.values()]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch("[a-z_]+", name) for name in identifiers)


async def test_every_path_and_every_export_is_in_the_docs_as_well(document):
    docs = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")

    named = {path: path.partition("{")[0] for path in document["paths"]}

    assert {path for path, begins in named.items() if f"`{begins}" not in docs} == set()
    assert ", ".join(FORMATS) in docs


async def test_every_refusal_is_told_with_its_code_headers_and_an_example(document):
    for path, operation in operations(document).items():
        expected = {str(code.status) for code in CODES} - ({"401"} if path in PUBLIC else set())
        assert expected <= operation["responses"].keys()
        for code in CODES:
            if str(code.status) in expected:
                answer = resolved(document, operation["responses"][str(code.status)])
                content = answer["content"]["application/json"]
                assert set(ALWAYS) <= answer["headers"].keys()
                assert content["example"]["error"]["code"] == code.name
                assert ("Retry-After" in answer["headers"]) == (code.status == 429)
                assert ("Allow" in answer["headers"]) == (code.status == 405)


async def test_every_answer_has_its_headers(document):
    for operation in operations(document).values():
        for status, answer in operation["responses"].items():
            names = resolved(document, answer)["headers"]
            assert set(ALWAYS) <= names.keys(), status


async def test_a_key_is_asked_for_where_it_is_needed(document):
    schemes = document["components"]["securitySchemes"]

    assert (schemes["key"]["in"], schemes["key"]["name"]) == ("header", "X-API-Key")
    for path, operation in operations(document).items():
        assert operation["security"] == ([] if path in PUBLIC else [{"key": []}, {}])


async def test_where_everyone_may_ask_no_operation_goes_without_a_key(store):
    await add_key(store)
    async with served(store, ELSEWHERE) as client:
        found = operations((await client.ask("/openapi.json")).body)
        refused = [(await client.ask(path)).status for path in found if path not in PUBLIC]

    needed = [one["security"] for path, one in found.items() if path not in PUBLIC]
    assert needed == [[{"key": []}]] * len(refused)
    assert set(refused) == {401}


async def test_every_parameter_is_described_and_its_example_is_taken():
    async with dashboard() as client:
        document = (await client.ask("/openapi.json")).body
        for path, operation in operations(document).items():
            target, query = path, []
            for one in operation["parameters"]:
                assert one["description"]
                assert validator(document, one["schema"]).is_valid(one["example"])
                target = target.replace(f"{{{one['name']}}}", str(one["example"]))
                value = one["example"]
                text = ",".join(value) if isinstance(value, list) else value
                if one["in"] == "query":
                    query.append(f"{one['name']}={text}")
            answer = await client.ask(f"{target}?{'&'.join(query)}")
            assert answer.status == 200, (target, query, answer.content)


@pytest.mark.parametrize("path", DATA)
async def test_an_example_is_an_answer_that_the_schema_and_the_type_allow(document, path):
    content = operations(document)[path]["responses"]["200"]["content"]["application/json"]

    validator(document, content["schema"]).validate(content["example"])
    kind = TARGETS[next(target for target in TARGETS if target.partition("?")[0] == path)]
    msgspec.convert(content["example"], Success[kind])


async def test_every_example_of_a_refusal_is_one(document):
    for code in CODES:
        answer = document["components"]["responses"][code.name]
        content = answer["content"]["application/json"]
        validator(document, content["schema"]).validate(content["example"])
        msgspec.convert(content["example"], Failure)


@pytest.mark.parametrize("target", TARGETS)
async def test_what_is_answered_is_what_the_schema_says(client, document, target):
    answer = await client.ask(target)

    content = operations(document)[target.partition("?")[0]]["responses"]["200"]["content"]
    validator(document, content["application/json"]["schema"]).validate(answer.body)


@pytest.mark.parametrize(
    "target", ["/nope", "/gex/levels?x=1", f"/gex/levels?symbol={HYPE}", "/multi/gex/levels"]
)
async def test_what_is_refused_is_what_the_schema_says(client, document, target):
    answer = await client.ask(target)

    content = document["components"]["responses"]["NOT_FOUND"]["content"]["application/json"]
    validator(document, content["schema"]).validate(answer.body)


async def test_every_reference_leads_somewhere(document):
    found = list(references(document))

    assert len(found) > 100
    assert all(resolved(document, one) for one in found)


async def test_times_are_marked_as_times_and_levels_are_always_there(document):
    schemas = document["components"]["schemas"]

    for name, field in (
        ("Meta", "timestamp"),
        ("Meta", "computed_at"),
        ("Candle", "datetime"),
        ("MaxPain", "expiry"),
        ("Point", "datetime"),
        ("ExpiryRow", "expiry"),
    ):
        assert schemas[name]["properties"][field] == {"type": "string", "format": "date-time"}
    assert {"type": "string", "format": "date-time"} in schemas["SymbolRow"]["properties"][
        "computed_at"
    ]["anyOf"]
    assert set(schemas["LevelSet"]["required"]) == schemas["LevelSet"]["properties"].keys()
    assert set(schemas["Sections"]["required"]) == {"all_expiry", "odte"}


async def test_success_has_a_type_without_which_generators_drop_the_answer(document):
    schemas = document["components"]["schemas"].items()
    found = {
        name: one["properties"]["success"]
        for name, one in schemas
        if "success" in one["properties"]
    }

    assert found.pop("Failure") == {"type": "boolean", "enum": [False]}
    assert found
    assert all(one == {"type": "boolean", "enum": [True]} for one in found.values())


async def test_the_symbols_are_those_that_are_configured(document):
    symbol = operations(document)["/gex/levels"]["parameters"][0]

    assert BTC in symbol["schema"]["enum"]
    assert symbol["schema"]["default"] == BTC


async def test_every_path_stands_under_a_heading_that_is_named(document):
    named = [tag["name"] for tag in document["tags"]]

    found = {path: one["tags"] for path, one in operations(document).items()}

    assert all(tags[0] in named for tags in found.values())
    assert found["/gex/levels"] == ["levels"]
    assert found["/status"] == ["about"]
