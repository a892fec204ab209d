"""`sekisho evaluate` with the shipped models on generated examples: the figures are those of the file that is deployed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from sklearn.metrics import average_precision_score, roc_auc_score

from models.data.datasets import message_set
from models.export.graph import run, session
from models.shipped.corpus import listing_part, message_part
from streams.cli import main
from streams.features.tensors import MESSAGE_BUCKETS, message_batch
from streams.features.tokens import TextPipeline

pytestmark = pytest.mark.train

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "triton_repo" / "message_harassment" / "1"
LISTING_MODEL = ROOT / "triton_repo" / "listing_counterfeit" / "1"
DOMAIN = "harassment"
#: All violations of the stretch, and every tenth of the others.
_EVERY = 10
_STRETCH = 6_000
MANIFEST = f"""\
name: message_harassment
kind: message
system: kimcnn_bigru
domain: {DOMAIN}
label: abuse
data: chats
"""


@pytest.fixture(scope="module")
def windows() -> list[dict[str, Any]]:
    everything = message_part("held_out", 1, _STRETCH)
    return [e for n, e in enumerate(everything) if e["labels"][DOMAIN] or n % _EVERY == 0]


@pytest.fixture(scope="module")
def scores(windows: list[dict[str, Any]]) -> np.ndarray:
    """Of the model's file, one window at a time in the longest bucket: nothing shared with what is tested."""
    opened = session(onnx.load(MODEL / "model.onnx"))
    features = message_set(windows, TextPipeline()).features
    return np.array(
        [run(opened, dict(message_batch([row], MESSAGE_BUCKETS[-1])))["score"][0, 0] for row in features],
        np.float64,
    )


@pytest.fixture
def data(tmp_path: Path, windows: list[dict[str, Any]]) -> Path:
    return write(tmp_path / "data" / "test.jsonl", windows).parent


def write(path: Path, examples: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in examples), encoding="utf-8")
    return path


def evaluate(tmp_path: Path, *arguments: object) -> Result:
    """With 100 resamples, since none of these tests looks at an interval's width."""
    given = [str(one) for one in arguments]
    if "--out" not in given:
        given += ["--out", str(tmp_path / "out")]
    environment = {
        "SEKISHO_DATA_DIR": str(tmp_path / "sekisho"),
        "SEKISHO_MODEL_REPOSITORY": str(ROOT / "triton_repo"),
    }
    return CliRunner(env=environment).invoke(main, ["evaluate", *given, "--resamples", "100"])


def test_figures_are_those_of_the_file(
    tmp_path: Path, data: Path, windows: list[dict[str, Any]], scores: np.ndarray
) -> None:
    result = evaluate(
        tmp_path, MODEL, "--data", data, "--rules", ROOT / "rules", "--at", 10, "--at", 20, "--json"
    )
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    truth = np.array([e["labels"][DOMAIN] for e in windows])
    natural = body["findings"]["natural"]
    assert (natural["examples"], natural["positives"]) == (len(truth), truth.sum())
    assert natural["average_precision"]["value"] == pytest.approx(
        average_precision_score(truth, scores), abs=1e-4
    )
    assert natural["auroc"]["value"] == pytest.approx(roc_auc_score(truth, scores), abs=1e-4)
    assert list(natural["precision_at"]) == ["10", "20"]
    threshold = json.loads((MODEL / "metadata.json").read_text())["threshold"]
    assert natural["at_threshold"]["alerts"] == int((scores >= threshold).sum())
    rules = body["findings"]["rules"]
    assert rules["rule_alerts"] >= rules["rule_found"] > 0
    assert rules["both"] + rules["only_model"] + rules["only_rules"] + rules["neither"] == truth.sum()
    assert body["verdict"] is None
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == body
    report = (tmp_path / "out" / "report.md").read_text()
    assert "# message_harassment/1: harassment" in report
    for picture in ("precision_recall.png", "precision_at_k.png", "reliability.png"):
        assert (tmp_path / "out" / picture).stat().st_size > 5_000
        assert picture in report


