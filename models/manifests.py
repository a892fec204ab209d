"""The manifest of a model: one YAML file says what is learnt, from which data, by which system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from models.data.examples import Kind
from models.data.sampling import Sampling
from models.data.splits import Split
from models.sections import as_yaml_value, made, read_section
from models.systems.contract import SYSTEMS, System, load_system
from streams.diagnostics import Issue, in_reading_order
from streams.inference.contracts import family_of
from streams.strict_yaml import load
from streams.yaml_cursor import Cursor

__all__ = ["Manifest", "ManifestError", "Sampling", "Split", "Threshold", "as_yaml", "parse", "read_manifest"]

_KEYS: Final = (
    "name", "kind", "system", "domain", "domains", "label", "labels", "data", "seed", "sampling", "split",
    "network", "training", "threshold",
)  # fmt: skip
_LONGEST: Final = 200
_MOST_DOMAINS: Final = 50
_KINDS: Final[tuple[Kind, ...]] = ("message", "listing")


class ManifestError(ValueError):
    """A manifest that cannot be used; its text is every issue as file:line:column."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("\n".join(issue.render() for issue in in_reading_order(issues)))
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least score that alerts: the lowest that reaches `precision` on the validation part, or a fixed number."""

    precision: float | None = 0.9
    fixed: float | None = None

    def __post_init__(self) -> None:
        for value in (self.precision, self.fixed):
            if value is not None and not 0 < value <= 1:
                raise ValueError(f"{value:g} is not a threshold or precision: above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest with its defaults filled in.

    `domains` has one entry but for systems that serve several; `labels` maps each domain to its label in the data.
    `network` and `training` are instances of the system's option dataclasses.
    """

    name: str
    kind: Kind
    system: str
    domains: tuple[str, ...]
    labels: Mapping[str, str]
    network: Any
    training: Any
    data: str | None = None
    seed: int = 1
    sampling: Sampling = field(default_factory=Sampling)
    split: Split = field(default_factory=Split)
    threshold: Threshold = field(default_factory=Threshold)

    def model_name(self, domain: str) -> str:
        """The model of a domain on Triton: `name`, or `<kind>_<domain>` where there are several."""
        return self.name if len(self.domains) == 1 else f"{self.kind}_{domain}"


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file. Raises ManifestError with every issue, OSError where it cannot be read."""
    return parse(path.read_bytes(), str(path))


def parse(data: bytes, path: str) -> Manifest:
    """The manifest that `data` holds; `path` is for messages. Raises ManifestError with every issue."""
    document, issues = load(data, path)
    if document is None:
        raise ManifestError(issues)
    manifest = _read(Cursor.at_root(document, issues, "manifest"))
    if issues or manifest is None:
        raise ManifestError(issues)
    return manifest


def as_yaml(manifest: Manifest) -> str:
    """The manifest as a file that `parse` reads back to the same."""
    several = len(manifest.domains) > 1
    (first, *_) = manifest.domains
    body: dict[str, Any] = {"name": manifest.name, "kind": manifest.kind, "system": manifest.system}
    if several:
        body |= {"domains": list(manifest.domains), "labels": dict(manifest.labels)}
    else:
        body |= {"domain": first, "label": manifest.labels[first]}
    if manifest.data is not None:
        body["data"] = manifest.data
    body["seed"] = manifest.seed
    for name in ("sampling", "split", "network", "training"):
        body[name] = as_yaml_value(getattr(manifest, name))
    body["training"].pop("seed", None)
    fixed = manifest.threshold.fixed
    body["threshold"] = {"precision": manifest.threshold.precision} if fixed is None else fixed
    dumped: str = yaml.dump(body, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return dumped


class _Plain(yaml.SafeDumper):
    """Writes fractions without an exponent, which the reader would take for text."""


_Plain.add_representer(
    float,
    lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", _fraction(value)),
)


def _fraction(value: float) -> str:
    text = f"{value:.15f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def _read(cursor: Cursor) -> Manifest | None:
    if not cursor.mapping(_KEYS, required=("name", "kind", "system")):
        return None
    kind: Kind | None = cursor.read("kind", _kind)
    name = cursor.read("name", lambda child: child.text(most=_LONGEST))
    system = _system(cursor, kind)
    domains = _domains(cursor, system)
    if name is not None and kind is not None and domains:
        _check_names(cursor, name, kind, domains)
    seed = cursor.read("seed", lambda child: child.integer(least=0, most=2**31 - 1))
    values: dict[str, Any] = {
        "sampling": _section(cursor, "sampling", Sampling),
        "split": _section(cursor, "split", Split),
        "threshold": _threshold(cursor),
    }
    if system is not None:
        options = system.training_options
        has_seed = "seed" in getattr(options, "__dataclass_fields__", {})
        given = {"seed": 1 if seed is None else seed} if has_seed else {}
        values["network"] = _section(cursor, "network", system.network_options)
        values["training"] = _section(cursor, "training", options, given)
    data = cursor.read("data", _within)
    labels = _labels(cursor, domains)
    if cursor.issues or name is None or kind is None or None in values.values():
        return None
    return Manifest(
        name=name,
        kind=kind,
        system=cursor.value["system"],
        domains=domains,
        labels=labels,
        data=data,
        seed=1 if seed is None else seed,
        **values,
    )


def _kind(cursor: Cursor) -> Kind | None:
    return cursor.word(_KINDS)


def _system(cursor: Cursor, kind: Kind | None) -> System | None:
    name = cursor.read("system", lambda child: child.word(tuple(SYSTEMS)))
    if name is None:
        return None
    system = load_system(name)
    if kind is not None and system.kind != kind:
        cursor.note("wrong-value", f'system "{name}" scores a {system.kind}, not a {kind}', at_key="system")
    return system


def _domains(cursor: Cursor, system: System | None) -> tuple[str, ...]:
    if system is not None and system.several_domains:
        if "domain" in cursor.value:
            cursor.note(
                "unknown-key", "this system serves several domains", "write domains: [...]", at_key="domain"
            )
        elif "domains" not in cursor.value:
            cursor.note("missing-key", '"domains" is missing')
        return cursor.read("domains", lambda child: child.texts(most=_MOST_DOMAINS)) or ()
    if "domains" in cursor.value:
        cursor.note(
            "unknown-key",
            "this system serves one domain",
            "write domain: ... and one manifest each",
            at_key="domains",
        )
    elif "domain" not in cursor.value:
        cursor.note("missing-key", '"domain" is missing')
    domain = cursor.read("domain", lambda child: child.text(most=_LONGEST))
    return () if domain is None else (domain,)


def _check_names(cursor: Cursor, name: str, kind: Kind, domains: tuple[str, ...]) -> None:
    """The exported models must have names that Triton's families know."""
    names = [name] if len(domains) == 1 else [f"{kind}_{domain}" for domain in domains]
    for model in names:
        try:
            fits = family_of(model).name == kind
        except ValueError as error:
            cursor.note("wrong-value", str(error), at_key="name" if len(domains) == 1 else "domains")
            continue
        if not fits:
            cursor.note(
                "wrong-value", f'"{model}" is not the name of a {kind} model', f"{kind}_...", at_key="name"
            )


