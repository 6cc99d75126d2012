"""Tokenization: the one implementation for training, prediction and export."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy

from emokit.text.passages import Passage

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from emokit.text.fast_tokenizer import FastTokenizer

    Tokenizer: TypeAlias = PreTrainedTokenizerBase | FastTokenizer

Row = dict[str, list[int]]
"""A tokenized passage: `input_ids`, `attention_mask`, …"""


@dataclass(frozen=True)
class Tokens:
    """Tokenized passages, in their order."""

    rows: list[Row]
    is_cut: numpy.ndarray
    """(passages,) whether the text was truncated."""

    @property
    def lengths(self) -> numpy.ndarray:
        """(passages,) int64 number of tokens."""
        return numpy.array([len(row["input_ids"]) for row in self.rows], dtype=numpy.int64)


def tokenize(passages: Sequence[Passage], tokenizer: "Tokenizer") -> Tokens:
    """Tokenize passages, at most `tokenizer.model_max_length` tokens each.

    Context turns are included whole, the latest first, if the utterance itself is not truncated. A longer utterance loses
    its end.
    """
    texts = [passage.text_with_speaker for passage in passages]
    contexts = _fitting_contexts(passages, tokenizer)
    rows = _encode(tokenizer, texts, truncation=True) if texts else []
    with_context = [row for row, context in enumerate(contexts) if context]
    if with_context:
        pairs = ([texts[row] for row in with_context], [contexts[row] for row in with_context])
        for row, encoded in zip(with_context, _encode(tokenizer, *pairs, truncation="longest_first"), strict=True):
            rows[row] = encoded
    is_cut = numpy.zeros(len(rows), dtype=bool)
    full = [row for row in range(len(rows)) if len(rows[row]["input_ids"]) >= tokenizer.model_max_length]
    if full:
        uncut = _encode(tokenizer, [texts[row] for row in full])
        is_cut[full] = [len(row["input_ids"]) > tokenizer.model_max_length for row in uncut]
    return Tokens(rows, is_cut)


def collate(
    rows: Sequence[Row], tokenizer: "PreTrainedTokenizerBase", length: int | None = None
) -> "dict[str, torch.Tensor]":
    """Stack rows, padded to the longest one or to `length`: name -> (rows, tokens) int64."""
    padding = {"padding": True} if length is None else {"padding": "max_length", "max_length": length}
    return dict(tokenizer.pad(list(rows), **padding, return_tensors="pt"))


def _fitting_contexts(passages: Sequence[Passage], tokenizer: "Tokenizer") -> list[str]:
    """Per passage, the latest context turns that fit beside the whole utterance, joined; empty if none fits."""
    turns = sorted({turn for passage in passages for turn in passage.context})
    if not turns:
        return [""] * len(passages)
    utterances = sorted({passage.text_with_speaker for passage in passages})
    sizes = {
        text: len(row["input_ids"])
        for texts in (turns, utterances)
        for text, row in zip(texts, _encode(tokenizer, texts, add_special_tokens=False), strict=True)
    }
    special = tokenizer.num_special_tokens_to_add(pair=True)
    contexts = []
    for passage in passages:
        room = tokenizer.model_max_length - special - sizes[passage.text_with_speaker]
        fitting: list[str] = []
        for turn in reversed(passage.context):
            room -= sizes[turn]
            if room < 0:
                break
            fitting.insert(0, turn)
        contexts.append(" ".join(fitting))
    return contexts


def _encode(tokenizer: "Tokenizer", *texts: list[str], **options: Any) -> list[Row]:
    encoded = tokenizer(*texts, **options)
    return [{name: encoded[name][row] for name in encoded} for row in range(len(encoded["input_ids"]))]