def test_rules_alert_as_the_backtest_says(tmp_path: Path, data: Path) -> None:
    """The same rules over the same file by `sekisho rules backtest`, on windows of one message, which both see alike."""
    short = [json.loads(line) for line in (data / "test.jsonl").read_text().splitlines()]
    path = write(
        tmp_path / "short.jsonl",
        [e | {"transaction_id": f"t{n}", "messages": e["messages"][-1:]} for n, e in enumerate(short)],
    )
    result = evaluate(tmp_path, MODEL, "--data", path, "--rules", ROOT / "rules", "--json")
    backtest = CliRunner().invoke(
        main, ["rules", "backtest", "--events", str(path), "--rules", str(ROOT / "rules"), "--json"]
    )
    assert (result.exit_code, backtest.exit_code) == (0, 0), result.output + backtest.output
    found, expected = (
        json.loads(result.stdout)["findings"]["rules"],
        json.loads(backtest.stdout)["domains"][DOMAIN],
    )
    assert (found["rule_alerts"], found["rule_found"]) == (expected["alerts"], expected["true_positives"])


def test_a_listing_model_with_its_gates(tmp_path: Path) -> None:
    path = write(tmp_path / "listings.jsonl", listing_part("selection", 1, 80))
    result = evaluate(tmp_path, LISTING_MODEL, "--data", path, "--by", "has_image", "--json")
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    titles = {group["title"]: group for group in body["findings"]["gates"]["groups"]}
    assert (
        titles["no violation, has_image: no"]["mean"]["value"] == 1.0
    )  # no picture: all the weight is the text's
    assert 0 < titles["no violation, has_image: yes"]["mean"]["value"] < 1
    assert (
        body["findings"]["gates"]["without_picture"]
        == titles["no violation, has_image: no"]["listings"]
        + titles.get("violation, has_image: no", {"listings": 0})["listings"]
    )
    assert (tmp_path / "out" / "gates.png").is_file()
    assert list((tmp_path / "sekisho" / "image_features").iterdir())


def test_a_model_is_not_worse_than_itself(tmp_path: Path, data: Path) -> None:
    result = evaluate(tmp_path, MODEL, "--data", data, "--against", MODEL)
    assert result.exit_code == 0, result.output
    assert "Against the champion message_harassment/1: not worse in average precision" in result.stdout
    assert "given now by its file" in (tmp_path / "out" / "report.md").read_text()


@pytest.mark.parametrize(
    ("champion", "verdict", "code"),
    [("right", "worse", 1), ("wrong", "better", 0)],
)
def test_recorded_scores_are_the_champions(
    tmp_path: Path, windows: list[dict[str, Any]], champion: str, verdict: str, code: int
) -> None:
    """A champion whose record is perfect, or upside down."""
    recorded = [
        e
        | {
            "scores": {
                "message_harassment/1": 0.9 if (e["labels"][DOMAIN] == 1) == (champion == "right") else 0.1
            }
        }
        for e in windows
    ]
    path = write(tmp_path / "history.jsonl", [*recorded, *windows[:5]])
    result = evaluate(tmp_path, MODEL, "--data", path, "--against", MODEL, "--json")
    assert result.exit_code == code, result.output
    body = json.loads(result.stdout)
    assert body["verdict"] == verdict
    assert body["subject"]["left_out"] == 5
    assert "recorded when the events were live" in body["subject"]["champion_scores"]


def test_a_run_folder(tmp_path: Path, windows: list[dict[str, Any]]) -> None:
    """Its manifest says where the data lies and how the label is named; the report stays with the run."""
    folder = tmp_path / "run"
    shutil.copytree(MODEL, folder / "models" / "message_harassment")
    (folder / "manifest.yaml").write_text(MANIFEST)
    write(
        tmp_path / "data" / "chats" / "test.jsonl",
        [e | {"labels": {"abuse": e["labels"][DOMAIN]}} for e in windows],
    )
    environment = {"SEKISHO_DATA_DIR": str(tmp_path / "sekisho")}
    result = CliRunner(env=environment).invoke(
        main, ["evaluate", str(folder), "--data", str(tmp_path / "data"), "--resamples", "100"]
    )
    assert result.exit_code == 0, result.output
    assert f"report: {folder / 'evaluation' / 'report.md'}" in result.stdout
    assert "- label: `abuse`" in (folder / "evaluation" / "report.md").read_text()

    shutil.copytree(LISTING_MODEL, folder / "models" / "listing_counterfeit")
    several = evaluate(tmp_path, folder, "--data", tmp_path / "data")
    assert several.exit_code == 2
    assert "--model names one of listing_counterfeit, message_harassment" in several.stderr
    assert (
        evaluate(tmp_path, folder, "--data", tmp_path / "data", "--model", "message_harassment").exit_code
        == 0
    )


