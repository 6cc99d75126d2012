"""Where text becomes numbers: the one implementation for training, prediction and export."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from transformers import PreTrainedTokenizerBase

from emokit.text.passages import Passage

Row = dict[str, list[int]]
"""What the tokenizer makes of a passage: `input_ids`, `attention_mask`, …"""


@dataclass(frozen=True)
class Tokens:
    """Passages as tokens, in their order."""

    rows: list[Row]
    is_cut: numpy.ndarray
    """(passages,) whether it was longer than what is read."""

    @property
    def lengths(self) -> numpy.ndarray:
        """(passages,) int64."""
        return numpy.array([len(row["input_ids"]) for row in self.rows], dtype=numpy.int64)


def tokenise(passages: Sequence[Passage], tokenizer: PreTrainedTokenizerBase) -> Tokens:
    """Turn passages into tokens, at most `tokenizer.model_max_length` of each.

    Of the turns before, as many whole ones are read as find room, the latest first; of an utterance that is too long by
    itself, the beginning.
    """
    words = [passage.words for passage in passages]
    before = _that_fit(passages, tokenizer)
    rows = _encode(tokenizer, words, truncation=True) if words else []
    with_context = [row for row, turns in enumerate(before) if turns]
    if with_context:
        pairs = ([words[row] for row in with_context], [before[row] for row in with_context])
        for row, encoded in zip(with_context, _encode(tokenizer, *pairs, truncation="longest_first"), strict=True):
            rows[row] = encoded
    is_cut = numpy.zeros(len(rows), dtype=bool)
    full = [row for row in range(len(rows)) if len(rows[row]["input_ids"]) >= tokenizer.model_max_length]
    if full:
        uncut = _encode(tokenizer, [words[row] for row in full])
        is_cut[full] = [len(row["input_ids"]) > tokenizer.model_max_length for row in uncut]
    return Tokens(rows, is_cut)


def collate(
    rows: Sequence[Row], tokenizer: PreTrainedTokenizerBase, length: int | None = None
) -> dict[str, torch.Tensor]:
    """Stack rows, padded to the longest of them or to `length`: name -> (rows, tokens) int64."""
    padding = {"padding": True} if length is None else {"padding": "max_length", "max_length": length}
    return dict(tokenizer.pad(list(rows), **padding, return_tensors="pt"))


def _that_fit(passages: Sequence[Passage], tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Per passage, as many of its latest turns before as leave the utterance whole, joined; empty where none fits."""
    turns = sorted({turn for passage in passages for turn in passage.before})
    if not turns:
        return [""] * len(passages)
    spoken = sorted({passage.words for passage in passages})
    sizes = {
        text: len(row["input_ids"])
        for texts in (turns, spoken)
        for text, row in zip(texts, _encode(tokenizer, texts, add_special_tokens=False), strict=True)
    }
    special = tokenizer.num_special_tokens_to_add(pair=True)
    found = []
    for passage in passages:
        room = tokenizer.model_max_length - special - sizes[passage.words]
        taken: list[str] = []
        for turn in reversed(passage.before):
            room -= sizes[turn]
            if room < 0:
                break
            taken.insert(0, turn)
        found.append(" ".join(taken))
    return found


def _encode(tokenizer: PreTrainedTokenizerBase, *texts: list[str], **how: Any) -> list[Row]:
    encoded = tokenizer(*texts, **how)
    return [{name: encoded[name][row] for name in encoded} for row in range(len(encoded["input_ids"]))]
