"""The message model on two public sets of abusive chat, part by part, beside TF-IDF with logistic regression.

    python -m benchmarks.models.messages DATA convabuse|conda [--seeds 3] [--out DIRECTORY]

DATA holds convabuse/ and conda/, each train.jsonl, valid.jsonl and test.jsonl of example conversations. Everything that
was chosen was chosen on the validation parts: the training plans below, each run's epoch (by loss) and threshold (by
F1), the regression's C. The test part is scored once, at the end of each run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve, roc_auc_score

from benchmarks.models.record import RESULTS, Spread, Stopwatch, provenance, record, save
from models.data.datasets import message_set
from models.data.examples import Example, read_examples
from models.data.tables import Table, message_table
from models.data.vocabulary import Vocabulary, build_vocabulary
from models.networks.conversation import ConversationNetwork, ConversationShape
from models.training.loop import TrainingPlan, deterministic, scores, train
from streams.events import STATUSES
from streams.features.tensors import WINDOW, WindowFeatures
from streams.features.tokens import TextPipeline

PARTS = ("train", "valid", "test")
#: What each row of the ablation reads.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "one message": {"turns": 1, "writer": False, "status": False},
    "five": {"writer": False, "status": False},
    "five + writer": {"writer": True, "status": False},
    "five + status": {"writer": False, "status": True},
    "five + writer + status": {"writer": True, "status": True},
}
LR_VARIANTS: Mapping[str, int] = {"one message": 1, "five": WINDOW}
_REGRESSION_CS = (0.3, 1.0, 3.0, 10.0, 30.0)
REGRESSION, NETWORK = "TF-IDF + LR", "KimCNN + BiGRU"
#: Rows that are held against the published figures: the least and the whole of the model.
HEADLINES = ("one message", "five + writer + status")
METRICS = ("auroc", "average_precision", "f1")


@dataclass(frozen=True, slots=True)
class Course:
    """One data set: its label, how the network is trained on it, and the figures it is held against."""

    label: str
    shape: ConversationShape
    plan: TrainingPlan
    #: TF-IDF with logistic regression as published beside the data: largest AUROC and F1 of its rows.
    published: Mapping[str, float]
    about: str


COURSES: Mapping[str, Course] = {
    "convabuse": Course(
        label="abuse",
        shape=ConversationShape(),
        # 2,501 windows: batches of 16 make 157 steps an epoch, where 64 would leave the network untrained.
        plan=TrainingPlan(epochs=15, batch_size=16),
        published={"auroc": 0.919, "f1": 0.70},
        about=(
            "ConvAbuse (Cercas Curry et al. 2021): people talking to two bots. Windows of four turns that always "
            "alternate, so `writer` says no more than the place in the window does; what it is worth here is that the "
            "network need not learn to count. `status` is which bot."
        ),
    ),
    "conda": Course(
        label="toxic",
        shape=ConversationShape(dropout=0.3, word_dropout=0.1),
        plan=TrainingPlan(epochs=4, batch_size=64, learning_rate=2e-3, final_learning_rate=2.0),
        published={"auroc": 0.948, "f1": 0.811},
        about=(
            "CONDA (Weld et al. 2021): chat during matches of a game. `writer` is whether an earlier message is the "
            "last one's player's; `status` is the phase of the match. Parts share no match. The published regression was "
            "measured on a similar split by match, not on this one; the regression of this run is the closer rival."
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Conversations:
    """One part of a set: the engine's features, the raw texts (for the regression), labels float32 [N]."""

    features: tuple[WindowFeatures, ...]
    texts: tuple[tuple[str, ...], ...]
    labels: npt.NDArray[np.float32]


def with_codes_of_ours(examples: Iterable[Example], statuses: Sequence[str]) -> Iterator[Example]:
    """Each status under the name of one of the engine's: a network sees numbers, and knows six and "other".

    Raises KeyError naming a status that `statuses` lacks.
    """
    if len(statuses) > len(STATUSES):
        raise ValueError(
            f"{len(statuses)} statuses; the engine tells {len(STATUSES)} apart: {list(statuses)}"
        )
    ours = dict(zip(statuses, STATUSES, strict=False))
    for example in examples:
        yield {**example, "status": ours[example["status"]]}


