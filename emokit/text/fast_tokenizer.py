"""A tokenizer for predictions without transformers: that of the `tokenizers` package, with the little that is around it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from emokit.files import write_json, write_text
from emokit.read_files import read_json

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

VOCABULARY, FACTS = "fast_tokenizer.json", "fast_tokenizer_facts.json"
# Name of a model's input -> attribute of an encoding.
ATTRIBUTES = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


class FastTokenizer:
    """Encodes and pads as the tokenizer of transformers does that `write_fast` was given."""

    def __init__(self, folder: Path) -> None:
        """Read what `write_fast` wrote."""
        from tokenizers import Tokenizer

        self.raw = Tokenizer.from_file(str(folder / VOCABULARY))
        self.raw.no_padding()
        self.facts = read_json(folder / FACTS)
        self.model_max_length = int(self.facts["model_max_length"])
        self.names: list[str] = self.facts["names"]

    def __call__(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        truncation: bool | str = False,
        add_special_tokens: bool = True,
    ) -> dict[str, list[list[int]]]:
        """Texts, or pairs of them, as numbers: name of an input -> those of each text.

        Args:
            texts, pairs: the first and the second text of each.
            truncation: whether to cut at `model_max_length`, of a pair the longer text.
            add_special_tokens: whether to add the tokens that begin and end a text.
        """
        if truncation:
            self.raw.enable_truncation(self.model_max_length, direction=self.facts["truncation_side"])
        else:
            self.raw.no_truncation()
        inputs: Any = list(texts) if pairs is None else list(zip(texts, pairs, strict=True))
        encodings = self.raw.encode_batch(inputs, add_special_tokens=add_special_tokens)
        return {name: [list(getattr(entry, ATTRIBUTES[name])) for entry in encodings] for name in self.names}

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Number of tokens that begin and end a text, or a pair."""
        return int(self.raw.num_special_tokens_to_add(pair))

    def pad(self, rows: Sequence[dict[str, list[int]]]) -> dict[str, numpy.ndarray]:
        """Rows padded to the longest one: name of an input -> (rows, tokens) int64."""
        length, right = max(len(row["input_ids"]) for row in rows), self.facts["padding_side"] == "right"
        batch = {}
        for name in rows[0]:
            batch[name] = numpy.full((len(rows), length), self.facts["padding"].get(name, 0), numpy.int64)
            for target, row in zip(batch[name], rows, strict=True):
                size = len(row[name])
                target[slice(0, size) if right else slice(length - size, length)] = row[name]
        return batch


def write_fast(tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write a tokenizer of transformers as `FastTokenizer` reads it.

    Raises:
        ValueError: it is none of the `tokenizers` package, or makes further inputs.
    """
    backend, names = getattr(tokenizer, "backend_tokenizer", None), list(tokenizer.model_input_names)
    if backend is None or not set(names) <= set(ATTRIBUTES):
        raise ValueError("its tokenizer is none of the package tokenizers")
    facts = {
        "names": names,
        "model_max_length": tokenizer.model_max_length,
        "padding_side": tokenizer.padding_side,
        "truncation_side": tokenizer.truncation_side,
        "padding": {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id},
    }
    write_text(folder / VOCABULARY, backend.to_str())
    write_json(folder / FACTS, facts)