def test_the_part_a_threshold_was_chosen_on_is_warned_of(tmp_path: Path, data: Path) -> None:
    (data / "test.jsonl").rename(data / "valid.jsonl")
    result = evaluate(tmp_path, MODEL, "--data", data, "--part", "valid")
    assert result.exit_code == 0, result.output
    assert "The model has learnt from these rows" in result.stdout


def test_the_file_that_a_run_was_trained_from_is_known_again(
    tmp_path: Path, windows: list[dict[str, Any]]
) -> None:
    """Training keeps only some of its negatives, so that no fingerprint of examples would tell."""
    folder = tmp_path / "run"
    shutil.copytree(MODEL, folder / "models" / "message_harassment")
    (folder / "manifest.yaml").write_text(MANIFEST.replace("label: abuse\ndata: chats\n", ""))
    data = write(tmp_path / "data" / "train.jsonl", windows).parent
    write(data / "test.jsonl", windows[::-1])
    digest = hashlib.sha256((data / "train.jsonl").read_bytes()).hexdigest()
    files = {"train.jsonl": f"sha256:{digest}"}
    facts = {"state": "finished", "data": {"parts": {"train": {"file": "train.jsonl"}}, "files": files}}
    (folder / "run.json").write_text(json.dumps(facts))
    for chosen, warned in (
        (["--data", data / "train.jsonl"], True),
        (["--data", data, "--part", "all"], True),
        (["--data", data], False),
    ):
        result = evaluate(tmp_path, folder, *chosen)
        assert result.exit_code == 0, result.output
        assert ("The model has learnt from these rows or from some of them" in result.stdout) is warned


def test_a_place_that_cannot_be_written_to_exits_with_2(tmp_path: Path, data: Path) -> None:
    (tmp_path / "file").touch()
    result = evaluate(tmp_path, MODEL, "--data", data, "--out", tmp_path / "file" / "report")
    assert result.exit_code == 2
    assert "Not a directory" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--label", "rudeness"], "labels there: contact_exchange, harassment, off_platform_payment"),
        (["--part", "train"], "no train.jsonl or .parquet"),
        (["--by", "has_image"], "gate weights are of listing models"),
        (["--against", LISTING_MODEL], "no champion for messages of the domain harassment"),
        (["--against", ROOT / "rules"], "neither a run folder"),
        (["--model", "message_other"], "has no model message_other; there: message_harassment"),
    ],
)
def test_what_cannot_be_evaluated_is_said_and_exits_with_2(
    tmp_path: Path, data: Path, arguments: list[object], said: str
) -> None:
    result = evaluate(tmp_path, MODEL, "--data", data, *arguments)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_rules_with_errors_exit_with_2(tmp_path: Path, data: Path) -> None:
    (tmp_path / "rules").mkdir()
    empty = evaluate(tmp_path, MODEL, "--data", data, "--rules", tmp_path / "rules")
    assert empty.exit_code == 2
    assert "rules: there are no rule files here" in " ".join(empty.stderr.split())
    (tmp_path / "rules" / "a.yaml").write_text("format: 1\nrules: 3\n")
    result = evaluate(tmp_path, MODEL, "--data", data, "--rules", tmp_path / "rules")
    assert result.exit_code == 2
    assert "a.yaml:2:" in result.stderr


def test_a_file_that_is_no_model_exits_with_2(tmp_path: Path, data: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(MODEL, broken)
    (broken / "model.onnx").write_bytes(b"nothing")
    result = evaluate(tmp_path, broken, "--data", data)
    assert result.exit_code == 2
    assert "not a model that ONNX Runtime can open" in " ".join(result.stderr.split())


def test_a_model_of_another_family_exits_with_2(tmp_path: Path, data: Path) -> None:
    """A listing model's file under a message model's metadata."""
    mixed = tmp_path / "mixed"
    shutil.copytree(MODEL, mixed)
    shutil.copy(LISTING_MODEL / "model.onnx", mixed / "model.onnx")
    result = evaluate(tmp_path, mixed, "--data", data)
    assert result.exit_code == 2
    assert "its family has tokens, writer, status" in " ".join(result.stderr.split())
