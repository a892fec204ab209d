"""Gradient-boosted trees (LightGBM, Ke et al. 2017) on the same features as the networks, in the same model file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import lightgbm
import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import helper
from scipy import sparse

from models.data.tables import Table, listing_table
from models.data.vocabulary import Vocabulary, build_vocabulary
from models.export.graph import listing_onnx
from models.networks.trees import TreeInputs
from models.systems.contract import Context, Examples, Kind, ManifestOptions, Parts
from models.systems.listing_inputs import listing_sets, listing_statistics, unlabelled_table
from models.training.course import Epoch
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH

_SCORING_BATCH = 512


@dataclass(frozen=True, slots=True)
class TreesOptions:
    """The section `network:`. A tree has at most `leaves` leaves of at least `leaf_examples` training examples."""

    text: bool = True
    image: bool = True
    aux: bool = True
    #: Words that fewer training listings hold than this are no column: no split on them could last.
    word_listings: int = 10
    leaves: int = 15
    leaf_examples: int = 20

    def __post_init__(self) -> None:
        if not (self.text or self.image or self.aux):
            raise ValueError("text, image and aux are all off: nothing is left to judge by")
        if self.word_listings < 1 or self.leaves < 2 or self.leaf_examples < 1:
            raise ValueError("word_listings and leaf_examples must be at least 1, leaves at least 2")


@dataclass(frozen=True, slots=True)
class TreesTraining:
    """The section `training:`. Trees are added until `patience` of them in a row lower the validation loss no more."""

    rounds: int = 400
    learning_rate: float = 0.05
    patience: int = 40
    #: Share of the columns that each tree may look at.
    column_share: float = 0.2
    l2: float = 5.0

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.patience < 1 or self.learning_rate <= 0:
            raise ValueError("rounds and patience must be at least 1 and learning_rate above 0")
        if not 0 < self.column_share <= 1 or self.l2 < 0:
            raise ValueError("column_share lies within 0..1 (0 excluded), l2 not below 0")


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a tree: a split `column <= threshold` with the numbers of its children, or a leaf's `value`."""

    column: int
    threshold: float
    left: int
    right: int
    value: float
    gain: float

    @property
    def is_leaf(self) -> bool:
        """Whether the tree ends here."""
        return self.left < 0


@dataclass(frozen=True, slots=True)
class TrainedTrees:
    """Trees over the columns of `inputs`, with the vocabulary."""

    inputs: TreeInputs
    trees: tuple[tuple[Node, ...], ...]
    vocabulary: Vocabulary
    options: TreesOptions

    def scores(self, examples: Examples) -> npt.NDArray[np.float64]:
        """See `Trained`."""
        columns, _ = _computed(self.inputs, unlabelled_table(examples, self.vocabulary))
        logits = np.zeros(len(columns))
        for tree in self.trees:
            logits += _walk(tree, columns)
        return 1 / (1 + np.exp(-logits))

    def gates(self, examples: Examples) -> npt.NDArray[np.float32] | None:
        """See `Trained`."""
        return _computed(self.inputs, unlabelled_table(examples, self.vocabulary))[1]

    def to_onnx(self) -> onnx.ModelProto:
        """See `Trained`."""
        model = listing_onnx(self.inputs, self.vocabulary, image_width=IMAGE_WIDTH, aux_width=len(AUX_NAMES))
        return _with_trees(model, self.trees)

    def description(self) -> Mapping[str, Any]:
        """See `Trained`. `gate_text` and `gate_image` are shares of the trees' gain, the same for every listing."""
        text, image = self.inputs.shares[0].tolist()
        return {
            "network": asdict(self.options),
            "trees": len(self.trees),
            "columns": {
                "words": self.inputs.count,
                "image": len(self.inputs.picture),
                "aux": len(self.inputs.aux),
            },
            "gate_text": text,
            "gate_image": image,
            "best_epoch": len(self.trees),
            "vocabulary_size": self.vocabulary.size,
            "aux_names": list(AUX_NAMES),
        }


@torch.no_grad()
def _computed(inputs: TreeInputs, table: Table) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    found = [inputs(*table.batch(index)) for index in torch.split(torch.arange(len(table)), _SCORING_BATCH)]
    return torch.cat([columns for columns, _ in found]).numpy(), torch.cat(
        [gate for _, gate in found]
    ).numpy()


