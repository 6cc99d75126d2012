"""Batches of texts: the tensors of a batch."""

import numpy
import pytest

from emokit.text.batches import TextBatches
from emokit.text.model import train_tokenizer
from emokit.text.settings import TinySettings
from emokit.training.batches import one_hot

LENGTHS = numpy.random.default_rng(0).integers(3, 60, 500)
TARGETS = numpy.random.default_rng(1).choice([0, 4, 4, 4, 4, 5], 500)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["some words"], TinySettings(vocab_size=300), 64)


def new_batches(tokenizer):
    rows = [{"input_ids": [row % 7 + 4] * length, "attention_mask": [1] * length} for row, length in enumerate(LENGTHS)]
    return TextBatches(rows, one_hot(TARGETS, 6), tokenizer, batch_size=16, max_tokens_per_batch=400, seed=0)


def test_a_batch_has_the_models_inputs_and_targets_of_every_class(tokenizer):
    batches = new_batches(tokenizer)
    batch, rows = next(batches(1)), batches.of_epoch(1)[0]
    assert batch["input_ids"].shape == (len(rows), LENGTHS[rows].max())
    assert batch["targets"].shape == (len(rows), 6)
    assert batch["targets"].argmax(1).tolist() == TARGETS[rows].tolist()
    assert batch["targets"].sum(1).tolist() == [1.0] * len(rows)
