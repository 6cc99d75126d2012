"""Batches of texts: what the model takes of the rows that share one."""

import numpy
import pytest

from emokit.text.batches import TextBatches
from emokit.text.model import learn_tokenizer
from emokit.text.settings import TinySettings

LENGTHS = numpy.random.default_rng(0).integers(3, 60, 500)
TARGETS = numpy.random.default_rng(1).choice([0, 4, 4, 4, 4, 5], 500)


@pytest.fixture(scope="module")
def tokenizer():
    return learn_tokenizer(["some words"], TinySettings(vocabulary=300), 64)


def batches(tokenizer, **how):
    rows = [{"input_ids": [row % 7 + 4] * length, "attention_mask": [1] * length} for row, length in enumerate(LENGTHS)]
    return TextBatches(rows, TARGETS, tokenizer, **({"batch_size": 16, "max_tokens_per_batch": 400, "seed": 0} | how))


def test_a_batch_has_what_the_model_takes_and_its_targets(tokenizer):
    of = batches(tokenizer)
    batch, rows = next(of(1)), of.of_epoch(1)[0]
    assert batch["input_ids"].shape == (len(rows), LENGTHS[rows].max())
    assert batch["targets"].argmax(1).tolist() == TARGETS[rows].tolist()
    assert batch["targets"].sum(1).tolist() == [1.0] * len(rows)
