"""Cross-entropy against torch's and by hand; the loop minimises the objective that is handed in."""

import pytest
import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, fit
from emokit.training.objective import CrossEntropy
from emokit.training.settings import TrainingSettings

NUM_CLASSES = 3
BATCH = {
    "inputs": torch.tensor([[1.0, -2.0], [0.5, 1.0], [3.0, 0.0], [-1.0, 1.0]]),
    "targets": torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0.3, 0, 0.7], [0, 0, 1.0]]),
}


class Linear(nn.Module):
    """(batch, 2) -> logits (batch, 3)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.net = nn.Linear(2, NUM_CLASSES)

    def forward(self, inputs):
        return SequenceClassifierOutput(logits=self.net(inputs))


def epochs(model, settings, objective):
    dev = DevMetrics(1.0, 0.5, 0.5, 0.5, NUM_CLASSES)
    accelerator = new_accelerator("cpu", "float32")
    return fit(model, lambda epoch: [BATCH], 1, lambda model: dev, settings, accelerator, objective)


def test_the_loss_is_cross_entropy_with_weights_and_smoothing_as_in_torch():
    model, weights = Linear(), torch.tensor([0.5, 1.0, 2.0])
    loss = CrossEntropy(0.2, weights).to(torch.device("cpu"))(model, BATCH)
    expected = nn.functional.cross_entropy(
        model(BATCH["inputs"]).logits, BATCH["targets"], weight=weights, label_smoothing=0.2
    )
    assert loss.item() == pytest.approx(expected.item())


def test_the_loss_is_the_one_computed_by_hand():
    model, weights = Linear(), torch.tensor([0.5, 1.0, 2.0])
    smoothed = 0.8 * BATCH["targets"] + 0.2 / NUM_CLASSES
    log_probabilities = model(BATCH["inputs"]).logits.log_softmax(dim=1)
    by_hand = -(smoothed * weights * log_probabilities).sum(dim=1).mean()
    assert CrossEntropy(0.2, weights)(model, BATCH).item() == pytest.approx(by_hand.item(), abs=1e-6)
    plain = -(BATCH["targets"] * log_probabilities).sum(dim=1).mean()
    assert CrossEntropy()(model, BATCH).item() == pytest.approx(plain.item(), abs=1e-6)


def test_the_loss_of_half_precision_logits_is_computed_in_float32():
    model = Linear().to(torch.bfloat16)
    batch = {"inputs": BATCH["inputs"].to(torch.bfloat16), "targets": BATCH["targets"]}
    assert CrossEntropy()(model, batch).dtype == torch.float32


def test_the_loop_reports_the_weighted_and_smoothed_loss():
    model, weights = Linear(), torch.tensor([0.5, 1.0, 2.0])
    expected = CrossEntropy(0.2, weights)(model, BATCH).item()
    settings = TrainingSettings(max_epochs=1, lr=1e-9, warmup_ratio=0)
    assert next(epochs(model, settings, CrossEntropy(0.2, weights))).train_loss == pytest.approx(expected, abs=1e-6)


def test_without_an_objective_the_loop_takes_cross_entropy_with_the_settings_smoothing():
    model = Linear()
    expected = CrossEntropy(0.3)(model, BATCH).item()
    settings = TrainingSettings(max_epochs=1, lr=1e-9, warmup_ratio=0, label_smoothing=0.3)
    assert next(epochs(model, settings, None)).train_loss == pytest.approx(expected, abs=1e-6)


class Distance:
    """The mean squared distance of the logits from 2, which needs no targets."""

    def to(self, device):
        return self

    def __call__(self, model, batch):
        return (model(inputs=batch["inputs"]).logits - 2).square().mean()


def test_the_loop_minimises_another_objective_that_is_handed_in():
    model = Linear()
    settings = TrainingSettings(max_epochs=300, lr=0.1, patience=None, collapse_patience=300, weight_decay=0)
    before = Distance()(model, BATCH).item()
    losses = [epoch.train_loss for epoch in epochs(model, settings, Distance())]
    assert losses[0] == pytest.approx(before)
    assert losses[-1] < 1e-3
    assert model.net.bias.detach().tolist() == pytest.approx([2.0] * NUM_CLASSES, abs=0.1)
