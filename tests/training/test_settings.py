"""Training settings: defaults, ranges, and a sentence for every field."""

import pytest

from emokit.errors import UsageError
from emokit.settings import fields
from emokit.training.settings import PublishedScore, TrainingSettings


def test_every_field_has_a_sentence() -> None:
    for group in (PublishedScore, TrainingSettings):
        assert all(sentence.endswith(".") for sentence in fields(group).values())


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("batch_size", 1, "batch_size = 1, but it should be greater than or equal to 2."),
        ("ema_decay", 1, "ema_decay = 1, but it should be less than 1."),
        ("warmup_ratio", 1, "warmup_ratio = 1, but it should be less than 1."),
        ("checkpoint", "first", "checkpoint = 'first', but it should be 'best' or 'last'."),
        (
            "class_balancing",
            "focal",
            "class_balancing = 'focal', but it should be 'none', 'inverse', 'effective' or 'sampler'.",
        ),
        ("seed", 2**32, "seed = 4294967296, but it should be less than or equal to 4294967295."),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: object, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        TrainingSettings.make({key: value})
    assert str(caught.value) == f"The command line has {sentence}"


def test_what_may_be_switched_off_is_null() -> None:
    settings = TrainingSettings.make({"max_grad_norm": None, "ema_decay": None, "patience": None})
    assert (settings.max_grad_norm, settings.ema_decay, settings.patience) == (None, None, None)
