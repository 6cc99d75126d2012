"""Training into a run folder: checkpoints, the saved model, completion, class weights and dev metrics."""

import json

import numpy
import pandas
import pytest
import torch
from safetensors.torch import load_file
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit import locks, predictions, runs
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.model_card import CardFacts
from emokit.settings import Settings
from emokit.training import checkpoint
from emokit.training.batches import one_hot
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics
from emokit.training.objective import CrossEntropy
from emokit.training.run import Baseline, begin, class_weights, complete, dev_metrics, train_epochs
from emokit.training.settings import TrainingSettings

LABELS = LabelSet(("low", "medium", "high"))
STEPS = 3


class Experiment(Settings):
    """Settings of a run."""

    name: str = "tiny"
    modality: str = "toy"
    training: TrainingSettings = TrainingSettings(max_epochs=4, lr=0.1, patience=None)


class Linear(PreTrainedModel):
    """(batch, 5) -> logits (batch, 3), over a frozen layer."""

    config_class = PretrainedConfig

    def __init__(self, config):
        super().__init__(config)
        torch.manual_seed(0)
        self.frozen = torch.nn.Linear(5, 5).requires_grad_(False)
        self.net = torch.nn.Linear(5, len(LABELS))

    def forward(self, inputs):
        return SequenceClassifierOutput(logits=self.net(self.frozen(inputs)))


def batches(epoch):
    random = torch.Generator().manual_seed(epoch)
    for _ in range(STEPS):
        yield {
            "inputs": torch.randn(4, 5, generator=random),
            "targets": torch.eye(3)[torch.randint(3, (4,), generator=random)],
        }


@pytest.fixture
def run(tmp_path):
    runs.start(tmp_path / "run", Experiment(), seed=0, device="cpu", fingerprint="ab" * 32)
    return tmp_path / "run"


def trained(run, uars=(0.1, 0.9, 0.3, 0.2), on_epoch=None, saved=None, done=None, **how):
    """Train; returns the model, what `train_epochs` returns, and the weights of the net after each epoch."""
    model, after = Linear(PretrainedConfig(num_labels=3)), []
    done = runs.last_epoch(run) if done is None else done

    def evaluate(scored):
        after.append(scored.net.weight.detach().clone())
        uar = uars[done + len(after) - 1]
        return DevMetrics(1.0, uar, uar, uar, 3)

    accelerator = new_accelerator("cpu", "float32")
    settings, objective = Experiment().training, CrossEntropy(0.1)
    save_beside = None if saved is None else lambda folder: saved.append((folder / "tokenizer.json").write_text("{}"))
    epochs = train_epochs(
        run,
        model,
        batches,
        STEPS,
        evaluate,
        settings,
        accelerator,
        objective,
        on_epoch,
        save_beside=save_beside,
        **how,
    )
    return model, epochs, after


def test_the_best_weights_are_saved_once_at_the_end(run):
    saved, seen = [], []

    def on_epoch(epoch):
        seen.append((epoch.number, (run / runs.CHECKPOINT / "state.pt").exists(), (run / runs.MODEL).exists()))

    model, epochs, after = trained(run, on_epoch=on_epoch, saved=saved)
    assert epochs == {"epochs": 4, "best_epoch": 2}
    assert seen == [(number, True, False) for number in (1, 2, 3, 4)]
    assert len(saved) == 1
    assert (run / runs.MODEL / "tokenizer.json").exists()
    assert torch.equal(load_file(run / runs.MODEL / "model.safetensors")["net.weight"], after[1])
    assert torch.equal(model.net.weight, after[1])
    assert [line["best"] for line in runs.read_log(run)] == [True, True, False, False]


