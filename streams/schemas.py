"""Generates docs/schemas/*.json and docs/asyncapi.yaml from the types: `python -m streams.schemas docs/`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import yaml

from streams.events import Decision, Listing, Message
from streams.kafka import dead_letters
from streams.published import Alert, Prediction, ShownListing, ShownTurn
from streams.reports import Report

#: The version of the record contract: raised when a field changes its meaning or goes.
CONTRACT_VERSION: Final = "1.0.0"

#: What the types of incoming events do not say themselves, by type and field.
FIELD_NOTES: Final[Mapping[str, Mapping[str, str]]] = {
    "Listing": {
        "listing_id": "Key of the record",
        "price": "In units of `currency`",
        "currency": "ISO 4217, e.g. JPY",
        "condition": "The marketplace's own word, e.g. new, used",
        "images": "The first that can be used is judged",
        "attributes": "Flat map; rules read it as attributes.<name>",
        "updated_at": "RFC 3339; without it the broker's timestamp counts",
        "event_id": "The producer's own id of this event, for tracing",
    },
    "ImageSource": {
        "url": "https address on a host of SEKISHO_IMAGE_HOSTS",
        "data": "The file in base64 (JPEG, PNG, WEBP or GIF)",
        "path": "Below SEKISHO_IMAGE_PATHS; refused while that is unset",
    },
    "Message": {
        "message_id": "Unique; a second record of the same id in the window is the same message",
        "transaction_id": "Key of the record: one conversation stays on one partition, in order",
        "status": "waiting_for_payment, waiting_for_shipping, shipped, waiting_for_rating, completed, cancelled; "
        "any other is kept and treated as unknown",
        "sent_at": "RFC 3339; without it the broker's timestamp counts",
        "event_id": "The producer's own id of this event, for tracing",
    },
    "Report": {
        "report_id": "Unique; a second record of the same id is the same report",
        "reported_at": "RFC 3339",
        "domain": "A domain of domains.yaml for this kind of event",
        "reporter_id": "Who reports; a pseudonym will do",
        "reason": "The customer's own words; alerts show them masked",
        "listing": "The listing as it was when it was reported, as in `listings`",
        "message": "The message as it was sent, as in `messages`",
        "conversation": "Only with `message`: those before it in its transaction, oldest first",
        "subject": "Only the ids: the alert then stands on the report alone",
    },
    "Decision": {
        "alert_id": "Key of the record: the alert that was judged",
        "decided_at": "RFC 3339",
        "domain": "Of the violation found; needed for alerts of the patrol, whose own domain says nothing",
        "moderator_id": "Who decided; a pseudonym will do",
    },
}


#: What the types cannot say of a report: what is reported stands in one place, and a conversation belongs to a message.
ONE_IS_REPORTED: Final[Mapping[str, object]] = {
    "oneOf": [
        {"required": [name], "properties": {name: {"type": "object"}}}
        for name in ("listing", "message", "subject")
    ],
    "if": {"required": ["conversation"], "properties": {"conversation": {"minItems": 1}}},
    "then": {"required": ["message"]},
}


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic for the AsyncAPI document."""

    name: str
    direction: Literal["receive", "send"]
    record: str
    key: str
    description: str


CHANNELS: Final = (
    Channel(
        "listings", "receive", "listing", "listing_id", "Items put up for sale, written by the marketplace"
    ),
    Channel("messages", "receive", "message", "transaction_id", "Messages between buyer and seller"),
    Channel(
        "reports",
        "receive",
        "report",
        "listing_id or transaction_id",
        "Customers' reports of listings and messages, written by the marketplace",
    ),
    Channel("decisions", "receive", "decision", "alert_id", "Moderators' verdicts on alerts"),
    Channel(
        "alerts.{domain}",
        "send",
        "alert",
        "listing_id or transaction_id",
        "One topic per domain of domains.yaml",
    ),
    Channel(
        "alerts.patrol",
        "send",
        "alert",
        "listing_id or transaction_id",
        "A random sample of what nothing flagged, for review; off by default",
    ),
    Channel(
        "predictions", "send", "prediction", "listing_id or transaction_id", "One record per scored event"
    ),
    Channel(
        "deadletter",
        "send",
        "deadletter",
        "the original record's key",
        "Records that could not be used: the original bytes, and why in the headers",
    ),
)

