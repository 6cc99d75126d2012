"""Text settings: contradictions are refused with a sentence, and the experiments that come with emokit are valid."""

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
            "The command line has model.tiny = {'hidden_size': 30, 'num_attention_heads': 4}, but it must have "
            "num_attention_heads that divide hidden_size (30).",
        ),
        (
            {"model": {"kind": "zero_shot"}},
            "The command line has model = {'kind': 'zero_shot'}, but it must have labels that map the classifier's "
            "labels to labels of the data.",
        ),
        (
            {"training": {"layer_deay": 0.9}},
            "The command line has the unknown key training.layer_deay; did you mean training.layer_decay?",
        ),
    ],
)
def test_a_contradiction_is_refused(values, sentence):
    with pytest.raises(UsageError) as error:
        TextSettings.make(values)
    assert str(error.value) == sentence


def test_fine_tuning_has_its_own_defaults():
    training = TextSettings().training
    assert (training.lr, training.schedule, training.class_balancing, training.label_smoothing) == (
        2e-5,
        "linear",
        "none",
        0,
    )


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_is_valid_and_begins_with_its_command_and_published_scores(path):
    assert TextSettings.read(path).name == path.stem
    opening = path.read_text(encoding="utf-8").split("\nname:")[0]
    assert f"emokit train text experiments/text/{path.name} --data prepared --run runs/" in opening
    assert any(word in opening.lower() for word in ("published", "measured"))


def test_the_studys_experiments_have_its_settings():
    settings = {path.stem: TextSettings.read(path).training for path in EXPERIMENTS if path.stem.startswith("stage")}
    values = {
        name: (
            training.lr,
            training.weight_decay,
            training.max_epochs,
            training.batch_size,
            training.gradient_accumulation_steps,
            training.warmup_ratio,
            training.schedule,
        )
        for name, training in settings.items()
    }
    assert values == {
        "stage1_distilbert": (2e-5, 0.01, 3, 16, 1, 0.1, "linear"),
        "stage2_roberta_large": (1e-5, 0.01, 3, 4, 4, 0.1, "linear"),
        "stage3_roberta_large": (7e-6, 0.05, 5, 4, 4, 0.15, "cosine"),
    }
    assert {training.seed for training in settings.values()} == {42}
