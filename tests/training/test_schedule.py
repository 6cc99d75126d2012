"""Learning rates, parameter groups and moving averages, by hand."""

import math

import pytest
import torch
from torch import nn

from emokit.training.schedule import averaged_model, learning_rate, parameter_groups
from emokit.training.settings import TrainingSettings


def test_the_learning_rate_rises_during_the_warm_up_and_falls_along_a_cosine():
    settings = TrainingSettings(lr=1.0, warmup_ratio=0.2, schedule="cosine")
    rates = [learning_rate(step, 10, settings) for step in range(10)]
    assert rates[:2] == pytest.approx([1 / 3, 2 / 3])
    assert rates[2] == pytest.approx(1.0)
    assert rates[6] == pytest.approx(0.5)  # half of the eight steps after the warm-up
    assert rates[9] == pytest.approx(0.5 * (1 + math.cos(math.pi * 7 / 8)))


def test_the_linear_schedule_falls_to_zero():
    settings = TrainingSettings(lr=1.0, warmup_ratio=0, schedule="linear")
    assert [learning_rate(step, 4, settings) for step in range(5)] == pytest.approx([1, 0.75, 0.5, 0.25, 0])


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_other_schedules_are_constant_after_the_warm_up(schedule):
    settings = TrainingSettings(lr=0.3, warmup_ratio=0.5, schedule=schedule)
    assert [learning_rate(step, 4, settings) for step in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.3])


def test_only_matrices_and_kernels_decay():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 4))
    decayed, spared = parameter_groups(model, 0.1)
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
    assert {id(p) for p in decayed["params"]} == {id(model[0].weight), id(model[2].weight)}
    assert len(spared["params"]) == 4


def test_frozen_parameters_are_in_no_group():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[0].requires_grad_(False)
    groups = parameter_groups(model, 0.1)
    assert [id(p) for group in groups for p in group["params"]] == [id(model[1].weight), id(model[1].bias)]


def test_the_average_is_that_of_a_rising_decay():
    model = nn.Linear(1, 1, bias=False)
    average = averaged_model(model, 0.15)
    values, expected = [2.0, 4.0, 8.0, 1.0], None
    for step, value in enumerate(values):
        nn.init.constant_(model.weight, value)
        average.update_parameters(model)
        decay = min(0.15, (1 + step) / (10 + step))
        expected = value if expected is None else decay * expected + (1 - decay) * value
    assert average.module.weight.item() == pytest.approx(expected)


def test_the_average_includes_buffers():
    model = nn.BatchNorm1d(2)
    average = averaged_model(model, 0.5)
    for _ in range(3):
        model(torch.randn(8, 2))
        average.update_parameters(model)
    assert average.module.num_batches_tracked == 3
    assert not torch.equal(average.module.running_mean, model.running_mean)


def test_without_a_decay_there_is_no_average():
    assert averaged_model(nn.Linear(1, 1), None) is None
