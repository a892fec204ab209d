"""The documents name everything that the code can answer, and nothing that it cannot."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from streams.kafka import dead_letters
from streams.kafka.topics import catalogue
from streams.settings import Settings

ROOT = Path(__file__).parents[2]
SOURCES = {path: path.read_text() for path in (ROOT / "streams").rglob("*.py")}
CONTRACTS = (ROOT / "docs" / "contracts.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text()


def _codes(pattern: str) -> set[str]:
    return {code for text in SOURCES.values() for code in re.findall(pattern, text)}


def test_every_reason_of_a_dead_letter_is_explained() -> None:
    reasons = _codes(r'BadRecord\(\s*"(\w+)"')
    section = CONTRACTS.partition("## Dead letters")[2].partition("| reason |")[2].partition("\n\n")[0]

    assert len(reasons) > 5
    assert (
        set(re.findall(r"`([a-z_0-9]+)`", section.replace("`detail`", "").replace("`rescore`", "")))
        == reasons
    )


def test_every_note_is_explained() -> None:
    image_refusals = _codes(r'ImageRefused\(\s*"(\w+)"') | {"image_others_untried", "models_unavailable"}
    notes = image_refusals | _codes(r'"(key_missing|key_mismatch|time_\w+|lone_surrogate)"')

    assert [note for note in sorted(notes) if f"`{note}`" not in CONTRACTS] == []


def test_every_header_of_a_dead_letter_is_explained() -> None:
    names = [
        value
        for name, value in vars(dead_letters).items()
        if name.isupper() and str(value).startswith("sekisho.")
    ]

    assert len(names) == 7
    assert [name for name in names if f"`{name}`" not in CONTRACTS] == []


def test_retention_in_the_table_is_that_of_the_catalogue() -> None:
    for spec in catalogue(Settings(), ["x"]):
        if spec.role in {"rescore", "thresholds", "windows-changelog"}:
            continue
        days = int(spec.config["retention.ms"]) // 86_400_000
        (line,) = [
            line
            for line in CONTRACTS.splitlines()
            if line.startswith(f"| `{spec.role.replace('.x', '.<domain>')}`")
        ]
        assert f"| {days} days |" in line


def test_every_alert_is_in_the_runbook() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules" / "sekisho.yml").read_text())
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]

    assert re.findall(r"^\| `(\w+)` \|", OPERATIONS, re.M)[: len(alerts)] == alerts


def test_every_setting_that_is_named_exists() -> None:
    fields = {f"SEKISHO_{field.upper()}" for field in Settings.model_fields} | {"SEKISHO_CONFIG"}

    for text in (CONTRACTS, OPERATIONS, DEPLOYMENT):
        assert set(re.findall(r"\bSEKISHO_[A-Z_]*[A-Z]\b", text)) <= fields


def test_every_local_link_leads_somewhere() -> None:
    for text in (CONTRACTS, OPERATIONS, DEPLOYMENT):
        for target in re.findall(r"\]\((?!http)([^)#]+)", text):
            assert (ROOT / "docs" / target).exists() or target == "triton.md", target
