"""From a manifest and a data directory to the parts that are trained on, chosen by and measured on."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.datasets import Embed, ListingSet, MessageSet, chosen, listing_set, message_set
from models.data.examples import ExampleError, Part, data_files, read_examples
from models.data.facts import ExampleFacts, facts_of
from models.data.leakage import Leakage, leakage
from models.data.rule_hits import RuleHits
from models.data.sampling import combined, counts, near_misses, sampled
from models.data.splits import split_by_time
from models.manifests import Manifest
from models.systems.contract import Examples, Parts, load_system
from streams.features.auxiliary import AUX_NAMES
from streams.features.tokens import TextPipeline
from streams.inference.repository import MODEL_FILE


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a first reading of the data has found, before any text is cut or picture looked at."""

    manifest: Manifest
    files: Mapping[Part, Path]
    facts: Mapping[Part, Sequence[ExampleFacts]]
    #: Where one file is split: the part of each of its examples, in the file's order.
    assigned: Sequence[Part] | None
    leakage: Leakage
    #: SHA-256 of each file's bytes, by name.
    fingerprints: Mapping[str, str]

    def truth(self, part: Part) -> npt.NDArray[np.float32]:
        """float32 [N]: whether an example violates any of the manifest's domains, NaN where unknown."""
        partly = load_system(self.manifest.system).partly_labelled
        return combined(self.facts[part], tuple(self.manifest.labels.values()), partly=partly)

    def hard(self, part: Part) -> npt.NDArray[np.bool_]:
        """bool [N]: near misses."""
        return near_misses(self.facts[part], tuple(self.manifest.labels.values()), self.manifest.domains)

    def training_choice(self) -> npt.NDArray[np.int64]:
        """Indices of the training examples that are kept."""
        wanted = self.manifest.sampling
        return sampled(
            self.truth("train"),
            wanted.negatives_per_positive,
            self.manifest.seed,
            hard=self.hard("train"),
            hard_share=wanted.hard_share,
        )

    def record(self) -> dict[str, Any]:
        """For run.json: files, and what each part holds, as it is and as it is trained on."""
        parts: dict[str, Any] = {}
        for part, facts in self.facts.items():
            truth = self.truth(part)
            everything = np.flatnonzero(~np.isnan(truth))
            parts[part] = {
                "file": self.files[part].name,
                **counts(truth, everything, self.hard(part)),
                "unlabelled": int(np.isnan(truth).sum()),
                "positives_by_domain": {
                    domain: sum(one.labels.get(label) == 1 for one in facts)
                    for domain, label in self.manifest.labels.items()
                },
            }
        parts["train"]["trained_on"] = counts(self.truth("train"), self.training_choice(), self.hard("train"))
        return {"files": dict(self.fingerprints), "split_by_time": self.assigned is not None, "parts": parts}


def survey(
    manifest: Manifest, data: Path, *, rules: RuleHits | None = None, strict: bool = False
) -> Surveyed:
    """Read the data once and check that the manifest can be trained on it.

    `data` is the directory that the manifest's `data` lies under. With `rules`, negatives that a rule of the domain
    fires on count as hard. `strict` refuses parts that share texts, transactions, listings or sellers. Raises
    ExampleError, with the file and line where there is one.
    """
    found = data_files(_directory(manifest, data))
    assigned: list[Part] | None = None
    facts: dict[Part, list[ExampleFacts]]
    if isinstance(found, Path):
        everything = list(facts_of(read_examples(found), manifest.kind, rules))
        if not everything:
            raise ExampleError(f"{found}: no examples")
        assigned = split_by_time(everything, manifest.split)
        facts = {}
        for one, part in zip(everything, assigned, strict=True):
            facts.setdefault(part, []).append(one)
        files: dict[Part, Path] = dict.fromkeys(sorted(facts, key=("train", "valid", "test").index), found)
        facts = {part: facts[part] for part in files}
    else:
        files = found
        facts = {
            part: list(facts_of(read_examples(path), manifest.kind, rules)) for part, path in files.items()
        }
    for part, of_part in facts.items():
        for domain, label in manifest.labels.items():
            _check_label(files[part], part, of_part, domain, label, split=assigned is not None)
    shared = leakage(facts)
    if strict and shared.found:
        raise ExampleError(
            "the parts share what a model can learn by heart:\n"
            + "\n".join(f"  {one}" for one in shared.found)
            + "\nremove those examples, or train without --strict-split"
        )
    return Surveyed(manifest, files, facts, assigned, shared, _digests(manifest, files.values()))


def fingerprints(manifest: Manifest, data: Path) -> dict[str, str]:
    """SHA-256 of each file that the manifest trains on, by name, without reading any example. Raises ExampleError.

    A model that the network starts from (a head's trunk) is one of them, as "network.trunk".
    """
    found = data_files(_directory(manifest, data))
    return _digests(manifest, [found] if isinstance(found, Path) else found.values())