Schema = dict[str, Any]


def schemas() -> dict[str, Schema]:
    """JSON Schema (2020-12) by record name."""
    kinds = {
        "listing": Listing,
        "message": Message,
        "report": Report,
        "decision": Decision,
        "alert": Alert,
        "prediction": Prediction,
    }
    return {name: _schema(name, kind) for name, kind in kinds.items()}


def asyncapi() -> Schema:
    """The AsyncAPI 3.0 document; payloads refer to the schema files beside it."""
    records = {channel.record: channel for channel in CHANNELS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sekisho",
            "version": CONTRACT_VERSION,
            "description": "Real-time moderation of marketplace events: events in on Kafka, alerts out on Kafka. "
            "SEKISHO_TOPIC_PREFIX goes before every address.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{broker}",
                "protocol": "kafka",
                "variables": {"broker": {"default": "127.0.0.1:9092", "description": "SEKISHO_BROKER"}},
            }
        },
        "channels": {_identifier(channel): _channel(channel) for channel in CHANNELS},
        "operations": {
            f"{channel.direction}_{_identifier(channel)}": {
                "action": channel.direction,
                "channel": {"$ref": f"#/channels/{_identifier(channel)}"},
            }
            for channel in CHANNELS
        },
        "components": {"messages": {name: _message(name, channel) for name, channel in records.items()}},
    }


def files() -> dict[str, str]:
    """Every generated file: path below docs/ → content."""
    generated = {
        f"schemas/{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    body = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=110)
    generated["asyncapi.yaml"] = f"# Generated: python -m streams.schemas docs/\n{body}"
    return generated


def write(directory: Path) -> list[Path]:
    """Write every generated file below a directory; what was written."""
    written = []
    for name, content in files().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        written.append(path)
    return written


def _schema(name: str, kind: type[Any]) -> Schema:
    extra = (ShownTurn, ShownListing) if kind is Alert else ()
    (root, *_), definitions = msgspec.json.schema_components([kind, *extra], ref_template="#/$defs/{name}")
    for type_name, notes in FIELD_NOTES.items():
        for field, note in notes.items():
            if type_name in definitions:
                definitions[type_name]["properties"][field]["description"] = note
    if kind is Alert:
        references = [{"$ref": f"#/$defs/{shown.__name__}"} for shown in extra]
        definitions["Alert"]["properties"]["context"]["items"] = {"anyOf": references}
    if kind is Report:
        definitions["Report"] |= ONE_IS_REPORTED
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{name}.schema.json",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _identifier(channel: Channel) -> str:
    return channel.name.removesuffix(".{domain}")


def _channel(channel: Channel) -> Schema:
    body: Schema = {
        "address": channel.name,
        "description": channel.description,
        "messages": {channel.record: {"$ref": f"#/components/messages/{channel.record}"}},
    }
    if "{domain}" in channel.name:
        body["parameters"] = {"domain": {"description": "A domain of domains.yaml"}}
    return body


def _message(name: str, channel: Channel) -> Schema:
    message: Schema = {
        "name": name,
        "bindings": {"kafka": {"key": {"type": "string", "description": channel.key}}},
    }
    if name == "deadletter":
        message["contentType"] = "application/octet-stream"
        message["headers"] = _dead_letter_headers()
        message["payload"] = {"description": "The bytes that were in the original topic, or their beginning"}
    else:
        message["payload"] = {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./schemas/{name}.schema.json"},
        }
    return message


def _dead_letter_headers() -> Schema:
    described = {
        dead_letters.REASON: "Stable code, e.g. missing_field",
        dead_letters.DETAIL: "A sentence without personal data",
        dead_letters.TOPIC: "Full name of the topic the record came from",
        dead_letters.PARTITION: "Its partition there, decimal",
        dead_letters.OFFSET: "Its offset there, decimal",
        dead_letters.AT: "When it was put aside, RFC 3339",
        dead_letters.TRUNCATED: "Only when the value was cut: its original size in bytes, decimal",
    }
    required = [name for name in described if name != dead_letters.TRUNCATED]
    properties = {name: {"type": "string", "description": text} for name, text in described.items()}
    return {"type": "object", "required": required, "properties": properties}


if __name__ == "__main__":
    for written_path in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
        print(written_path)