@pytest.mark.parametrize(
    "change",
    [
        {"progress": {}},
        {"progress": {"epoch": "a"}},
        {"optimizer": {}},
        {"model": {"net.weight": torch.zeros(1)}},
        {"optimizer": 3},
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(run, change):
    trained(run, uars=(0.1,) * 4)
    checkpoint.write(run / runs.CHECKPOINT, {**checkpoint.read(run / runs.CHECKPOINT), **change}, runs.key(run))
    with pytest.raises(
        DataError, match=r"^The checkpoint does not fit the settings of the run \(.+\); start the run again with"
    ):
        trained(run)


def test_batches_are_reported_and_change_no_number(run, tmp_path):
    reported = []
    trained(run, on_batch=lambda *progress: reported.append(progress))
    assert reported == [(epoch, done, STEPS) for epoch in (1, 2, 3, 4) for done in range(STEPS + 1)]
    other = tmp_path / "unreported"
    runs.start(other, Experiment(), seed=0, device="cpu", fingerprint="ab" * 32)
    trained(other)
    for file in ("model/model.safetensors", "checkpoints/last/state.pt"):
        assert (run / file).read_bytes() == (other / file).read_bytes()


def test_frozen_parameters_are_in_the_model_and_not_in_the_checkpoints(run):
    trained(run)
    for folder in (runs.CHECKPOINT, runs.BEST):
        assert set(checkpoint.read(run / folder)["model"]) == {"net.weight", "net.bias"}
    assert "frozen.weight" in load_file(run / runs.MODEL / "model.safetensors")


def test_a_resumed_training_saves_the_same_bytes(run, tmp_path):
    def kill(epoch):
        if epoch.number == 3:
            raise Killed

    trained(run)
    other = tmp_path / "killed"
    runs.start(other, Experiment(), seed=0, device="cpu", fingerprint="ab" * 32)
    with pytest.raises(Killed):
        trained(other, on_epoch=kill)
    assert not (other / runs.MODEL).exists()
    _, epochs, after = trained(other)  # the best epoch was before the kill
    assert epochs == {"epochs": 4, "best_epoch": 2}
    assert len(after) == 1
    for file in ("model/model.safetensors", "checkpoints/last/state.pt", "checkpoints/best/state.pt"):
        assert (run / file).read_bytes() == (other / file).read_bytes()
    assert [line["epoch"] for line in runs.read_log(other)] == [1, 2, 3, 4]


class Killed(Exception):
    pass


def fail(*_, **__):
    raise Killed


def test_a_kill_between_a_checkpoint_and_its_line_neither_repeats_nor_loses_the_epoch(run, tmp_path, monkeypatch):
    trained(run)
    other = tmp_path / "killed"
    runs.start(other, Experiment(), seed=0, device="cpu", fingerprint="ab" * 32)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "append_log", fail)
        with pytest.raises(Killed):
            trained(other)
    assert checkpoint.read(other / runs.CHECKPOINT)["progress"]["epoch"] == 1
    assert runs.read_log(other) == []
    trained(other, done=1)
    lines = [[{**line, "seconds": 0} for line in runs.read_log(folder)] for folder in (run, other)]
    assert lines[0] == lines[1]
    assert len((other / runs.LOG).read_text().splitlines()) == 4
    assert (run / "checkpoints/last/state.pt").read_bytes() == (other / "checkpoints/last/state.pt").read_bytes()


def test_a_checkpoint_is_read_by_resume_only_and_only_of_the_same_settings(run, tmp_path):
    trained(run)
    _, epochs, after = trained(run, done=0, resume=False)
    assert (epochs, len(after)) == ({"epochs": 4, "best_epoch": 2}, 4)
    assert [json.loads(line)["epoch"] for line in (run / runs.LOG).read_text().splitlines()] == [1, 2, 3, 4]
    (run / runs.SETTINGS).write_text(Experiment(name="other").as_yaml())
    with pytest.raises(DataError, match=r"state\.pt was written by a training with other settings or data; start"):
        trained(run)


def test_the_lock_is_held_until_the_run_is_complete_or_its_training_fails(run):
    assert (run / ".lock").exists()
    with pytest.raises(Killed):
        trained(run, on_epoch=fail)
    assert not (run / ".lock").exists()


def test_completing_a_run_writes_predictions_card_and_metrics_of_the_label_set(run):
    table = pandas.DataFrame(
        {
            "utterance_id": ["a", "b", "c", "d"],
            "corpus": "emodb",
            "speaker": ["03", "03", "08", "08"],
            "dialogue": None,
            "split": "dev",
            "label": ["low", "high", "high", "medium"],
        }
    )
    values = numpy.array([[0.8, 0.1, 0.1], [0.2, 0.2, 0.6], [0.6, 0.2, 0.2], [0.1, 0.7, 0.2]])
    dev = predictions.make(table, values, labels=LABELS, model="linear", fingerprint="ab")
    about = {"name": "tiny", "modality": "toy", "model": "linear", "parameters": 3, "epochs": 4, "best_epoch": 2}
    baseline = Baseline("always high", {"dev": numpy.full(4, 2)})
    facts = CardFacts("numbers", "1 2 3", "The model is in `model/`.")
    locks.hold(run)
    result = complete(run, about, {}, {"dev": dev}, pandas.Series(["low", "low", "high"]), baseline, facts)
    assert result == json.loads((run / runs.METRICS).read_text()) == runs.read_metrics(run)
    assert (result["labels"], runs.read_labels(run)) == (list(LABELS), LABELS)
    assert not (run / ".lock").exists()
    scores = result["splits"]["dev"]
    assert (scores["accuracy"], scores["uar"]) == pytest.approx((3 / 4, (1 + 1 + 1 / 2) / 3))
    assert scores["baselines"]["majority"]["accuracy"] == 1 / 4
    assert (scores["baselines"]["simple"]["accuracy"], scores["baselines"]["simple"]["description"]) == (
        1 / 2,
        "always high",
    )
    assert scores["per_gender"] == {}
    alone = complete(run, about, {}, {"dev": dev}, pandas.Series(["low", "low", "high"]), None, facts)
    assert alone["splits"]["dev"].pop("baselines") == {"majority": scores.pop("baselines")["majority"]}
    assert alone == result
    read = predictions.read(run / runs.PREDICTIONS / "dev.parquet")
    assert (read.labels, read.model) == (LABELS, "linear")
    assert "Given numbers, the model returns a probability for each of 3 emotions: low, medium, high." in (
        run / runs.CARD
    ).read_text(encoding="utf-8")


def test_class_weights_are_inverse_to_frequency_and_one_on_average():
    targets = numpy.array([0] * 6 + [4] * 3 + [5])
    weights = class_weights(one_hot(targets, 7), "inverse").numpy()
    assert weights[[0, 4, 5]].tolist() == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    assert weights[targets].mean() == pytest.approx(1.0)
    assert weights[1] == 1.0
    assert len(class_weights(one_hot(numpy.array([0, 1]), 3), "inverse")) == 3


def test_effective_numbers_weigh_rare_classes_less_than_inverse_frequency_does():
    targets = numpy.repeat([0, 1], [5000, 50])
    inverse, effective = (class_weights(one_hot(targets, 7), balancing) for balancing in ("inverse", "effective"))
    assert inverse[1] / inverse[0] == pytest.approx(100)
    assert effective[1] / effective[0] == pytest.approx((1 - 0.999**5000) / (1 - 0.999**50), rel=1e-4)
    assert effective.numpy()[targets].mean() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("balancing", ["none", "sampler"])
def test_without_weights_the_loss_is_plain(balancing):
    assert class_weights(one_hot(numpy.array([0, 1, 1]), 2), balancing) is None


def test_dev_metrics_by_hand():
    probabilities = numpy.full((4, 7), 0.05)
    probabilities[[0, 1, 2, 3], [0, 0, 4, 4]] = 0.7
    dev = dev_metrics(probabilities, numpy.array([0, 1, 4, 4]))
    assert dev.loss == pytest.approx(-(3 * numpy.log(0.7) + numpy.log(0.05)) / 4)
    assert dev.accuracy == pytest.approx(0.75)
    assert dev.uar == pytest.approx(2 / 3)
    assert dev.num_classes_predicted == 2


def resumed(run):
    return begin(
        run, Experiment(), None, pandas.Series(["emodb"]), new_accelerator("cpu", "float32"), resume=True, force=False
    )


def test_a_complete_run_is_not_resumed(run):
    (run / runs.METRICS).write_text('{"labels": ["a", "b"], "splits": {}}')
    with pytest.raises(UsageError) as error:
        resumed(run)
    assert str(error.value) == f"{run} is complete; read it with `emokit report {run}`, or name another --run."
    (run / runs.SETTINGS).write_text("kind: audio\n")
    with pytest.raises(DataError) as error:
        resumed(run)
    assert str(error.value) == f"{run} was made by an emokit before names changed; train it again."