def _digests(manifest: Manifest, files: Iterable[Path]) -> dict[str, str]:
    digests = {path.name: _digest(path) for path in dict.fromkeys(files)}
    for field in dataclasses.fields(manifest.network):
        directory = getattr(manifest.network, field.name)
        if isinstance(directory, Path) and (model := directory / MODEL_FILE).is_file():
            digests[f"network.{field.name}"] = _digest(model)
    return digests


def _directory(manifest: Manifest, data: Path) -> Path:
    directory = data if manifest.data is None else data / manifest.data
    if not directory.is_dir():
        raise ExampleError(
            f"{directory}: no such directory; --data and the manifest's data: must lead to one"
        )
    return directory


@dataclass(frozen=True, slots=True)
class Prepared:
    """`parts` for the system; `whole` the validation part and, where there is one, the test part at natural prevalence."""

    parts: Parts
    whole: Mapping[Part, Examples]


def prepare(
    surveyed: Surveyed, embed: Embed, *, advance: Callable[[int, int], None] = lambda _done, _total: None
) -> Prepared:
    """Features of all that is needed. `embed` is asked for listings' pictures. Raises ExampleError."""
    manifest = surveyed.manifest
    text = TextPipeline()
    wanted = {
        part: surveyed.training_choice()
        if part == "train"
        else np.flatnonzero(~np.isnan(surveyed.truth(part)))
        for part in surveyed.facts
    }
    total = sum(len(index) for index in wanted.values())
    done = 0

    def counted(part: Part) -> Iterator[Mapping[str, Any]]:
        nonlocal done
        keep = set(wanted[part].tolist())
        for number, example in enumerate(_examples_of(surveyed, part)):
            if number in keep:
                yield example
                done += 1
                advance(done, total)

    sets: dict[Part, Examples] = {}
    for part in surveyed.facts:
        found: Examples = (
            message_set(counted(part), text)
            if manifest.kind == "message"
            else listing_set(counted(part), text, embed)
        )
        sets[part] = select(found, np.arange(len(found.features)), manifest.labels)
    # A network learns the share of positives too: losses compare epochs only where that share is the one trained on.
    truth = surveyed.truth("valid")[wanted["valid"]]
    choosing = sampled(truth, manifest.sampling.negatives_per_positive, manifest.seed)
    own = {domain: domain for domain in manifest.domains}
    validation = select(sets["valid"], choosing, own)
    return Prepared(Parts(sets.pop("train"), validation), sets)


def lost_pictures(manifest: Manifest, training: Examples) -> str | None:
    """What to say of listings that all had pictures where they were scored and have none here; None where some have."""
    if not isinstance(training, ListingSet) or not getattr(manifest.network, "image", True):
        return None
    column = AUX_NAMES.index("images")
    had = sum(row.aux[column] > 0 for row in training.features)
    if not had or any(row.image is not None for row in training.features):
        return None
    return (
        f"{had:,} of {len(training.features):,} training listings had pictures, and none is here: where the model serves "
        "it would be shown what it has never seen. Write network: {image: false}, or put the pictures beside the examples"
    )


def select(found: Examples, index: npt.NDArray[np.int64], labels: Mapping[str, str]) -> Examples:
    """See `chosen`; for a set of either kind."""
    if isinstance(found, MessageSet):
        return chosen(found, index, labels)
    assert isinstance(found, ListingSet)
    return chosen(found, index, labels)


def _examples_of(surveyed: Surveyed, part: Part) -> Iterator[Mapping[str, Any]]:
    examples = read_examples(surveyed.files[part])
    if surveyed.assigned is None:
        yield from examples
        return
    for example, assigned in zip(examples, surveyed.assigned, strict=True):
        if assigned == part:
            yield example


def _check_label(
    path: Path, part: Part, facts: Sequence[ExampleFacts], domain: str, label: str, *, split: bool
) -> None:
    where = f"{path} (its part {part})" if split else str(path)
    if not facts:
        raise ExampleError(f"{where}: no examples")
    there = sorted({name for one in facts for name in one.labels})
    if label not in there:
        raise ExampleError(
            f'{where}: no example has a label "{label}"; labels there: {", ".join(there) or "none"}. '
            f"Write the one that is {domain} as the manifest's label"
        )
    values = [one.labels.get(label) for one in facts]
    for value, name in ((1, "positive"), (0, "negative")):
        if value not in values:
            raise ExampleError(
                f'{where}: none of {len(facts):,} examples is {name} for "{label}", so nothing can be learnt or '
                "measured there; add some, or cut the parts otherwise"
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
