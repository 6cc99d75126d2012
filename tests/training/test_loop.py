"""The loop on a model of one matrix: its schedule, its verdicts, and that going on after a stop changes nothing."""

import math

import pytest
import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.errors import WorkError
from emokit.labels import NUM_LABELS
from emokit.training.hardware import new_accelerator
from emokit.training.loop import Collapsed, DevMetrics, Progress, fit, learning_rate, parameter_groups
from emokit.training.settings import TrainingSettings

STEPS = 4


class Linear(nn.Module):
    """(batch, 5) -> logits (batch, 7), with dropout so that the random numbers matter."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.net = nn.Sequential(nn.Dropout(0.3), nn.Linear(5, NUM_LABELS))

    def forward(self, inputs):
        return SequenceClassifierOutput(logits=self.net(inputs))


def batches(epoch):
    random = torch.Generator().manual_seed(epoch)
    for _ in range(STEPS):
        inputs = torch.randn(8, 5, generator=random)
        targets = torch.eye(NUM_LABELS)[(inputs.sum(1) > 0).long()]
        yield {"inputs": inputs, "targets": targets}


def scores(uar=0.5, loss=1.0, classes=7):
    return DevMetrics(loss, uar, uar, uar, classes)


def run(settings, evaluate=lambda model: scores(), model=None, state=None):
    model = model or Linear()
    return model, fit(model, batches, STEPS, evaluate, settings, new_accelerator("cpu", "float32"), None, state)


def test_the_learning_rate_rises_over_the_warm_up_and_falls_along_a_cosine():
    settings = TrainingSettings(lr=1.0, warmup_ratio=0.2, schedule="cosine")
    rates = [learning_rate(step, 10, settings) for step in range(10)]
    assert rates[:2] == pytest.approx([1 / 3, 2 / 3])
    assert rates[2] == pytest.approx(1.0)
    assert rates[6] == pytest.approx(0.5)  # half of the eight steps after the warm-up
    assert rates[9] == pytest.approx(0.5 * (1 + math.cos(math.pi * 7 / 8)))


def test_without_a_schedule_the_learning_rate_stays_after_the_warm_up():
    settings = TrainingSettings(lr=0.3, warmup_ratio=0.5, schedule="constant")
    assert [learning_rate(step, 4, settings) for step in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.3])


def test_the_plateau_schedule_halves_the_rate_when_dev_loss_stalls():
    settings = TrainingSettings(schedule="plateau", plateau_patience=2)
    progress = Progress()
    factors = []
    for progress.epoch, loss in enumerate([1.0, 1.1, 1.2, 0.9, 0.95, 0.96, 0.97, 0.98], start=1):
        progress.take(scores(loss=loss), settings)
        factors.append(progress.plateau_factor)
    assert factors == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_the_best_epoch_is_that_of_the_highest_uar_and_then_the_lowest_loss():
    progress, settings = Progress(), TrainingSettings()
    verdicts = []
    for progress.epoch, (uar, loss) in enumerate([(0.3, 1.0), (0.3, 0.9), (0.3, 0.9), (0.2, 0.1), (0.4, 2.0)], start=1):
        verdicts.append(progress.take(scores(uar, loss), settings))
    assert verdicts == [True, True, False, False, True]
    assert progress.best_epoch == 5


def test_training_stops_when_the_patience_has_run_out():
    settings = TrainingSettings(max_epochs=20, patience=2, lr=1e-3)
    uars = iter([0.1, 0.3, 0.2, 0.2, 0.9])
    _, epochs = run(settings, lambda model: scores(next(uars)))
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]


def test_the_last_epoch_is_kept_where_dev_is_not_asked():
    uars = iter([0.9, 0.3, 0.2, 0.1])
    settings = TrainingSettings(max_epochs=4, keep="last", patience=1, lr=1e-3)
    _, epochs = run(settings, lambda model: scores(next(uars)))
    kept = list(epochs)
    assert [epoch.is_best for epoch in kept] == [True] * 4
    assert kept[-1].state["progress"]["best_epoch"] == 4


def test_training_without_patience_goes_on_to_the_last_epoch():
    _, epochs = run(TrainingSettings(max_epochs=5, patience=None, lr=1e-3))
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4, 5]


def test_training_lowers_the_loss():
    _, epochs = run(TrainingSettings(max_epochs=6, patience=None, lr=0.1, label_smoothing=0.0))
    losses = [epoch.train_loss for epoch in epochs]
    assert losses[-1] < 0.6 * losses[0]


def test_a_training_that_goes_on_after_a_stop_ends_with_the_same_weights():
    settings = TrainingSettings(max_epochs=5, lr=0.05, schedule="plateau", plateau_patience=1, patience=None)
    whole, epochs = run(settings)
    list(epochs)
    first, epochs = run(settings)
    kept = [next(epochs).state for _ in range(2)][-1]
    kept = {
        "model": {name: tensor.clone() for name, tensor in kept["model"].items()},
        "optimizer": torch.utils._pytree.tree_map(
            lambda leaf: leaf.clone() if isinstance(leaf, torch.Tensor) else leaf, kept["optimizer"]
        ),
        "progress": kept["progress"],
    }
    torch.manual_seed(99)  # another process has other random numbers behind it
    other = Linear()
    nn.init.zeros_(other.net[1].weight)
    resumed, epochs = run(settings, model=other, state=kept)
    assert [epoch.number for epoch in epochs] == [3, 4, 5]
    assert torch.equal(whole.net[1].weight, resumed.net[1].weight)
    assert not torch.equal(whole.net[1].weight, first.net[1].weight)


def test_a_training_that_was_over_yields_nothing_when_resumed():
    settings = TrainingSettings(max_epochs=2, lr=0.05)
    _, epochs = run(settings)
    *_, last = epochs
    _, again = run(settings, state=last.state)
    assert list(again) == []


def test_a_loss_that_is_not_a_number_ends_the_training_in_words():
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


def test_one_class_for_several_epochs_ends_the_training_in_words():
    settings = TrainingSettings(max_epochs=10, lr=0.5, collapse_patience=2, warmup_ratio=0.2)
    _, epochs = run(settings, lambda model: scores(1 / 7, classes=1))
    assert [next(epochs).number for _ in range(3)] == [1, 2, 3]  # the two epochs of the warm-up do not count
    with pytest.raises(Collapsed) as error:
        next(epochs)
    assert str(error.value) == (
        "The training collapsed: for 2 epochs every dev utterance got the same label and the dev loss did not fall; "
        "lower the learning rate (training.lr is 0.5) or raise training.warmup_ratio."
    )


def test_one_class_while_the_loss_still_falls_is_slow_and_no_collapse():
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


def test_one_class_now_and_then_is_no_collapse():
    classes = iter([1, 7, 1, 7, 1])
    _, epochs = run(
        TrainingSettings(max_epochs=5, lr=0.01, collapse_patience=2), lambda model: scores(classes=next(classes))
    )
    assert len(list(epochs)) == 5


def test_class_weights_and_smoothing_enter_the_loss_as_in_torch():
    model = Linear()
    weights = torch.linspace(0.5, 2.0, NUM_LABELS)
    settings = TrainingSettings(max_epochs=1, lr=1e-9, warmup_ratio=0, label_smoothing=0.2)
    torch.manual_seed(0)
    model.net[0].p = 0.0
    expected = [
        nn.functional.cross_entropy(
            model(batch["inputs"]).logits, batch["targets"], weight=weights, label_smoothing=0.2
        )
        for batch in batches(1)
    ]
    accelerator = new_accelerator("cpu", "float32")
    epoch = next(fit(model, batches, STEPS, lambda model: scores(), settings, accelerator, weights))
    assert epoch.train_loss == pytest.approx(torch.stack(expected).mean().item(), abs=1e-5)


def test_only_matrices_and_kernels_decay():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 4))
    decayed, spared = parameter_groups(model, 0.1)
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
    assert {id(p) for p in decayed["params"]} == {id(model[0].weight), id(model[2].weight)}
    assert len(spared["params"]) == 4


def test_accumulated_batches_take_the_step_of_one_larger_batch():
    def step(parts):
        model = Linear()
        model.net[0].p = 0.0
        inputs, targets = torch.arange(40.0).reshape(8, 5) / 40, torch.eye(NUM_LABELS)[torch.arange(8) % 3]
        chunks = [{"inputs": i, "targets": t} for i, t in zip(inputs.chunk(parts), targets.chunk(parts), strict=True)]
        settings = TrainingSettings(
            max_epochs=1, lr=0.1, schedule="constant", warmup_ratio=0, gradient_accumulation_steps=parts
        )
        next(fit(model, lambda _: chunks, parts, lambda _: scores(), settings, new_accelerator("cpu", "float32")))
        return model.net[1].weight

    assert torch.allclose(step(1), step(4), atol=1e-6)


def test_what_is_left_over_from_accumulating_takes_a_whole_step():
    inputs, targets = torch.arange(60.0).reshape(12, 5) / 60, torch.eye(NUM_LABELS)[torch.arange(12) % 3]

    def trained(sizes, gradient_accumulation_steps):
        model = Linear()
        model.net[0].p = 0.0
        chunks = [{"inputs": i, "targets": t} for i, t in zip(inputs.split(sizes), targets.split(sizes), strict=True)]
        settings = TrainingSettings(
            max_epochs=1,
            lr=0.1,
            schedule="constant",
            warmup_ratio=0,
            gradient_accumulation_steps=gradient_accumulation_steps,
            max_grad_norm=None,
        )
        next(fit(model, lambda _: chunks, len(chunks), lambda _: scores(), settings, new_accelerator("cpu", "float32")))
        return model.net[1].weight

    assert torch.allclose(trained([4, 4, 4], 2), trained([8, 4], 1), atol=1e-6)


def test_averaged_weights_are_what_is_scored_and_kept():
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


def test_a_group_of_its_own_learning_rate_learns_by_its_scale():
    model = Linear()
    start = model.net[1].weight.detach().clone()
    groups = [{"params": [model.net[1].weight], "lr_scale": 0.0}, {"params": [model.net[1].bias]}]
    settings = TrainingSettings(max_epochs=1, lr=0.1, weight_decay=0)
    bias = model.net[1].bias.detach().clone()
    accelerator = new_accelerator("cpu", "float32")
    next(fit(model, batches, STEPS, lambda _: scores(), settings, accelerator, groups=groups))
    assert torch.equal(model.net[1].weight, start)
    assert not torch.equal(model.net[1].bias, bias)


def test_a_full_memory_names_the_batch_size_to_try():
    class Greedy(Linear):
        def forward(self, inputs):
            raise torch.OutOfMemoryError("CUDA out of memory")

    _, epochs = run(TrainingSettings(batch_size=8), model=Greedy())
    with pytest.raises(WorkError) as error:
        next(epochs)
    assert str(error.value) == (
        "The memory is full with a batch of 8; start anew with --batch-size 4 --set training.gradient_accumulation_steps=2, "
        "which takes the same steps."
    )


def test_a_memory_that_is_full_on_dev_is_told_too():
    def evaluate(model):
        raise torch.OutOfMemoryError("CUDA out of memory")

    _, epochs = run(TrainingSettings(), evaluate)
    with pytest.raises(WorkError, match="The memory is full with dev; train a smaller model"):
        next(epochs)


def test_the_scale_of_half_precision_goes_on_after_a_stop():
    def trained(epochs, state=None, scale=2.0**10):
        accelerator = new_accelerator("cpu", "float32")
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=STEPS + 2)
        settings = TrainingSettings(max_epochs=2, patience=None)
        done = fit(Linear(), batches, STEPS, lambda model: scores(), settings, accelerator, None, state)
        return [next(done) for _ in range(epochs)][-1].state

    straight, resumed = trained(2), trained(1, trained(1), scale=4.0)
    assert straight["scaler"] == resumed["scaler"]
    assert straight["scaler"]["scale"] == 2.0**11  # grown once, in the second epoch
