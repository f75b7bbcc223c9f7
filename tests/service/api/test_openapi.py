"""The OpenAPI document: every reference resolves, every operation is secured or public, every example is valid."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from service.api.dependencies import StrictRoute
from service.app import RESOURCES
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
        told = {status for status in operation["responses"] if status >= "4"}
        assert told - {"409", "429"} == possible(path, operation)
        assert ("429" in told) == ((path, method) in {("/v1/feedback", "post"), ("/v1/classify", "post")})
        assert ("409" in told) == ((method, path) in CONFLICTS), (method, path)
        for status in told:
            assert operation["responses"][status]["description"]
            content = operation["responses"][status]["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        assert {"200", "201", "202", "204"} & set(operation["responses"])


CONFLICTS = {
    ("post", "/v1/feedback"),
    ("post", "/v1/feedback/{feedback_id}/retry"),
    ("post", "/v1/work-items/{item_id}/events"),
    ("post", "/v1/deliveries/{delivery_id}/replay"),
    ("post", "/v1/policies/rollback"),
    ("post", "/v1/policies/{version}/activate"),
    ("post", "/v1/policies/{version}/deactivate"),
    ("post", "/v1/backtests/{backtest_id}/cancel"),
    ("post", "/v1/calibration/labels"),
    ("post", "/v1/calibration/labels/undo"),
    ("post", "/v1/calibration/cards/{card}/reveal"),
    ("post", "/v1/calibration/disputes/{card_id}"),
    ("post", "/v1/calibration/gates"),
    ("post", "/v1/calibration/gates/{change_id}/approve"),
    ("post", "/v1/calibration/gates/{change_id}/decline"),
    ("post", "/v1/destinations"),
    ("patch", "/v1/destinations/{name}"),
    ("post", "/v1/destinations/{name}/test"),
}

# What they ask for is named in the body, or as a parameter.
NAMED_OTHERWISE = {"/v1/calibration/next", "/v1/calibration/labels", "/v1/calibration/labels/undo"}


def possible(path: str, operation: dict[str, Any]) -> set[str]:
    """The problems an operation may answer, beside conflicts."""
    always = {"401", "403", "422", "503"}
    with_body = {"400", "408", "413", "415"} if "requestBody" in operation else set()
    return always | with_body | ({"404"} if "{" in path or path in NAMED_OTHERWISE else set())


def asked(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each schema of a request body with an example of it."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        given = [one["value"] for one in content.get("examples", {}).values()]
        given += [content["example"]] if "example" in content else []
        given += resolve(document, schema["$ref"]).get("examples", []) if "$ref" in schema else []
        assert given, "a body without an example"
        yield from ((schema, one) for one in given)


def answered(operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json")
        if status < "300" and content is not None:
            yield content["schema"], content["example"]


def test_every_body_and_every_good_answer_has_a_valid_example(document):
    for path, _, operation in operations(document):
        examples = [*asked(document, operation), *(answered(operation) if path.startswith("/v1/") else ())]
        for schema, example in examples:
            validate(document, schema, example)


ROUTES = [route for module in RESOURCES for route in module.router.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_example_is_valid_for_its_model(document, route):
    if route.path.startswith("/v1/"):
        (method,) = route.methods
        operation = document["paths"][route.path][method.lower()]
        if route.body_field is not None:
            for _, example in asked(document, operation):
                TypeAdapter(route.body_field.field_info.annotation).validate_python(example)
        for _, example in answered(operation):
            TypeAdapter(route.response_model).validate_python(example)


def test_an_event_has_an_example_of_each_type(document):
    operation = document["paths"]["/v1/work-items/{item_id}/events"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert {example["type"] for _, example in asked(document, operation)} == set(schema["discriminator"]["mapping"])


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
    (texts,) = body_examples(document, "/v1/classify")
    assert house.client().post("/v1/classify", json=texts).status_code == 200
    policy = document["paths"]["/v1/policies"]["post"]["requestBody"]["content"]["application/yaml"]["example"]
    assert house.client().post("/v1/policies", content=policy).status_code == 201
    tree = document["paths"]["/v1/policies"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert house.client().post("/v1/policies", json=tree).status_code == 201
    for activation in reversed(body_examples(document, "/v1/policies/{version}/activate")):
        assert house.client().post("/v1/policies/2/activate", json=activation).status_code == 200
    (destination,) = body_examples(document, "/v1/destinations")
    assert house.client().post("/v1/destinations", json=destination).status_code == 201
    ((_, change),) = asked(document, document["paths"]["/v1/destinations/{name}"]["patch"])
    assert house.client().patch("/v1/destinations/helpdesk", json=change).status_code == 200


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


def test_every_route_reads_json_strictly():
    reading = [route for route in ROUTES if route.body_field is not None]
    assert reading
    assert [route.path for route in reading if not isinstance(route, StrictRoute)] == []
