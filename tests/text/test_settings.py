"""Text settings: what contradicts itself is refused in words, and the experiments that come with emokit are valid."""

from pathlib import Path

import pytest

from emokit.errors import UsageError
from emokit.text.settings import TextSettings

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments" / "text").glob("*.yaml"))
EXPERIMENTS = [path for path in EXPERIMENTS if not path.stem.endswith("sweep")]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"features": {"max_length": 512}, "training": {"max_tokens_per_batch": 256}},
            "The command line: training.max_tokens_per_batch must be at least features.max_length (512).",
        ),
        (
            {"training": {"class_balancing": "sampler", "batch_size": 64}},
            "The command line: training.class_balancing = sampler needs training.max_tokens_per_batch of at least "
            "features.max_length x training.batch_size (8192).",
        ),
        (
            {"model": {"tiny": {"hidden_size": 30, "num_attention_heads": 4}}},
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
    assert (recipe.lr, recipe.schedule, recipe.class_balancing, recipe.label_smoothing) == (2e-5, "linear", "none", 0)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_is_valid_and_opens_with_its_command_and_what_was_published(path):
    assert TextSettings.read(path).name == path.stem
    opening = path.read_text(encoding="utf-8").split("\nname:")[0]
    assert f"emokit train text experiments/text/{path.name} --data prepared --run runs/" in opening
    assert any(word in opening.lower() for word in ("published", "measured"))


def test_the_studys_experiments_have_its_settings():
    recipes = {path.stem: TextSettings.read(path).training for path in EXPERIMENTS if path.stem.startswith("stage")}
    found = {
        name: (
            of.lr,
            of.weight_decay,
            of.max_epochs,
            of.batch_size,
            of.gradient_accumulation_steps,
            of.warmup_ratio,
            of.schedule,
        )
        for name, of in recipes.items()
    }
    assert found == {
        "stage1_distilbert": (2e-5, 0.01, 3, 16, 1, 0.1, "linear"),
        "stage2_roberta_large": (1e-5, 0.01, 3, 4, 4, 0.1, "linear"),
        "stage3_roberta_large": (7e-6, 0.05, 5, 4, 4, 0.15, "cosine"),
    }
    assert {of.seed for of in recipes.values()} == {42}