def _walk(tree: tuple[Node, ...], columns: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The leaf values that the rows end in."""
    column, left, right = (
        np.array([getattr(node, name) for node in tree]) for name in ("column", "left", "right")
    )
    threshold = np.array([node.threshold for node in tree], np.float32)
    values = np.array([node.value for node in tree])
    at = np.zeros(len(columns), np.int64)
    while (inside := left[at] >= 0).any():
        rows, nodes = np.flatnonzero(inside), at[inside]
        goes_left = columns[rows, column[nodes]] <= threshold[nodes]
        at[rows] = np.where(goes_left, left[nodes], right[nodes])
    ends: npt.NDArray[np.float64] = values[at]
    return ends


def _nodes(structure: Mapping[str, Any]) -> tuple[Node, ...]:
    """LightGBM's nested tree as a list, root first.

    A threshold is rounded down to a 32-bit float. Columns are 32-bit floats, and for such an x `x <= t` holds exactly
    if x is not above the largest 32-bit float that is not above t: so the file decides as the trainer did.
    """
    found: list[Node] = []

    def add(part: Mapping[str, Any]) -> int:
        number = len(found)
        if "leaf_value" in part:
            found.append(Node(0, 0.0, -1, -1, float(part["leaf_value"]), 0.0))
            return number
        if part["decision_type"] != "<=":
            raise ValueError(f"a split by {part['decision_type']!r}: only numbers are split on here")
        found.append(Node(0, 0.0, -1, -1, 0.0, 0.0))
        left, right = add(part["left_child"]), add(part["right_child"])
        found[number] = Node(
            int(part["split_feature"]), _rounded_down(float(part["threshold"])), left, right, 0.0,
            float(part["split_gain"]),
        )  # fmt: skip
        return number

    add(structure)
    return tuple(found)


def _rounded_down(threshold: float) -> float:
    single = np.float32(threshold)
    return float(single if float(single) <= threshold else np.nextafter(single, np.float32(-np.inf)))


def _with_trees(model: onnx.ModelProto, trees: tuple[tuple[Node, ...], ...]) -> onnx.ModelProto:
    """The model whose `score` was sigmoid(columns), with the trees put before that sigmoid."""
    graph = model.graph
    (sigmoid,) = [node for node in graph.node if "score" in node.output]
    (columns,) = sigmoid.input
    ids: dict[str, list[Any]] = {
        name: []
        for name in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids")
    }
    leaves: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for tree_number, number, node in _numbered(trees):
        row = (
            tree_number, number, node.column, "LEAF" if node.is_leaf else "BRANCH_LEQ", node.threshold,
            max(node.left, 0), max(node.right, 0),
        )  # fmt: skip
        for values, value in zip(ids.values(), row, strict=True):
            values.append(value)
        if node.is_leaf:
            for values, value in zip(leaves.values(), (tree_number, number, 0, node.value), strict=True):
                values.append(value)
    attributes = {f"nodes_{name}": values for name, values in ids.items()} | {
        f"target_{name}": values for name, values in leaves.items()
    }
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        [columns],
        ["logit"],
        name="trees",
        domain="ai.onnx.ml",
        n_targets=1,
        **attributes,
    )
    place = list(graph.node).index(sigmoid)
    sigmoid.input[0] = "logit"
    graph.node.insert(place, ensemble)
    (score,) = [output for output in graph.output if output.name == "score"]
    score.CopyFrom(helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, ["batch", 1]))
    onnx.checker.check_model(model)
    return model


def _numbered(trees: tuple[tuple[Node, ...], ...]) -> Iterator[tuple[int, int, Node]]:
    for tree_number, tree in enumerate(trees):
        for number, node in enumerate(tree):
            yield tree_number, number, node


def _dense(full: TreeInputs, table: Table) -> sparse.csr_matrix:
    """All columns as a sparse matrix: most words are in no listing."""
    batches = torch.split(torch.arange(len(table)), _SCORING_BATCH)
    with torch.no_grad():
        blocks = [sparse.csr_matrix(full(*table.batch(index))[0].numpy()) for index in batches]
    return sparse.vstack(blocks, format="csr")


class _TreesSystem:
    kind: Final[Kind] = "listing"
    several_domains: Final = False
    partly_labelled: Final = False
    network_options: Final = TreesOptions
    training_options: Final = TreesTraining

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: ManifestOptions, context: Context
    ) -> Mapping[str, TrainedTrees]:
        """See `System`. Deterministic by seed: one thread, columns drawn by it."""
        (domain,) = domains
        training, validation = listing_sets(parts.training, parts.validation)
        options: TreesOptions = manifest.network
        plan: TreesTraining = manifest.training
        vocabulary = build_vocabulary(
            (listing.tokens for listing in training.features), min_count=options.word_listings
        )
        context.say(f"vocabulary: {vocabulary.size:,} words")
        idf = listing_statistics(training, vocabulary).idf
        words = torch.arange(2, vocabulary.size) if options.text else torch.arange(0)
        picture = torch.arange(IMAGE_WIDTH if options.image else 0)
        aux = torch.arange(len(AUX_NAMES) if options.aux else 0)
        full = TreeInputs(idf, words, picture, aux, (0.0, 0.0))
        tables = [
            listing_table(part.features, part.labels[domain], vocabulary) for part in (training, validation)
        ]
        booster = _boosted(full, tables, options, plan, context)
        trees = tuple(
            _nodes(tree["tree_structure"])
            for tree in booster.dump_model(num_iteration=booster.best_iteration)["tree_info"]
        )
        inputs, trees = _compact(full, trees)
        return {domain: TrainedTrees(inputs, trees, vocabulary, options)}


def _boosted(
    full: TreeInputs, tables: list[Table], options: TreesOptions, plan: TreesTraining, context: Context
) -> lightgbm.Booster:
    settings = {
        "objective": "binary", "metric": "binary_logloss", "learning_rate": plan.learning_rate,
        "num_leaves": options.leaves, "min_data_in_leaf": options.leaf_examples,
        "feature_fraction": plan.column_share, "lambda_l2": plan.l2, "seed": context.seed,
        "num_threads": 1, "deterministic": True, "verbosity": -1,
        # All columns are finite numbers: "missing" is a column of its own, has_text or has_image.
        "use_missing": False, "feature_pre_filter": False,
    }  # fmt: skip
    sets = [lightgbm.Dataset(_dense(full, table), table.labels.numpy()) for table in tables]
    sets[1].set_reference(sets[0])

    def heard(environment: lightgbm.callback.CallbackEnv) -> None:
        number = environment.iteration + 1
        context.advance(number, plan.rounds)
        if number % 20 == 0 and environment.evaluation_result_list is not None:
            found = {name: loss for name, _, loss, *_ in environment.evaluation_result_list}
            context.report(Epoch(number // 20, found["training"], found["validation"]))

    return lightgbm.train(
        settings, sets[0], num_boost_round=plan.rounds, valid_sets=sets, valid_names=["training", "validation"],
        callbacks=[
            lightgbm.early_stopping(plan.patience, verbose=False, first_metric_only=True),
            heard,
        ],
    )  # fmt: skip


def _compact(
    full: TreeInputs, trees: tuple[tuple[Node, ...], ...]
) -> tuple[TreeInputs, tuple[tuple[Node, ...], ...]]:
    """Inputs of the columns that the trees split on, and the trees over those."""
    words, pictures, auxes = full.count, len(full.picture), len(full.aux)
    gains = np.zeros(words + pictures + auxes + 2)
    used = np.zeros(len(gains), np.bool_)
    for _, _, node in _numbered(trees):
        if not node.is_leaf:
            gains[node.column] += node.gain
            used[node.column] = True
    used[-2:] = True  # has_text and has_image are always there
    new = np.cumsum(used) - 1
    kept_words = torch.from_numpy(np.flatnonzero(used[:words]) + 2)
    kept_pictures = torch.from_numpy(np.flatnonzero(used[words : words + pictures]))
    kept_aux = torch.from_numpy(np.flatnonzero(used[words + pictures : -2]))
    of_text = gains[:words].sum() + gains[-2]
    of_image = gains[words : words + pictures].sum() + gains[-1]
    both = max(of_text + of_image, 1e-12)
    inputs = TreeInputs(
        full.idf, kept_words, kept_pictures, kept_aux, (float(of_text / both), float(of_image / both))
    )
    renumbered = tuple(
        tuple(
            node
            if node.is_leaf
            else Node(int(new[node.column]), node.threshold, node.left, node.right, 0.0, node.gain)
            for node in tree
        )
        for tree in trees
    )
    return inputs, renumbered


SYSTEM: Final = _TreesSystem()