def read_parts(directory: Path, label: str) -> dict[str, Conversations]:
    """All three parts, statuses numbered by the training part's, in alphabetical order."""
    raw = {part: list(read_examples(directory / f"{part}.jsonl")) for part in PARTS}
    statuses = sorted({example["status"] for example in raw["train"]})
    text = TextPipeline()
    parts = {}
    for part, examples in raw.items():
        found = message_set(with_codes_of_ours(examples, statuses), text)
        texts = tuple(tuple(m["text"] for m in example["messages"][-WINDOW:]) for example in examples)
        parts[part] = Conversations(found.features, texts, found.labels[label])
    return parts


def best_f1_threshold(truth: npt.NDArray[np.float32], found: npt.NDArray[np.float64]) -> float:
    """The score from which on alerting gives the largest F1."""
    precision, recall, thresholds = precision_recall_curve(truth, found)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[int(np.argmax(f1[:-1]))])


def measured(
    truth: Mapping[str, npt.NDArray[np.float32]], found: Mapping[str, npt.NDArray[np.float64]]
) -> dict[str, float]:
    """AUROC, average precision and F1 of the test part, the threshold being the validation part's best."""
    threshold = best_f1_threshold(truth["valid"], found["valid"])
    return {
        "auroc": float(roc_auc_score(truth["test"], found["test"])),
        "average_precision": float(average_precision_score(truth["test"], found["test"])),
        "f1": float(f1_score(truth["test"], found["test"] >= threshold)),
        "valid_auroc": float(roc_auc_score(truth["valid"], found["valid"])),
    }


def regression(parts: Mapping[str, Conversations], turns: int) -> dict[str, float]:
    """TF-IDF over scikit-learn's own words of the last `turns` messages, then logistic regression; C by valid AUROC."""
    texts = {name: [" ".join(window[-turns:]) for window in part.texts] for name, part in parts.items()}
    vectorizer = TfidfVectorizer()
    train_vectors = vectorizer.fit_transform(texts["train"])
    vectors = {name: vectorizer.transform(texts[name]) for name in ("valid", "test")}
    truth = {name: part.labels for name, part in parts.items()}
    best: dict[str, npt.NDArray[np.float64]] = {}
    best_auroc = -1.0
    for c in _REGRESSION_CS:
        model = LogisticRegression(C=c, max_iter=2000).fit(train_vectors, truth["train"])
        found = {name: model.predict_proba(vectors[name])[:, 1] for name in vectors}
        auroc = float(roc_auc_score(truth["valid"], found["valid"]))
        if auroc > best_auroc:
            best_auroc, best = auroc, found
    return measured(truth, best)


def network_run(
    tables: Mapping[str, Table], vocabulary: Vocabulary, shape: ConversationShape, plan: TrainingPlan
) -> dict[str, float]:
    """One training under the plan's seed, and what its best epoch reaches."""
    deterministic(plan.seed)
    network = ConversationNetwork(vocabulary.size, shape)
    history = train(network, tables["train"], tables["valid"], plan)
    found = {name: scores(network, tables[name]) for name in ("valid", "test")}
    return measured({name: tables[name].labels.numpy() for name in found}, found) | {
        "best_epoch": history.best
    }


