"""The multi-class system: one softmax for several domains, each served by a file of its own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from models.data.datasets import ListingSet
from models.data.vocabulary import FIRST_WORD, Vocabulary, build_vocabulary
from models.export.graph import run, session
from models.networks.multiclass import Embrace, focal_loss
from models.systems.albert_words import pretrained_albert, small_albert, words_of
from models.systems.contract import Parts
from models.systems.listing_multiclass import class_table, drawn_neutrals
from streams.features.tensors import IMAGE_WIDTH, ListingFeatures, listing_batch
from streams.features.tokens import TextPipeline, token_hash
from tests.unit.models.listing_examples import TRAINING, UNSEEN, VALIDATION, trained

pytestmark = pytest.mark.train

DOMAINS = ("fake", "drugs")
SMALL = {"embedding_width": 16, "hidden": 32, "layers": 2, "heads": 2, "docked": 16}
QUICK = {"epochs": 12, "learning_rate": 5e-3, "averaging": 0.9}


@pytest.fixture(scope="module")
def both():
    return trained("multiclass", DOMAINS, network=SMALL, training=QUICK)


def test_tells_both_violations_from_each_other_and_from_neither(both) -> None:
    for domain in DOMAINS:
        assert roc_auc_score(UNSEEN.labels[domain], both[domain].scores(UNSEEN)) > 0.8
    total = both["fake"].scores(UNSEEN) + both["drugs"].scores(UNSEEN)
    assert (total < 1).all()
    assert both["fake"].network.network is both["drugs"].network.network
    assert both["drugs"].description()["classes"] == ["neutral", "fake", "drugs"]


def test_each_file_scores_its_softmax_column_at_any_batch_and_length(both) -> None:
    for domain in DOMAINS:
        scores, gates = both[domain].scores(UNSEEN), both[domain].gates(UNSEEN)
        opened = session(both[domain].to_onnx())
        for batch, bucket in ((1, 32), (2, 64), (7, 128), (64, 32), (64, 128)):
            answer = run(opened, listing_batch(UNSEEN.features[:batch], bucket))
            assert answer["score"].shape == (batch, 1)
            assert np.abs(answer["score"][:, 0] - scores[:batch]).max() <= 1e-5
            assert np.abs(answer["gate"] - gates[:batch]).max() <= 1e-5


@torch.no_grad()
def test_the_sigmoid_of_one_class_is_its_softmax(both) -> None:
    one = both["drugs"].network
    inputs = [torch.from_numpy(values) for values in listing_batch(UNSEEN.features[:20], 64).values()]
    inputs[0] = torch.from_numpy(both["drugs"].vocabulary.rows(inputs[0].numpy()))
    logits, _ = one.network(*inputs)
    assert torch.allclose(torch.sigmoid(one(*inputs)[0])[:, 0], logits.softmax(dim=1)[:, 2], atol=1e-6)


def test_a_missing_modality_gives_the_whole_gate_to_the_other(both) -> None:
    one = next(row for row in UNSEEN.features if row.image is not None and len(row.tokens))
    wordless = ListingFeatures(one.tokens[:0], one.aux, one.image)
    gates = both["fake"].gates(ListingSet((wordless, replace(one, image=None)), {}, ""))
    assert np.allclose(gates, [[0, 1], [1, 0]], atol=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=20, deadline=None)
@torch.no_grad()
def test_text_vectors_do_not_depend_on_padding_or_on_the_rest_of_the_batch(seed: int, length: int) -> None:
    torch.manual_seed(1)
    vocabulary = Vocabulary(np.arange(1, 50, dtype=np.int64))
    text = small_albert(vocabulary, embedding_width=8, hidden=16, layers=2, heads=2, dropout=0.1).eval()
    rows = torch.randint(1, vocabulary.size, (3, length), generator=torch.Generator().manual_seed(seed))
    alone = torch.cat([text(rows[:1]), text(rows[1:2, : max(1, length // 2)])])
    rows[1, max(1, length // 2) :] = 0
    assert torch.allclose(text(torch.nn.functional.pad(rows, (0, 30)))[:2], alone, atol=1e-5)


def test_embracing_takes_each_component_from_one_modality_and_doubles_it() -> None:
    torch.manual_seed(0)
    embrace = Embrace(8, 400)
    text, image = torch.randn(2, 8), torch.randn(2, IMAGE_WIDTH)
    here, one = torch.ones(2, 1), torch.tensor([[1.0], [0.0]])
    kept_text, _ = embrace.eval()(text, here, image, here)
    drawn_text, drawn_image = embrace.train()(text, here, image, here)
    assert (drawn_text * drawn_image == 0).all()
    chosen = drawn_text > 0
    assert torch.equal(drawn_text[chosen], 2 * kept_text[chosen])
    assert 0.4 < float((drawn_text[kept_text > 0] > 0).float().mean()) < 0.6
    alone_text, alone_image = embrace(text, here, image, one)
    assert torch.equal(alone_text[1], kept_text[1])
    assert (alone_image[1] == 0).all()


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_focal_loss_is_cross_entropy_at_zero_and_never_above_it(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(6, 4, generator=generator) * 5
    classes = torch.randint(0, 4, (6,), generator=generator)
    target = torch.nn.functional.one_hot(classes, 4).float()
    entropy = torch.nn.functional.cross_entropy(logits, classes)
    assert torch.allclose(focal_loss(logits, target, 0.0), entropy, atol=1e-5)
    assert focal_loss(logits, target, 2.0) <= entropy + 1e-6
    by_hand = [(1 - p) ** 2 * -np.log(p) for p in logits.softmax(1)[range(6), classes].numpy().astype(float)]
    assert float(focal_loss(logits, target, 2.0)) == pytest.approx(np.mean(by_hand), abs=1e-4)
    assert torch.allclose(focal_loss(logits, target, 2.0, [2.0] * 4), 2 * focal_loss(logits, target, 2.0))


def test_labels_of_several_and_of_unknown_violations() -> None:
    nan = np.nan
    found = ListingSet(
        UNSEEN.features[:5],
        {
            "fake": np.array([1, 1, 0, 0, nan], np.float32),
            "drugs": np.array([1, nan, 0, nan, 1], np.float32),
        },
        "",
    )
    table = class_table(found, DOMAINS, Vocabulary(np.array([5], np.int64)))
    assert table.labels.tolist() == [[0, 0.5, 0.5], [0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_easy_negatives_are_drawn_anew_in_the_stated_ratio() -> None:
    labels = torch.zeros(100, 3)
    labels[:80, 0] = 1
    labels[80:, 1] = 1
    draw, order = drawn_neutrals(labels, 1.5), np.random.default_rng(0)
    first, second = draw(order), draw(order)
    for drawn in (first, second):
        assert len(drawn) == 50
        assert set(drawn.tolist()) >= set(range(80, 100))
    assert set(first.tolist()) != set(second.tolist())
    assert len(drawn_neutrals(labels, 0.0)(order)) == 20
    assert len(drawn_neutrals(labels, 99.0)(order)) == 100


def test_a_domain_without_examples_is_refused_by_name() -> None:
    empty = replace(TRAINING, labels={**TRAINING.labels, "drugs": np.zeros(500, np.float32)})
    with pytest.raises(ValueError, match="no listing of 'drugs'"):
        trained("multiclass", DOMAINS, network=SMALL, parts=Parts(empty, VALIDATION))


@pytest.mark.parametrize(
    ("section", "values", "says"),
    [
        ("network", {"hidden": 30, "heads": 4}, "multiple of heads"),
        ("network", {"layers": 0}, "layers"),
        ("network", {"texts": Path("words.txt")}, "name one"),
        ("network", {"docked": 0}, "docked"),
        ("network", {"dropout": 1.0}, "dropout"),
        ("network", {"image_dropout": 0.6, "text_dropout": 0.6}, "more than all"),
        ("network", {"text": False, "image": False, "aux": False}, "all off"),
        ("training", {"focal_gamma": -1.0}, "focal_gamma"),
        ("training", {"epochs": 0}, "epoch"),
    ],
)
def test_impossible_options_are_refused_by_name(section, values, says) -> None:
    with pytest.raises(ValueError, match=says):
        trained("multiclass", DOMAINS, **{section: values})


TEXTS = ["unbranded handbag bargain", "genuine handbag", "ハンドバッグ handbag bargain"]


@pytest.fixture(scope="module")
def saved_albert(tmp_path_factory) -> Path:
    """A randomly initialised ALBERT whose tokeniser knows "handbag" whole and "bargain" as two pieces."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AlbertConfig, AlbertModel, PreTrainedTokenizerFast

    directory = tmp_path_factory.mktemp("albert")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁handbag", "▁bar", "gain", "▁genuine"]
    inner = Tokenizer(models.Unigram([(piece, -1.0 - place) for place, piece in enumerate(pieces)], unk_id=1))
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]"
    ).save_pretrained(directory)
    torch.manual_seed(0)
    config = AlbertConfig(
        vocab_size=len(pieces), embedding_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=160,
    )  # fmt: skip
    AlbertModel(config).save_pretrained(directory)
    return directory


