"""The generated contract: up to date, true of the records that the engine writes, and of those it reads."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from streams.alerts import (
    Excerpt,
    ModelEvidence,
    PatrolEvidence,
    RuleEvidence,
    Screened,
    alert_records,
    listing_subject,
    message_subject,
    prediction_record,
)
from streams.events import Listing, Message, Position
from streams.kafka.dead_letters import DeadLetter, headers_of
from streams.kafka.topics import INPUTS, catalogue
from streams.schemas import CHANNELS, FIELD_NOTES, asyncapi, files, schemas, write
from streams.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"

MESSAGE = Message(message_id="m9", transaction_id="t7", writer="seller", text="LINEで")
LISTING = Listing(
    listing_id="l1", seller_id="s1", title="鞄", price=1200.0, attributes={"size": "M", "year": 3.0}
)
RULE = RuleEvidence(
    "contact", "contact.line", "abc", "active", "low", 7, (Excerpt("m9", "text", 0, 4, "LINE"),)
)
MODEL = ModelEvidence("contact", "message_contact", 3, "champion", 0.9, 0.97, gate=(0.4, 0.6))
FAILED = ModelEvidence("contact", "message_contact", 4, "challenger", 0.9, None, failure="deadline")


def _screened(subject: Message | Listing) -> Screened:
    if isinstance(subject, Message):
        turn = {"message_id": "m9", "writer": "seller", "text": "…"}
        shown: dict[str, object] = {"status": None, "messages": [turn]}
        of = message_subject(subject)
    else:
        names = ("listing_id", "seller_id", "title", "description", "price", "currency", "category", "brand")
        fields = {name: getattr(subject, name) for name in (*names, "condition", "attributes")}
        shown = {"listing": {**fields, "images": 0}}
        of = listing_subject(subject)
    return Screened(
        of, Position("messages", 3, 41), 1_700_000_000_123_000, ("key_missing",), (RULE,), shown, "r", "p"
    )


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with every object closed, so that a field without a place in it is found."""
    closed = copy.deepcopy(schema)
    for definition in closed["$defs"].values():
        definition["additionalProperties"] = False
    return closed


def test_the_committed_files_are_up_to_date() -> None:
    committed = {str(path.relative_to(DOCS)) for path in (DOCS / "schemas").iterdir()} | {"asyncapi.yaml"}

    assert committed == set(files())
    for name, content in files().items():
        assert (DOCS / name).read_text(encoding="utf-8") == content, "run: python -m streams.schemas docs/"


def test_they_are_written_where_asked(tmp_path: Path) -> None:
    written = write(tmp_path)

    assert {str(path.relative_to(tmp_path)): path.read_text(encoding="utf-8") for path in written} == files()


@pytest.mark.parametrize("name", ["listing", "message", "report", "decision", "alert", "prediction"])
def test_each_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


@pytest.mark.parametrize("subject", [MESSAGE, LISTING])
def test_what_the_engine_writes_fits_its_schema(subject: Message | Listing) -> None:
    screened = _screened(subject)
    ((_, alert),) = alert_records(
        screened, [RULE, MODEL], severities={}, revision=1, now_us=1_700_000_001_000_000
    )
    ((_, drawn),) = alert_records(screened, [PatrolEvidence(0.001)], severities={}, revision=1, now_us=0)
    prediction = prediction_record(
        screened,
        [MODEL, FAILED, replace(MODEL, decides=False)],
        alerts=["a"],
        notes=[],
        now_us=1_700_000_001_000_000,
    )

    for record in (alert, drawn):
        jsonschema.validate(json.loads(json.dumps(record)), _strict(schemas()["alert"]))
    jsonschema.validate(json.loads(json.dumps(prediction)), _strict(schemas()["prediction"]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("evidence", []),
        ("revision", 0),
        ("subject", {"type": "seller"}),
        ("context", [{"writer": "bot"}]),
        ("new", 1),
    ],
)
def test_another_alert_does_not_fit(name: str, value: object) -> None:
    ((_, alert),) = alert_records(_screened(MESSAGE), [RULE], severities={}, revision=1, now_us=0)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(json.dumps({**alert, name: value})), _strict(schemas()["alert"]))


def test_an_event_is_checked_as_the_engine_does() -> None:
    jsonschema.validate({"listing_id": "l", "seller_id": "s", "title": "t", "other": 1}, schemas()["listing"])
    with pytest.raises(jsonschema.ValidationError, match="'writer' is a required property"):
        jsonschema.validate({"message_id": "m", "transaction_id": "t", "text": ""}, schemas()["message"])


def test_a_report_says_in_one_place_what_is_reported() -> None:
    frame = {"report_id": "r", "reported_at": "2026-11-21T10:00:00Z", "domain": "contact"}
    message = {"message_id": "m", "transaction_id": "t", "writer": "buyer", "text": "x"}
    subject = {"type": "listing", "listing_id": "l", "seller_id": "s"}
    schema = schemas()["report"]

    with_conversation = {"message": message, "conversation": [message], "listing": None}
    for reported in (with_conversation, {"subject": subject, "conversation": []}):
        jsonschema.validate({**frame, **reported}, schema)
    wrong_ones = (
        {},
        {"message": message, "subject": subject},
        {"subject": subject, "conversation": [message]},
    )
    for wrong in wrong_ones:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**frame, **wrong}, schema)


def test_notes_speak_of_fields_that_exist() -> None:
    definitions = {name: body for schema in schemas().values() for name, body in schema["$defs"].items()}

    for kind, notes in FIELD_NOTES.items():
        assert set(notes) <= set(definitions[kind]["properties"])


def test_the_asyncapi_document_has_every_public_topic_and_no_loose_reference() -> None:
    document = asyncapi()

    internal = {"rescore", "alerted", "statistics", "thresholds", "windows-changelog"}
    roles = {
        spec.role.replace("alerts.x", "alerts.{domain}") for spec in catalogue(Settings(), ["x"])
    } - internal
    assert {channel.name for channel in CHANNELS} == roles
    assert {channel.name for channel in CHANNELS if channel.direction == "receive"} == set(INPUTS)
    for reference in _references(document):
        if reference.startswith("#/"):
            place: Any = document
            for step in reference[2:].split("/"):
                place = place[step]
        else:
            assert reference.removeprefix("./") in files()
    assert yaml.safe_load(files()["asyncapi.yaml"]) == document


def test_dead_letter_headers_are_those_that_are_written() -> None:
    headers = asyncapi()["components"]["messages"]["deadletter"]["headers"]
    letter = DeadLetter("not_json", "x", "messages", 0, 0, 0, truncated_from=5)

    assert list(headers["properties"]) == [name for name, _ in headers_of(letter)]


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