def _labels(cursor: Cursor, domains: tuple[str, ...]) -> dict[str, str]:
    own = {domain: domain for domain in domains}
    if len(domains) == 1:
        if "labels" in cursor.value:
            cursor.note("unknown-key", '"labels" is for several domains', "write label: ...", at_key="labels")
        label = cursor.read("label", lambda child: child.text(most=_LONGEST))
        return own if label is None else {domains[0]: label}
    if "label" in cursor.value:
        cursor.note(
            "unknown-key", '"label" is for one domain', "write labels: {domain: label}", at_key="label"
        )
    written = cursor.get("labels") if "labels" in cursor.value else None
    if written is not None and written.mapping(domains):
        for domain, child in written.entries():
            own[domain] = child.text(most=_LONGEST) or domain
    return own


def _section(cursor: Cursor, key: str, options: type[Any], given: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
    if key not in cursor.value:
        return made(cursor, options, given or {})
    return cursor.read(key, lambda child: read_section(child, options, given=given))


def _threshold(cursor: Cursor) -> Threshold | None:
    if "threshold" not in cursor.value:
        return Threshold()
    child = cursor.get("threshold")
    if child is None:
        return None
    if isinstance(child.value, int | float) and not isinstance(child.value, bool):
        fixed = made(child, Threshold, {"precision": None, "fixed": float(child.value)})
        return fixed if isinstance(fixed, Threshold) else None
    if not child.mapping(("precision",), required=("precision",)):
        return None
    wanted = child.read("precision", lambda value: value.number(least=0, most=1))
    found = None if wanted is None else made(child, Threshold, {"precision": wanted})
    return found if isinstance(found, Threshold) else None


def _within(cursor: Cursor) -> str | None:
    text = cursor.text(most=_LONGEST)
    if text is not None and (Path(text).is_absolute() or ".." in Path(text).parts):
        cursor.note("wrong-value", f'"data" is {text!r}', "a directory under --data, without ..")
        return None
    return text