def test_words_start_as_the_mean_of_their_pretrained_pieces(saved_albert: Path, tmp_path: Path) -> None:
    from transformers import AlbertModel

    pieces = AlbertModel.from_pretrained(saved_albert).embeddings.word_embeddings.weight.detach()
    text = TextPipeline()
    vocabulary = build_vocabulary((text.prepare(one).tokens for one in TEXTS), min_count=1)
    row = {word: int(vocabulary.rows(np.array([token_hash(word)]))[0]) for word in ("handbag", "bargain")}
    heard: list[str] = []
    alone = pretrained_albert(str(saved_albert), vocabulary, None, heard.append).embedding.weight
    assert torch.equal(alone[row["handbag"]], pieces[4])
    assert torch.equal(alone[row["bargain"]], pieces[1])  # no piece of its own: unknown
    assert heard == [f"2 of {vocabulary.size - FIRST_WORD} words have a vector of {saved_albert}'s sub-words"]
    listing_file = tmp_path / "train.jsonl"
    listing_file.write_text('{"listing": {"title": "Bargain", "images": [{"n": "x"}]}}\n', encoding="utf-8")
    helped = pretrained_albert(str(saved_albert), vocabulary, listing_file, heard.append).embedding.weight
    assert torch.allclose(helped[row["bargain"]], (pieces[5] + pieces[6]) / 2)
    assert torch.equal(helped[1], pieces[1])


def test_a_pretrained_encoder_trains_and_exports(saved_albert: Path) -> None:
    options = {"albert": str(saved_albert), "docked": 16}
    found = trained("multiclass", DOMAINS, network=options, training={**QUICK, "epochs": 2})["fake"]
    answer = run(session(found.to_onnx()), listing_batch(UNSEEN.features[:9], 128))
    assert np.abs(answer["score"][:, 0] - found.scores(UNSEEN)[:9]).max() <= 1e-5


def test_what_is_no_albert_is_refused_with_its_place(tmp_path: Path) -> None:
    vocabulary = Vocabulary(np.array([5], np.int64))
    with pytest.raises(ValueError, match=f"no ALBERT with its tokeniser at '{tmp_path}'"):
        pretrained_albert(str(tmp_path), vocabulary, None, print)


def test_words_of_plain_text_are_cut_as_the_tokeniser_cuts_them(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("新品 ＬＩＮＥ bargain\n", encoding="utf-8")
    hashes = TextPipeline().prepare("新品 ＬＩＮＥ bargain").tokens.tolist()
    assert [token_hash(word) for word in words_of(file)] == hashes
