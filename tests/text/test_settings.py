"""Text settings: what contradicts itself is refused in words."""

import pytest

from emokit.errors import UsageError
from emokit.text.settings import TextSettings


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"features": {"max_length": 512}, "training": {"batch_tokens": 256}},
            "The command line: training.batch_tokens must be at least features.max_length (512).",
        ),
        (
            {"training": {"class_weights": "sampler", "batch_size": 64}},
            "The command line: training.class_weights = sampler needs training.batch_tokens of at least "
            "features.max_length x training.batch_size (8192).",
        ),
        (
            {"model": {"tiny": {"hidden_size": 30, "heads": 4}}},
            "The command line has model.tiny = {'hidden_size': 30, 'heads': 4}, but it must have heads that divide "
            "hidden_size (30).",
        ),
        (
            {"model": {"kind": "zero_shot"}},
            "The command line has model = {'kind': 'zero_shot'}, but it must have labels that map the classifier's own "
            "labels onto the seven.",
        ),
        (
            {"model": {"labels": {"joy": "joyful"}}},
            "The command line has model = {'labels': {'joy': 'joyful'}}, but it must map its label joy to one of angry, "
            "disgust, fear, happy, neutral, sad, surprise or null, not to joyful.",
        ),
        (
            {"training": {"layer_deay": 0.9}},
            "The command line has the unknown key training.layer_deay; did you mean training.layer_decay?",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(values, sentence):
    with pytest.raises(UsageError) as error:
        TextSettings.make(values)
    assert str(error.value) == sentence


def test_fine_tuning_has_its_own_defaults():
    recipe = TextSettings().training
    assert (recipe.lr, recipe.schedule, recipe.class_weights, recipe.label_smoothing) == (2e-5, "linear", "none", 0)
