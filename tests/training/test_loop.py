"""The loop on a model of one matrix: progress, collapse, accumulation, memory, and that resuming changes no result."""

import math

import pytest
import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.errors import Collapsed, WorkError
from emokit.training import checkpoint
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, TrainingProgress, fit
from emokit.training.settings import TrainingSettings

NUM_CLASSES = 7
STEPS = 4


class Linear(nn.Module):
    """(batch, 5) -> logits (batch, 7), with dropout so that the random numbers matter, and a frozen layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.net = nn.Sequential(nn.Dropout(0.3), nn.Linear(5, NUM_CLASSES))
        self.frozen = nn.Linear(5, 5, bias=False).requires_grad_(False)
        nn.init.eye_(self.frozen.weight)

    def forward(self, inputs):
        return SequenceClassifierOutput(logits=self.net(self.frozen(inputs)))


def batches(epoch):
    random = torch.Generator().manual_seed(epoch)
    for _ in range(STEPS):
        inputs = torch.randn(8, 5, generator=random)
        targets = torch.eye(NUM_CLASSES)[(inputs.sum(1) > 0).long()]
        yield {"inputs": inputs, "targets": targets}


def scores(uar=0.5, loss=1.0, classes=7):
    return DevMetrics(loss, uar, uar, uar, classes)


def run(settings, evaluate=lambda model: scores(), model=None, state=None):
    model = model or Linear()
    return model, fit(model, batches, STEPS, evaluate, settings, new_accelerator("cpu", "float32"), state=state)


def test_the_plateau_schedule_halves_the_rate_when_dev_loss_stalls():
    settings = TrainingSettings(schedule="plateau", plateau_patience=2)
    progress = TrainingProgress()
    factors = []
    for progress.epoch, loss in enumerate([1.0, 1.1, 1.2, 0.9, 0.95, 0.96, 0.97, 0.98], start=1):
        progress.update(scores(loss=loss), settings)
        factors.append(progress.plateau_factor)
    assert factors == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_the_best_epoch_has_the_highest_uar_and_then_the_lowest_loss():
    progress, settings = TrainingProgress(), TrainingSettings()
    is_best = []
    for progress.epoch, (uar, loss) in enumerate([(0.3, 1.0), (0.3, 0.9), (0.3, 0.9), (0.2, 0.1), (0.4, 2.0)], start=1):
        is_best.append(progress.update(scores(uar, loss), settings))
    assert is_best == [True, True, False, False, True]
    assert progress.best_epoch == 5


def test_training_stops_when_the_patience_has_run_out():
    settings = TrainingSettings(max_epochs=20, patience=2, lr=1e-3)
    uars = iter([0.1, 0.3, 0.2, 0.2, 0.9])
    _, epochs = run(settings, lambda model: scores(next(uars)))
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]


def test_with_checkpoint_last_every_epoch_is_saved_and_none_stops_early():
    uars = iter([0.9, 0.3, 0.2, 0.1])
    settings = TrainingSettings(max_epochs=4, checkpoint="last", patience=1, lr=1e-3)
    _, epochs = run(settings, lambda model: scores(next(uars)))
    done = list(epochs)
    assert [epoch.is_best for epoch in done] == [True] * 4
    assert done[-1].state["progress"]["best_epoch"] == 4


def test_training_without_patience_reaches_the_last_epoch():
    _, epochs = run(TrainingSettings(max_epochs=5, patience=None, lr=1e-3))
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4, 5]


def test_training_lowers_the_loss():
    _, epochs = run(TrainingSettings(max_epochs=6, patience=None, lr=0.1, label_smoothing=0.0))
    losses = [epoch.train_loss for epoch in epochs]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_a_training_that_is_resumed_from_its_checkpoint_ends_with_the_same_weights(ema_decay, tmp_path):
    settings = TrainingSettings(
        max_epochs=5, lr=0.05, schedule="plateau", plateau_patience=1, patience=None, ema_decay=ema_decay
    )
    straight, epochs = run(settings)
    *_, straight_end = epochs
    first, epochs = run(settings)
    for _ in range(2):
        checkpoint.write(tmp_path, next(epochs).state)
    torch.manual_seed(99)  # another process has drawn other random numbers
    other = Linear()
    nn.init.zeros_(other.net[1].weight)
    resumed, epochs = run(settings, model=other, state=checkpoint.read(tmp_path))
    *_, end = done = list(epochs)
    assert [epoch.number for epoch in done] == [3, 4, 5]
    assert torch.equal(straight.net[1].weight, resumed.net[1].weight)
    assert not torch.equal(straight.net[1].weight, first.net[1].weight)
    assert torch.equal(straight_end.model.net[1].weight, end.model.net[1].weight)
    for name in ("a", "b"):
        checkpoint.write(tmp_path / name, (straight_end if name == "a" else end).state)
    assert (tmp_path / "a" / "state.pt").read_bytes() == (tmp_path / "b" / "state.pt").read_bytes()


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_frozen_parameters_are_not_in_the_state(ema_decay):
    _, epochs = run(TrainingSettings(max_epochs=1, lr=0.05, ema_decay=ema_decay))
    state = next(epochs).state
    assert set(state["model"]) == {"net.1.weight", "net.1.bias"}
    if ema_decay:
        assert not any("frozen" in name for name in state["average"])
    assert len(state["optimizer"]["state"]) == 2


def test_a_training_that_was_over_yields_nothing_when_resumed():
    settings = TrainingSettings(max_epochs=2, lr=0.05)
    _, epochs = run(settings)
    *_, last = epochs
    _, again = run(settings, state=last.state)
    assert list(again) == []


def test_a_loss_that_is_not_a_number_stops_the_training_in_a_sentence():
    model = Linear()
    nn.init.constant_(model.net[1].weight, math.inf)
    _, epochs = run(TrainingSettings(lr=0.5, max_grad_norm=None), model=model)
    with pytest.raises(Collapsed) as error:
        next(epochs)
    assert str(error.value) == (
        "The training collapsed: in epoch 1 the loss is not a number; "
        "lower the learning rate (training.lr is 0.5) or set training.max_grad_norm=1."
    )
    assert error.value.exit_code == 4


def test_one_class_for_several_epochs_stops_the_training_in_a_sentence():
    settings = TrainingSettings(max_epochs=10, lr=0.5, collapse_patience=2, warmup_ratio=0.2)
    _, epochs = run(settings, lambda model: scores(1 / 7, classes=1))
    assert [next(epochs).number for _ in range(3)] == [1, 2, 3]  # the two epochs of the warm-up do not count
    with pytest.raises(Collapsed) as error:
        next(epochs)
    assert str(error.value) == (
        "The training collapsed: for 2 epochs every dev utterance got the same label and the dev loss did not fall; "
        "lower the learning rate (training.lr is 0.5) or raise training.warmup_ratio."
    )


def test_one_class_while_the_loss_falls_is_no_collapse():
    losses = iter([1.9, 1.8, 1.7, 1.6, 1.6, 1.6])
    settings = TrainingSettings(max_epochs=10, lr=0.01, collapse_patience=2, warmup_ratio=0)
    _, epochs = run(settings, lambda model: scores(1 / 7, loss=next(losses), classes=1))
    assert [next(epochs).number for _ in range(5)] == [1, 2, 3, 4, 5]
    with pytest.raises(Collapsed):
        next(epochs)


def test_one_class_while_the_loss_hardly_falls_is_a_collapse():
    losses = (2.0 - 1e-6 * epoch for epoch in range(60))
    _, epochs = run(TrainingSettings(collapse_patience=3), lambda model: scores(0.14, next(losses), 1))
    with pytest.raises(Collapsed, match="for 3 epochs every dev utterance got the same label"):
        list(epochs)


def test_one_class_in_single_epochs_is_no_collapse():
    classes = iter([1, 7, 1, 7, 1])
    _, epochs = run(
        TrainingSettings(max_epochs=5, lr=0.01, collapse_patience=2), lambda model: scores(classes=next(classes))
    )
    assert len(list(epochs)) == 5


def trained(sizes, accumulation, count=12, max_grad_norm=None):
    """The weights after one epoch over the same utterances in batches of these sizes."""
    inputs = torch.arange(5.0 * count).reshape(count, 5) / (5 * count)
    targets = torch.eye(NUM_CLASSES)[torch.arange(count) % 3]
    model = Linear()
    model.net[0].p = 0.0
    chunks = [{"inputs": i, "targets": t} for i, t in zip(inputs.split(sizes), targets.split(sizes), strict=True)]
    settings = TrainingSettings(
        max_epochs=1,
        lr=0.1,
        schedule="constant",
        warmup_ratio=0,
        gradient_accumulation_steps=accumulation,
        max_grad_norm=max_grad_norm,
    )
    next(fit(model, lambda _: chunks, len(chunks), lambda _: scores(), settings, new_accelerator("cpu", "float32")))
    return model.net[1].weight


def test_accumulated_batches_take_the_step_of_one_larger_batch():
    larger, accumulated = trained([8], 1, 8, max_grad_norm=1.0), trained([2, 2, 2, 2], 4, 8, max_grad_norm=1.0)
    assert torch.allclose(larger, accumulated, atol=1e-6)


def test_the_last_accumulated_batches_of_an_epoch_take_a_full_step():
    assert torch.allclose(trained([4, 4, 4], 2), trained([8, 4], 1), atol=1e-6)


def test_averaged_weights_are_scored_and_saved():
    model = Linear()
    start = model.net[1].weight.detach().clone()
    settings = TrainingSettings(max_epochs=1, lr=0.1, ema_decay=0.9, warmup_ratio=0)
    seen = []
    _, epochs = run(settings, lambda scored: seen.append(scored) or scores(), model)
    epoch = next(epochs)
    assert seen == [epoch.model]
    moved, averaged = (model.net[1].weight - start).norm(), (epoch.model.net[1].weight - start).norm()
    assert 0 < averaged < moved
    assert "average" in epoch.state


def test_a_group_learns_at_its_scale_of_the_learning_rate():
    model = Linear()
    start = model.net[1].weight.detach().clone()
    groups = [{"params": [model.net[1].weight], "lr_scale": 0.0}, {"params": [model.net[1].bias]}]
    settings = TrainingSettings(max_epochs=1, lr=0.1, weight_decay=0)
    bias = model.net[1].bias.detach().clone()
    accelerator = new_accelerator("cpu", "float32")
    next(fit(model, batches, STEPS, lambda _: scores(), settings, accelerator, groups=groups))
    assert torch.equal(model.net[1].weight, start)
    assert not torch.equal(model.net[1].bias, bias)


def test_a_batch_that_does_not_fit_into_memory_names_the_batch_size_to_try():
    class Large(Linear):
        def forward(self, inputs):
            raise torch.OutOfMemoryError("CUDA out of memory")

    _, epochs = run(TrainingSettings(batch_size=8), model=Large())
    with pytest.raises(WorkError) as error:
        next(epochs)
    assert str(error.value) == (
        "Out of memory with a batch of 8; restart with --batch-size 4 --set training.gradient_accumulation_steps=2 "
        "(same effective batch size)."
    )


def test_a_dev_split_that_does_not_fit_into_memory_is_reported_too():
    def evaluate(model):
        raise torch.OutOfMemoryError("CUDA out of memory")

    _, epochs = run(TrainingSettings(), evaluate)
    with pytest.raises(WorkError) as error:
        next(epochs)
    assert str(error.value) == "Out of memory on dev; train a smaller model, or one with shorter windows."


def test_the_scale_of_half_precision_is_resumed():
    def last_state(num_epochs, state=None, scale=2.0**10):
        accelerator = new_accelerator("cpu", "float32")
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=STEPS + 2)
        settings = TrainingSettings(max_epochs=2, patience=None)
        epochs = fit(Linear(), batches, STEPS, lambda model: scores(), settings, accelerator, None, state)
        return [next(epochs) for _ in range(num_epochs)][-1].state

    straight, resumed = last_state(2), last_state(1, last_state(1), scale=4.0)
    assert straight["scaler"] == resumed["scaler"]
    assert straight["scaler"]["scale"] == 2.0**11  # grown once, in the second epoch