def rows_of(name: str, directory: Path, seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The rows of one set: regression, then the network's variants, each with its spread over seeds."""
    course = COURSES[name]
    parts = read_parts(directory, course.label)
    for reads, turns in LR_VARIANTS.items():
        yield _row(REGRESSION, reads, [regression(parts, turns)])
    vocabulary = build_vocabulary(tokens for window in parts["train"].features for tokens in window.tokens)
    tables = {part: message_table(c.features, c.labels, vocabulary) for part, c in parts.items()}
    # The rows that matter most first: a run that is ended early leaves what it has.
    for reads in sorted(VARIANTS, key=lambda reads: reads not in HEADLINES):
        shape = dataclasses.replace(course.shape, **VARIANTS[reads])
        runs = [
            network_run(tables, vocabulary, shape, dataclasses.replace(course.plan, seed=seed))
            for seed in seeds
        ]
        yield _row(NETWORK, reads, runs)


def _row(system: str, reads: str, runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    return {"system": system, "reads": reads} | {
        figure: dataclasses.asdict(Spread.of([run[figure] for run in runs])) for figure in runs[0]
    }


def section(results: Sequence[Mapping[str, Any]]) -> str:
    """The results, one a set, as a Markdown section."""
    lines = [
        "## Message model",
        "",
        "Test parts, mean ± sample deviation over seeds (logistic regression has none). F1 at the threshold that is "
        "best on the validation part, which also chose epochs, training plans and the regression's C. The regression "
        "is TF-IDF over single words as scikit-learn cuts them; the network reads the engine's tokens, personal data "
        "masked. A network's figures below the published ones are in bold.",
    ]
    for result in results:
        course = COURSES[result["set"]]
        lines += ["", f"### {result['set']}: `{course.label}`", "", course.about, "", provenance(result), ""]
        lines += [*_table(result["rows"], course), "", *_verdict(result["rows"], course)]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Mapping[str, Any]], course: Course) -> Iterator[str]:
    yield "| system | reads | AUROC | AP | F1 |"
    yield "|---|---|---|---|---|"
    yield f"| TF-IDF + LR, published beside the data | | {course.published['auroc']:.3f} | | {course.published['f1']:.3f} |"
    order = [(REGRESSION, reads) for reads in LR_VARIANTS] + [(NETWORK, reads) for reads in VARIANTS]
    for row in sorted(rows, key=lambda row: order.index((row["system"], row["reads"]))):
        figures = " | ".join(_held_against(row, metric, course) for metric in METRICS)
        yield f"| {row['system']} | {row['reads']} | {figures} |"


def _held_against(row: Mapping[str, Any], metric: str, course: Course) -> str:
    figure = _figure(row[metric])
    below = row["system"] == NETWORK and row[metric]["mean"] < course.published.get(metric, 0.0)
    return f"**{figure}**" if below else figure


def _figure(spread: Mapping[str, Any]) -> str:
    if len(spread["runs"]) == 1:
        return f"{spread['mean']:.3f}"
    return f"{spread['mean']:.3f} ± {spread['deviation']:.3f}"


def _verdict(rows: Sequence[Mapping[str, Any]], course: Course) -> Iterator[str]:
    missing = [reads for reads in VARIANTS if all(row["reads"] != reads for row in rows)]
    if missing:
        yield f"- Not run: {', '.join(missing)}."
    networks = [row for row in rows if row["system"] == NETWORK]
    regressions = [row for row in rows if row["system"] == REGRESSION]
    for metric, name in (("auroc", "AUROC"), ("f1", "F1")):
        published = course.published[metric]
        regression_best = max(row[metric]["mean"] for row in regressions)
        for row in networks:
            if row["reads"] in HEADLINES:
                ours = row[metric]["mean"]
                yield (
                    f"- {name} of {row['reads']}: {ours:.3f}, {_against(ours, published)} the published "
                    f"{published:.3f}, {_against(ours, regression_best)} the best regression of this run "
                    f"({regression_best:.3f})."
                )


def _against(ours: float, theirs: float) -> str:
    if round(ours, 3) == round(theirs, 3):
        return "equal to"
    return "above" if ours > theirs else "**below**"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("name", metavar="SET", type=click.Choice(list(COURSES)))
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="runs of each network")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(data: Path, name: str, seeds: int, out: Path) -> None:
    """Run on DATA/SET and write messages_SET.json, anew after every row."""
    torch.set_num_threads(1)
    watch = Stopwatch()
    course = COURSES[name]
    rows: list[dict[str, Any]] = []
    for row in rows_of(name, data / name, range(1, seeds + 1)):
        rows.append(row)
        figures = " ".join(f"{metric} {_figure(row[metric])}" for metric in METRICS)
        click.echo(f"{watch.minutes():5.1f} min  {row['system']}, {row['reads']}: {figures}", err=True)
        result = record(
            f"messages_{name}",
            command=f"python -m benchmarks.models.messages DATA {name} --seeds {seeds}",
            seeds=range(1, seeds + 1),
            minutes=watch.minutes(),
            set=name,
            network=dataclasses.asdict(course.shape),
            training={k: v for k, v in dataclasses.asdict(course.plan).items() if k != "seed"},
            rows=rows,
        )
        save(result, out)


if __name__ == "__main__":
    main()
