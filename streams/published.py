"""What subscribers read, as types: alerts and predictions, for the schemas that are generated from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Time = Annotated[
    str, Meta(description="RFC 3339 in UTC with milliseconds", examples=["2026-11-21T10:00:00.123Z"])
]
Notes = Annotated[
    tuple[str, ...],
    Meta(description="Stable codes of what was odd about the event, e.g. `lone_surrogate`, `image_broken`"),
]
RulesetVersion = Annotated[str, Meta(description="Hash of the rule set that was live")]
PolicyVersion = Annotated[str, Meta(description="Hash of domains.yaml as it was live")]
DomainName = Annotated[
    str,
    Meta(
        description="A domain of domains.yaml; `patrol` for what was drawn at random",
        examples=["off_platform_payment"],
    ),
]


class Span(Struct, frozen=True, kw_only=True):
    """Where a rule found what it looks for; `start` and `end` are code points of the original text."""

    message_id: Annotated[str | None, Meta(description="The message of the window, null for listings")]
    field: Annotated[str, Meta(examples=["text", "title", "description"])]
    start: int
    end: int
    text: Annotated[str, Meta(description="The words found, personal data in them masked")]


class RuleFired(Struct, frozen=True, kw_only=True, tag_field="by", tag="rule"):
    """A rule fired."""

    rule_id: str
    rule_version: str
    severity: str
    score: int
    spans: tuple[Span, ...]


class Gate(Struct, frozen=True, kw_only=True):
    """Mean weights that a listing model gave its modalities."""

    text: float
    image: float


class ModelPassed(Struct, frozen=True, kw_only=True, tag_field="by", tag="model"):
    """A model's score reached its threshold."""

    model: str
    version: str
    role: Literal["champion", "challenger"]
    score: Annotated[float | None, Meta(description="0 to 1; null when the model could not score")]
    threshold: float
    gate: Gate | None
    failure: Annotated[str, Meta(description="Why there is no score")] | UnsetType = UNSET


class Reported(Struct, frozen=True, kw_only=True, tag_field="by", tag="report"):
    """A customer reported it."""

    report_id: str
    reported_at: Time
    reporter_id: str | None
    reason: Annotated[str | None, Meta(description="The customer's own words, masked")]


class DrawnByPatrol(Struct, frozen=True, kw_only=True, tag_field="by", tag="patrol"):
    """Nothing flagged the event: it was drawn at random for review."""

    share: Annotated[float, Meta(gt=0, le=1, description="The chance that it had; its inverse is its weight")]


class MessageSubject(Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """A message was judged."""

    message_id: str
    transaction_id: str


class ListingSubject(Struct, frozen=True, kw_only=True, tag_field="type", tag="listing"):
    """A listing was judged."""

    listing_id: str
    seller_id: str


class ShownTurn(Struct, frozen=True, kw_only=True):
    """A message of the window, masked."""

    message_id: str
    writer: Literal["seller", "buyer"]
    text: str


class ShownListing(Struct, frozen=True, kw_only=True):
    """A listing, its texts masked; `images` is how many it has."""

    listing_id: str
    seller_id: str
    title: str
    description: str
    price: float | None
    currency: str | None
    category: str | None
    brand: str | None
    condition: str | None
    images: int
    attributes: dict[str, str | float | bool]


class Alert(Struct, frozen=True, kw_only=True):
    """One event in one domain, with all evidence. Upsert by `alert_id`; a higher `revision` replaces a lower one."""

    alert_id: Annotated[str, Meta(description="The same for every replay of the event")]
    revision: Annotated[int, Meta(ge=1)]
    domain: DomainName
    severity: Annotated[str, Meta(examples=["high"])]
    subject: MessageSubject | ListingSubject
    raised_at: Time
    event_at: Time
    evidence: Annotated[tuple[RuleFired | ModelPassed | DrawnByPatrol | Reported, ...], Meta(min_length=1)]
    context: Annotated[tuple[Any, ...], Meta(description="The window, oldest first, or the listing; masked")]
    notes: Notes
    ruleset: RulesetVersion
    policy: PolicyVersion


class Source(Struct, frozen=True, kw_only=True):
    """Where the event stands in Kafka."""

    topic: str
    partition: int
    offset: int


class Shown(Struct, frozen=True, kw_only=True):
    """The masked input: `messages` and `status`, or `listing`."""

    status: str | UnsetType | None = UNSET
    messages: tuple[ShownTurn, ...] | UnsetType = UNSET
    listing: ShownListing | UnsetType = UNSET


class Score(Struct, frozen=True, kw_only=True):
    """What one model said."""

    domain: DomainName
    model: str
    version: str
    role: Literal["champion", "challenger"]
    score: Annotated[float | None, Meta(description="0 to 1; null when the model could not score")]
    threshold: float
    gate: Gate | None
    failure: Annotated[str, Meta(description="Why there is no score")] | UnsetType = UNSET
    decides: (
        Annotated[
            bool, Meta(description="false: the model only watches, this score raises nothing; absent: true")
        ]
        | UnsetType
    ) = UNSET


class FiredRule(Struct, frozen=True, kw_only=True):
    """A rule that fired, shadow rules included."""

    domain: DomainName
    rule_id: str
    rule_version: str
    mode: Literal["active", "shadow"]


class Prediction(Struct, frozen=True, kw_only=True):
    """One scored event: the memory for backtests, calibration, drift and training."""

    subject: MessageSubject | ListingSubject
    content: Annotated[
        str, Meta(description="Hash of what was judged; another wording of the same subject differs")
    ]
    event_at: Time
    scored_at: Time
    source: Source
    input: Shown
    scores: tuple[Score, ...]
    rules: tuple[FiredRule, ...]
    alerts: Annotated[tuple[str, ...], Meta(description="Ids of the alerts that the event raised")]
    notes: Notes
    ruleset: RulesetVersion
    policy: PolicyVersion
