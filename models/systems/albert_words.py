"""An ALBERT for our tokens: from a path or hub name with its sub-words averaged to words, or small and untrained."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fugashi
import torch
import unidic_lite
from torch import Tensor
from transformers import AlbertConfig, AlbertModel, AutoTokenizer

from models.data.vocabulary import FIRST_WORD, Vocabulary
from models.networks.multiclass import AlbertText
from models.networks.sentences import UNKNOWN
from streams.features.normal_form import encodable, normalise
from streams.features.tensors import LISTING_BUCKETS
from streams.features.tokens import token_hash

#: SentencePiece's mark of a piece that begins a word.
_BEGINS_WORD = "▁"
#: [CLS] and the longest bucket.
_POSITIONS = LISTING_BUCKETS[-1] + 1
#: ALBERT's own deviation of fresh weights.
_FRESH = 0.02


def small_albert(
    vocabulary: Vocabulary, *, embedding_width: int, hidden: int, layers: int, heads: int, dropout: float
) -> AlbertText:
    """Untrained, of the given sizes; weights by torch's seed. Raises ValueError where `heads` do not divide `hidden`."""
    if hidden % heads:
        raise ValueError(f"hidden is {hidden}: it must be a multiple of heads, {heads}")
    config = AlbertConfig(
        vocab_size=FIRST_WORD, embedding_size=embedding_width, hidden_size=hidden, num_hidden_layers=layers,
        num_attention_heads=heads, intermediate_size=2 * hidden, max_position_embeddings=_POSITIONS,
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=0.0, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    # The other implementations decide by the mask's values, which an exported graph cannot.
    config._attn_implementation = "eager"
    words = torch.randn(vocabulary.size, embedding_width) * _FRESH
    return AlbertText(AlbertModel(config), words, torch.randn(embedding_width) * _FRESH)


def pretrained_albert(
    source: str, vocabulary: Vocabulary, texts: Path | None, say: Callable[[str], None]
) -> AlbertText:
    """The ALBERT of a path or hub name. A word's vector is the mean over the sub-words that its tokeniser makes of it.

    A vocabulary holds hashes, so words are found again by hashing candidates: the pieces of the tokeniser that are
    whole words, and the words of `texts` (plain text, or JSONL whose strings are read; the training file will do).
    Other words start as the unknown word's vector. Raises ValueError where there is no ALBERT with a tokeniser.
    """
    try:
        albert = AlbertModel.from_pretrained(source, attn_implementation="eager")
        tokenizer: Any = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ValueError(f"no ALBERT with its tokeniser at {source!r}: {error}") from error
    if albert.config.model_type != "albert":
        raise ValueError(f"{source!r} holds a {albert.config.model_type}, not an ALBERT")
    if albert.config.max_position_embeddings < _POSITIONS:
        raise ValueError(
            f"{source!r} has {albert.config.max_position_embeddings} positions; listings need {_POSITIONS}"
        )
    pieces = albert.embeddings.word_embeddings.weight.detach()
    words = pieces[_special(tokenizer.unk_token_id)].repeat(vocabulary.size, 1)
    row_of = {int(hashed): row for row, hashed in enumerate(vocabulary.hashes, start=FIRST_WORD)}
    found: set[int] = set()
    whole = (piece[1:] for piece in tokenizer.get_vocab() if piece.startswith(_BEGINS_WORD) and piece[1:])
    for word in _distinct([whole, () if texts is None else words_of(texts)]):
        row = row_of.get(token_hash(word))
        if row is None or row in found:
            continue
        ids = tokenizer.encode(word, add_special_tokens=False)
        if ids:
            words[row] = pieces[ids].mean(dim=0)
            found.add(row)
    say(f"{len(found):,} of {len(row_of):,} words have a vector of {source}'s sub-words")
    words[UNKNOWN] = pieces[_special(tokenizer.unk_token_id)]
    return AlbertText(albert, words, _first(pieces, tokenizer))


def words_of(path: Path) -> Iterator[str]:
    """The words of a text file as our tokeniser cuts them, without its masking; of JSONL, those of all strings."""
    dictionary = unidic_lite.DICDIR
    tagger = fugashi.GenericTagger(f"-d '{dictionary}' -r '{dictionary}/mecabrc' -O wakati")
    with path.open(encoding="utf-8") as file:
        for line in file:
            texts = _strings(json.loads(line)) if path.suffix == ".jsonl" and line.strip() else [line]
            for text in texts:
                yield from tagger.parse(" ".join(normalise(encodable(text)).split())).split()


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - a JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _distinct(sources: Iterable[Iterable[str]]) -> Iterator[str]:
    seen: set[str] = set()
    for source in sources:
        for word in source:
            if word not in seen:
                seen.add(word)
                yield word


def _first(pieces: Tensor, tokenizer: Any) -> Tensor:  # noqa: ANN401 - a transformers tokeniser
    return pieces[_special(tokenizer.cls_token_id)]


def _special(number: int | None) -> int:
    if number is None:
        raise ValueError("the tokeniser must have an unknown-word token and a [CLS] token")
    return number
