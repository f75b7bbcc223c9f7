"""The OpenAPI document: every reference resolves, every operation is secured or public, every example is valid."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi.routing import APIRoute

from service.api.classify import ClassifyIn
from service.ingest.record import FeedbackRecord

METHODS = {"get", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def document(house) -> dict[str, Any]:
    answer = house.stranger.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def resolve(document: dict[str, Any], reference: str) -> Any:
    place: Any = document
    for step in reference.removeprefix("#/").split("/"):
        place = place[step.replace("~1", "/").replace("~0", "~")]
    return place


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield path, method, operation


def test_every_reference_resolves_and_every_schema_is_used(document):
    used = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    assert all(isinstance(resolve(document, reference), dict) for reference in used)
    unused = {name for name in document["components"]["schemas"] if f"#/components/schemas/{name}" not in used}
    assert unused == set()


def test_every_schema_is_valid_json_schema_and_keeps_its_bounds(document):
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        strange = {"ge", "le", "gt", "lt", "min_length", "max_length"}
        assert not any(strange & set(node) for node in nodes(schema)), name
    nps = document["components"]["schemas"]["Scores"]["properties"]["nps"]["anyOf"][0]
    assert (nps["type"], nps["minimum"], nps["maximum"]) == ("integer", 0, 10)


def test_nothing_of_the_framework_s_own_errors_is_left(document):
    text = json.dumps(document)
    assert "HTTPValidationError" not in text
    assert '"ValidationError"' not in text


def test_every_secured_operation_tells_its_problems(document):
    for path, method, operation in operations(document):
        assert operation["summary"]
        assert operation["description"], (path, method)
        if path in {"/livez", "/readyz", "/metrics"}:
            assert "security" not in operation
            continue
        assert operation["security"] == [{"HTTPBearer": []}]
        for status in ("400", "401", "403", "404", "409", "413", "415", "422", "503"):
            content = operation["responses"][status]["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        assert {"200", "201", "202", "204"} & set(operation["responses"])


def test_parameters_of_a_path_are_declared(document):
    for path, _, operation in operations(document):
        declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert declared == {step[1:-1] for step in path.split("/") if step.startswith("{")}


def body_examples(document: dict[str, Any], path: str) -> list[Any]:
    content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    given = [one["value"] for one in content.get("examples", {}).values()]
    schema = content["schema"]
    return given + (resolve(document, schema["$ref"]).get("examples", []) if "$ref" in schema else [])


def test_the_examples_are_accepted_by_the_service_itself(house, document):
    one, many = body_examples(document, "/v1/feedback")
    FeedbackRecord.model_validate(one)
    assert many == [one]
    for example in (one, many):
        assert house.client().post("/v1/feedback", json=example).status_code == 202
    (asked,) = body_examples(document, "/v1/classify")
    ClassifyIn.model_validate(asked)
    assert house.client().post("/v1/classify", json=asked).status_code == 200
    policy = document["paths"]["/v1/policies"]["post"]["requestBody"]["content"]["application/yaml"]["example"]
    assert house.client().post("/v1/policies", content=policy).status_code == 201
    (activation,) = body_examples(document, "/v1/policies/{version}/activate")
    assert house.client().post("/v1/policies/2/activate", json=activation).status_code == 200
    (destination,) = body_examples(document, "/v1/destinations")
    assert house.client().post("/v1/destinations", json=destination).status_code == 201


def validate(document: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    jsonschema.validate(value, {**schema, "components": document["components"]})


def test_answers_match_what_is_promised(house, document):
    sent = {"source": "openapi", "external_id": "1", "verbatims": [{"text": "Late, broken, never again."}]}
    posted = house.client().post("/v1/feedback", json=sent)
    one = posted.json()["results"][0]["id"]
    house.drain()
    calls = {
        "/v1/feedback": "/v1/feedback",
        "/v1/feedback/{feedback_id}": f"/v1/feedback/{one}",
        "/v1/work-items": "/v1/work-items",
        "/v1/deliveries": "/v1/deliveries",
        "/v1/policies": "/v1/policies",
        "/v1/policies/{version}": "/v1/policies/1",
        "/v1/destinations": "/v1/destinations",
        "/readyz": "/readyz",
        "/livez": "/livez",
    }
    for path, concrete in calls.items():
        answer = house.client().get(concrete)
        assert answer.status_code == 200
        promised = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validate(document, promised, answer.json())
    missing = house.client().get("/v1/policies/99")
    validate(document, document["components"]["schemas"]["Problem"], missing.json())
    taken = document["paths"]["/v1/feedback"]["post"]["responses"]["202"]["content"]["application/json"]["schema"]
    validate(document, taken, posted.json())


def test_every_route_reads_json_strictly(house):
    from service.api.dependencies import StrictRoute  # noqa: PLC0415 (named here only)
    from service.app import create_app  # noqa: PLC0415

    for route in create_app(house.wiring).routes:
        if isinstance(route, APIRoute) and route.body_field is not None:
            assert isinstance(route, StrictRoute), route.path
