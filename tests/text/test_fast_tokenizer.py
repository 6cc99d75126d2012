"""The tokenizer without transformers encodes and pads as that of transformers."""

from pathlib import Path

import numpy
import pytest

from emokit.text.fast_tokenizer import FastTokenizer, write_fast
from emokit.text.features import collate, tokenize
from emokit.text.model import train_tokenizer
from emokit.text.passages import Passage
from emokit.text.settings import TinySettings

TEXTS = ["I did not expect that!", "Thanks.", "never " * 30, "😂 مرحبا", "[CLS] in the text"]
PASSAGES = [
    *map(Passage, TEXTS),
    Passage("Why not?", "Anna", ("Ben: Come along!", "Anna: No.")),
    Passage("never " * 30, "Anna", ("Ben: Come along!",)),
]


@pytest.mark.parametrize(("padding", "truncation"), [("right", "right"), ("left", "left")])
def test_passages_become_the_same_numbers(tmp_path: Path, padding: str, truncation: str) -> None:
    tokenizer = train_tokenizer(TEXTS, TinySettings(vocab_size=300), 16)
    tokenizer.padding_side, tokenizer.truncation_side = padding, truncation
    write_fast(tokenizer, tmp_path)
    fast = FastTokenizer(tmp_path)
    expected, result = tokenize(PASSAGES, tokenizer), tokenize(PASSAGES, fast)
    assert result.rows == expected.rows
    assert result.is_cut.tolist() == expected.is_cut.tolist() == [False, False, True, False, False, False, True]
    padded = fast.pad(result.rows)
    for name, values in collate(expected.rows, tokenizer).items():
        assert padded[name].dtype == numpy.int64
        assert padded[name].tolist() == values.tolist()
    assert fast(["one two"], add_special_tokens=False) == dict(tokenizer(["one two"], add_special_tokens=False))


def test_a_tokenizer_of_another_package_is_refused(tmp_path: Path) -> None:
    class Slow:
        model_input_names = ("input_ids",)

    with pytest.raises(ValueError, match="none of the package tokenizers"):
        write_fast(Slow(), tmp_path)
