"""The report as a moderation lead reads it; the expected text stands beside this file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.evaluation.findings import Findings, Material, Options, find, pr_curve, resamples_of
from models.evaluation.job import Evaluated
from models.evaluation.output import RECORD, REPORT, record, write
from models.evaluation.report import as_markdown, summary
from models.evaluation.subject import Examples, Shown, Subject

APPROVED = Path(__file__).with_suffix(".approved.md")

SUBJECT = Subject(
    model="listing_counterfeit/4",
    domain="counterfeit",
    label="fake",
    kind="listing",
    model_sha256="sha256:aa",
    data="test.jsonl",
    files={"test.jsonl": "sha256:bb"},
    fingerprint="sha256:cc",
    rows=600,
    unlabelled=7,
    groups=600,
    evaluated_at="2026-01-05 09:00 UTC",
    rules="rules (set 0123)",
    active_rules=3,
    champion="listing_counterfeit/3",
    champion_sha256="sha256:dd",
    champion_scores="given now by its file",
    versions={"Python": "3.11"},
)
EXAMPLES = Examples(
    (Shown("test.jsonl:3", 0.97, "Bag | *new* <b>"),), (Shown("test.jsonl:9", 0.02, "Watch"),)
)
PLOTS = {
    name: f"{name}.png"
    for name in ("precision_recall", "precision_at_k", "reliability", "gates", "differences")
}


def material(rows: int = 600, *, positives: float = 0.12, worse: float = 0.02) -> Material:
    order = np.random.default_rng(3)
    truth = (order.random(rows) < positives).astype(np.float32)
    logits = order.normal(truth * 3 - 2.5, 1.0)
    text = order.beta(4, 2, rows).astype(np.float32)
    return Material(
        truth=truth,
        scores=1 / (1 + np.exp(-logits)),
        groups=np.arange(rows),
        champion=1 / (1 + np.exp(-(logits + order.normal(0, worse, rows)))),
        rule_alerts=(order.random(rows) < np.where(truth == 1, 0.3, 0.03)),
        gates=np.stack([text, 1 - text], axis=1),
        has_image=order.random(rows) < 0.8,
        attribute=(order.random(rows) < 0.5).astype(np.float32),
    )


OPTIONS = Options(threshold=0.6, champion_threshold=0.7, ks=(20, 50, 200), resamples=200, by="attributes.new")


@pytest.fixture(scope="module")
def findings() -> Findings:
    return find(material(), OPTIONS)


def test_the_report_reads_as_approved(findings: Findings) -> None:
    assert as_markdown(SUBJECT, findings, OPTIONS, EXAMPLES, PLOTS) == APPROVED.read_text("utf-8")


def test_the_terminal_gets_the_first_sentences(findings: Findings) -> None:
    lines = summary(SUBJECT, findings)
    assert lines[0].startswith("600 listings of test.jsonl")
    assert not any("*" in line for line in lines)
    assert len(lines) == 5


def test_words_of_others_are_not_read_as_markdown(findings: Findings) -> None:
    text = as_markdown(SUBJECT, findings, OPTIONS, EXAMPLES, {})
    assert r"| Bag \| \*new\* \<b\> |" in text
    assert "![" not in text


def test_rows_it_has_learnt_from_are_warned_of(findings: Findings) -> None:
    learnt = dataclasses.replace(SUBJECT, learnt_from=True)
    assert "The model has learnt from these rows" in as_markdown(learnt, findings, OPTIONS, EXAMPLES, {})
    assert "The model has learnt from these rows" not in as_markdown(SUBJECT, findings, OPTIONS, EXAMPLES, {})


def test_what_was_not_asked_for_is_not_claimed() -> None:
    bare = dataclasses.replace(material(), champion=None, rule_alerts=None, gates=None)
    found = find(bare, dataclasses.replace(OPTIONS, threshold=None))
    alone = dataclasses.replace(SUBJECT, champion=None, rules=None)
    text = as_markdown(alone, found, OPTIONS, Examples(), PLOTS)
    assert "Against the champion" not in text
    assert "Where the model looked" not in text
    assert "Look at these" not in text
    assert "Not compared: `--rules DIR` names a rule set." in text
    assert "names no threshold" in text


def test_few_violations_are_warned_of() -> None:
    few = find(material(300, positives=0.03), OPTIONS)
    text = as_markdown(SUBJECT, few, OPTIONS, EXAMPLES, {})
    assert f"There are only {few.natural.positives:,} violations" in text
    assert "precision will be lower" not in text


def test_labels_that_err_are_told_from_the_model() -> None:
    """A quarter of the violations went unlabelled: average precision against the truth is the higher one."""
    truth = material()
    unseen = (truth.truth == 1) & (np.arange(600) % 4 == 0)
    noisy = dataclasses.replace(
        truth, truth=np.where(unseen, 0, truth.truth).astype(np.float32), true_labels=truth.truth
    )
    found = find(noisy, OPTIONS)
    assert found.noise is not None
    assert (found.noise.missed, found.noise.falsely) == (int(unseen.sum()), 0)
    assert found.noise.average_precision.value == find(truth, OPTIONS).natural.average_precision.value
    assert found.noise.average_precision.value > found.natural.average_precision.value  # type: ignore[operator]
    text = as_markdown(SUBJECT, found, OPTIONS, EXAMPLES, {})
    assert f"{int(unseen.sum())} violations are labelled as none" in text


@pytest.mark.parametrize("worse", [0.02, 2.0])
def test_the_verdict_stands_in_the_first_lines(worse: float) -> None:
    found = find(material(worse=worse), OPTIONS)
    (line,) = [line for line in summary(SUBJECT, found) if "champion" in line]
    assert found.differences[0].verdict in line


def test_the_record_holds_everything_and_is_json(findings: Findings) -> None:
    body = record(Evaluated(SUBJECT, findings, OPTIONS, EXAMPLES))
    again = json.loads(json.dumps(body, allow_nan=False))
    assert again["subject"]["fingerprint"] == "sha256:cc"
    assert (
        again["findings"]["natural"]["precision_at"]["50"]["value"] == findings.natural.precision_at[50].value
    )
    assert again["findings"]["natural"]["prevalence"] == pytest.approx(findings.natural.prevalence, abs=1e-6)
    assert again["findings"]["rules"]["alerts_needed"]["value"] == findings.rules.alerts_needed.value  # type: ignore[union-attr]
    assert (
        again["verdict"] == again["findings"]["differences"][0]["verdict"] == findings.differences[0].verdict
    )


def test_files_are_written_and_every_picture_of_the_report_is_there(
    findings: Findings, tmp_path: Path
) -> None:
    body = write(Evaluated(SUBJECT, findings, OPTIONS, EXAMPLES), tmp_path / "new" / "place")
    text = (tmp_path / "new" / "place" / REPORT).read_text("utf-8")
    assert json.loads((tmp_path / "new" / "place" / RECORD).read_text("utf-8")) == body
    for name in PLOTS.values():
        assert f"]({name})" in text
        with Image.open(tmp_path / "new" / "place" / name) as picture:
            colours = picture.convert("RGB").getcolors(1 << 24)
            assert colours is not None
            assert len(colours) > 20  # something is drawn
            assert picture.width > 500


def test_the_same_seed_gives_the_same_figures_and_another_does_not(findings: Findings) -> None:
    assert find(material(), OPTIONS) == findings
    other = find(material(), dataclasses.replace(OPTIONS, seed=2))
    assert other.natural.auroc.value == findings.natural.auroc.value
    assert other.natural.auroc.low != findings.natural.auroc.low


def test_every_resample_is_told_of() -> None:
    drawn: list[int] = []
    bare = dataclasses.replace(material(), rule_alerts=None)
    find(bare, OPTIONS, drawn.append)
    assert sum(drawn) == resamples_of(bare, OPTIONS) == 3 * OPTIONS.resamples


def test_the_second_view_has_the_stated_ratio(findings: Findings) -> None:
    assert findings.at_ratio.positives == findings.natural.positives
    assert findings.at_ratio.examples == 4 * findings.natural.positives


def test_the_curve_is_thinned_but_keeps_its_ends() -> None:
    drawn = material(5000)
    curve = pr_curve(drawn.truth, drawn.scores)
    assert len(curve) <= 402
    assert curve[-1] == (1.0, pytest.approx(float(drawn.truth.mean())))
    assert [recall for recall, _ in curve] == sorted(recall for recall, _ in curve)
