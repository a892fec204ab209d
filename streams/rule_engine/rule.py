"""A rule as the engine holds it: made by the reader of rule files, carried by the bundle, taken by the compiler."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import msgspec

from streams.vocabulary import Kind, Severity

View = Literal["safe", "fold", "squeeze", "digits"]
Boundary = Literal["none", "auto", "token"]
Mode = Literal["active", "shadow", "off"]
Scope = Literal["last", "any", "together"]
Fact: TypeAlias = str | float | bool

VIEWS: tuple[View, ...] = get_args(View)
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)
MODES: tuple[Mode, ...] = get_args(Mode)
SCOPES: tuple[Scope, ...] = get_args(Scope)

#: Named texts of an event of each kind; the first is the one meant where only one text is given.
FIELDS: dict[Kind, tuple[str, ...]] = {"message": ("text",), "listing": ("title", "description")}
#: Metadata that `when` may ask for, by kind. `attributes.<name>` comes on top for listings.
METADATA: dict[Kind, tuple[str, ...]] = {
    "message": ("status", "writer", "sender_id"),
    "listing": ("price", "currency", "category", "brand", "condition", "seller_id"),
}
ATTRIBUTE_PREFIX = "attributes."
#: The metadata that says who wrote an event, for `except.writers`.
WRITER_ID: dict[Kind, str] = {"message": "sender_id", "listing": "seller_id"}
#: A window holds five messages, the length of conversation that Mercari's model reads.
WINDOW_MESSAGES = 5


class Near(msgspec.Struct, frozen=True):
    """A word of `a` and a word of `b`, in either order, with at most `within` characters between them."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    within: int


class Count(msgspec.Struct, frozen=True):
    """At least so many of the words; each word once if `distinct`."""

    of: tuple[str, ...]
    at_least: int
    distinct: bool = True


class Match(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node of the match tree: exactly one of any, all, regex, near, count; `none` vetoes it."""

    any: tuple[str, ...] = ()
    all: tuple[Match | str, ...] = ()
    regex: str | None = None
    near: Near | None = None
    count: Count | None = None
    none: tuple[Match | str, ...] = ()
    view: View = "safe"
    boundary: Boundary = "none"
    field: str | None = None


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a metadata value must be. All parts given must hold; a missing value fails every condition."""

    one_of: tuple[Fact, ...] = ()
    not_in: tuple[Fact, ...] = ()
    lt: float | None = None
    lte: float | None = None
    gt: float | None = None
    gte: float | None = None


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which messages of the conversation a message rule reads; the default is the event's own message.

    With scope `any` one of them must match by itself, with `together` they are read as one, like a listing's fields.
    """

    messages: int = 1
    scope: Scope = "last"
    same_writer: bool = True


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule. Times are microseconds since 1970; `valid_until_us` itself is outside."""

    id: str
    description: str
    domain: str
    kind: Kind
    severity: Severity
    match: Match
    mode: Mode = "shadow"
    score: int = 50
    fields: tuple[str, ...] = ()
    window: Window = Window()
    when: dict[str, Condition] = {}
    except_phrases: tuple[str, ...] = ()
    except_writers: tuple[str, ...] = ()
    valid_from_us: int | None = None
    valid_until_us: int | None = None
    owner: str = ""
    tags: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()

    def version(self) -> str:
        """12 hex digits of SHA-256 over everything the rule says."""
        return hashlib.sha256(_encode(self)).hexdigest()[:12]


def version_of(rule_versions: Mapping[str, str]) -> str:
    """16 hex digits of SHA-256 over ids and versions of rules: the same rules in other files have the same version."""
    digest = hashlib.sha256()
    for rule_id, version in sorted(rule_versions.items()):
        digest.update(f"{rule_id} {version}\n".encode())
    return digest.hexdigest()[:16]


def _encode(rule: Rule) -> bytes:
    return msgspec.json.encode(rule, order="deterministic")
