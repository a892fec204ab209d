"""Manifests: everything wrong is found at once with its place; what is written reads back to the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.manifests import Manifest, ManifestError, Threshold, as_yaml, parse, read_manifest
from models.networks.conversation import ConversationShape
from models.sections import read_section
from models.ship import MODELS
from models.training.loop import TrainingPlan
from streams.policy import parse_policy
from streams.strict_yaml import load
from streams.yaml_cursor import Cursor

pytestmark = pytest.mark.train

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "models" / "shipped" / "manifests"
APPROVED = Path(__file__).with_suffix(".approved.txt")
LEAST = "name: message_x\nkind: message\nsystem: kimcnn_bigru\ndomain: x\n"
WRONG = {
    "nothing that is needed": "seed: 1\n",
    "unknown keys": LEAST + "trainig: {epochs: 2}\nnetwork: {hiden: 2}\nsampling: {negatives: 2}\n",
    "a system of the other kind": "name: message_x\nkind: message\nsystem: fusion_network\ndomain: x\n",
    "an unknown system and kind": "name: message_x\nkind: mesage\nsystem: kimcnn\ndomain: x\n",
    "a name that Triton's families do not know": LEAST.replace("message_x", "Message X"),
    "the name of the other family": LEAST.replace("message_x", "listing_x"),
    "several domains for a system of one": LEAST.replace("domain: x", "domains: [x, y]"),
    "labels for one domain": LEAST + "labels: {x: y}\n",
    "types": LEAST
    + "seed: one\nnetwork: {hidden: big, widths: 3, writer: 1}\ntraining: {learning_rate: fast}\n",
    "what the options refuse": LEAST
    + "network: {turns: 9}\ntraining: {epochs: 0}\nsplit: {validation: 0.9, test: 0.3}\n",
    "samplings": LEAST + "sampling: {negatives_per_positive: some}\n",
    "more samplings": LEAST + "sampling: {negatives_per_positive: 0}\n",
    "thresholds": LEAST + "threshold: {precision: 3}\n",
    "more thresholds": LEAST + "threshold: 1.5\n",
    "a threshold of another shape": LEAST + "threshold: {recall: 0.5}\n",
    "data outside of --data": LEAST + "data: ../secrets\n",
    "empty values": LEAST + "data:\nnetwork:\n",
    "not YAML": "name: [",
}


def refusal(text: str) -> str:
    with pytest.raises(ManifestError) as refused:
        parse(text.encode(), "x.yaml")
    return str(refused.value)


def test_what_is_wrong_is_said_with_its_place_and_a_hint() -> None:
    said = "\n".join(f"# {title}\n{refusal(text)}\n" for title, text in WRONG.items())
    assert said == APPROVED.read_text(encoding="utf-8")


def test_the_least_manifest_has_every_default() -> None:
    manifest = parse(LEAST.encode(), "x.yaml")
    assert manifest.labels == {"x": "x"}
    assert manifest.network == ConversationShape()
    assert manifest.training == TrainingPlan(seed=1)
    assert manifest.threshold == Threshold(precision=0.9)
    assert manifest.model_name("x") == "message_x"


def test_everything_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        LEAST
        + """label: abuse
data: messages/a
seed: 7
sampling: {negatives_per_positive: all, evaluation_negatives_per_positive: 9, hard_share: 0.5}
split: {validation: 0.2, test: 0}
network: {hidden: 32, widths: [2, 5], writer: false, dropout: 0}
training: {epochs: 3, learning_rate: 0.002, patience: 2}
threshold: 0.75
""",
        encoding="utf-8",
    )
    manifest = read_manifest(tmp_path / "m.yaml")
    assert manifest.labels == {"x": "abuse"}
    assert manifest.training.seed == manifest.seed == 7
    assert manifest.network.widths == (2, 5)
    assert manifest.network.writer is False
    assert manifest.sampling.negatives_per_positive == "all"
    assert manifest.split.test == 0
    assert manifest.threshold == Threshold(precision=None, fixed=0.75)
    assert parse(as_yaml(manifest).encode(), "again") == manifest


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_manifest(tmp_path / "none.yaml")


@given(
    shape=st.builds(
        ConversationShape,
        embedding_width=st.integers(1, 500),
        widths=st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True).map(tuple),
        turns=st.integers(1, 5),
        writer=st.booleans(),
        dropout=st.floats(0, 0.99),
    ),
    plan=st.builds(
        TrainingPlan,
        epochs=st.integers(1, 100),
        learning_rate=st.floats(1e-9, 1),
        weight_decay=st.floats(0, 1),
        seed=st.just(5),
        patience=st.one_of(st.none(), st.integers(1, 9)),
    ),
    label=st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=20),
)
def test_what_is_written_reads_back_to_the_same(
    shape: ConversationShape, plan: TrainingPlan, label: str
) -> None:
    manifest = Manifest("message_x", "message", "kimcnn_bigru", ("x",), {"x": label}, shape, plan, seed=5)
    again = parse(as_yaml(manifest).encode(), "again")
    assert again.labels == manifest.labels
    assert again.network.widths == shape.widths
    assert again.network.dropout == pytest.approx(shape.dropout, abs=1e-14)
    assert again.training.learning_rate == pytest.approx(plan.learning_rate, abs=1e-14)
    assert again.training.patience == plan.patience
    assert as_yaml(again) == as_yaml(manifest)


@dataclass(frozen=True)
class Options:
    """Of every type that a section may hold."""

    count: int = 1
    share: float = 0.5
    on: bool = True
    word: Literal["a", "b"] = "a"
    path: Path | None = Path("x")
    names: tuple[str, ...] = ()
    either: float | Literal["all"] = "all"
    text: str | None = None


def section(text: str, **given: object) -> tuple[object, list[str]]:
    document, issues = load(text.encode(), "s")
    assert document is not None
    found = read_section(Cursor.at_root(document, issues, "s"), Options, given=given)
    return found, [issue.message for issue in issues]


def test_a_new_field_of_any_known_type_works_by_itself() -> None:
    text = "{count: 3, share: 2, on: false, word: b, path: null, names: [u, v], either: 2.5, text: t}"
    assert section(text) == (Options(3, 2.0, False, "b", None, ("u", "v"), 2.5, "t"), [])
    assert section("{path: y/z, either: all}") == (Options(path=Path("y/z"), either="all"), [])


def test_what_is_given_elsewhere_is_not_written() -> None:
    assert section("{share: 0.1}", count=9) == (Options(9, 0.1), [])
    found, said = section("{count: 1}", count=9)
    assert found is None
    assert said == ['unknown key "count"']


def test_a_type_without_a_reader_is_a_programming_error() -> None:
    @dataclass
    class Odd:
        when: complex = 0j

    document, issues = load(b"{when: 1}", "s")
    assert document is not None
    with pytest.raises(TypeError, match="cannot hold"):
        read_section(Cursor.at_root(document, issues, "s"), Odd)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_manifests_name_models_and_domains_that_there_are(path: Path) -> None:
    manifest = read_manifest(path)
    assert manifest.name == path.stem
    assert manifest.name in MODELS
    policy, _ = parse_policy((ROOT / "rules" / "domains.yaml").read_bytes(), "domains.yaml")
    assert policy is not None
    (domain,) = manifest.domains
    assert policy.domains[domain].champion.model == manifest.name


def test_every_shipped_model_of_a_domain_has_a_manifest() -> None:
    assert {path.stem for path in SHIPPED.glob("*.yaml")} == set(MODELS) - {"image_encoder"}


def test_a_number_with_an_exponent_is_told_how_to_be_written() -> None:
    text = (
        b"name: message_d\nkind: message\nsystem: kimcnn_bigru\ndomain: d\ntraining: {learning_rate: 1e-3}\n"
    )
    with pytest.raises(ManifestError, match=r"write it without exponent: 0\.001, not 1e-3"):
        parse(text, "m")
    with pytest.raises(ManifestError) as refused:
        parse(text.replace(b"1e-3", b"fast"), "m")
    assert "exponent" not in str(refused.value)
