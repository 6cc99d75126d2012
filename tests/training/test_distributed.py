"""Training in two processes takes the steps of training in one; this file is also the program that the processes run."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit import predictions, runs
from emokit.data.prepared import open_prepared
from emokit.training.distributed import SharedBatchNorm2d, local_batch, share_batch_norms
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, fit
from emokit.training.objective import CrossEntropy
from emokit.training.settings import TrainingSettings

NUM_CLASSES = 7
STEPS = 5


class Small(nn.Module):
    """(batch, 1, 6, 6) -> logits (batch, 7), through a batch normalisation that needs the statistics of the full batch."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(1, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, NUM_CLASSES)

    def forward(self, maps):
        return SequenceClassifierOutput(logits=self.head(self.norm(self.conv(maps)).relu().mean(dim=(2, 3))))


def batches(epoch):
    random = torch.Generator().manual_seed(epoch)
    for _ in range(STEPS):
        # Nine is not a multiple of two and the utterances differ much, so a mean of means would be another number.
        maps = torch.randn(9, 1, 6, 6, generator=random) * torch.arange(1, 10)[:, None, None, None]
        yield {"maps": maps, "targets": torch.eye(NUM_CLASSES)[torch.arange(9) % NUM_CLASSES]}


def train_small():
    settings = TrainingSettings(max_epochs=2, lr=0.01, max_grad_norm=0.5, gradient_accumulation_steps=2, ema_decay=0.5)
    model = Small()
    objective = CrossEntropy(settings.label_smoothing, torch.linspace(0.5, 2, NUM_CLASSES))
    scores = DevMetrics(1.0, 0.5, 0.5, 0.5, 7)
    accelerator = new_accelerator("cpu", "float32")
    epochs = list(fit(model, batches, STEPS, lambda _: scores, settings, accelerator, objective))
    averaged = {f"averaged {name}": values for name, values in epochs[-1].model.state_dict().items()}
    return {**model.state_dict(), **averaged, "losses": torch.tensor([epoch.train_loss for epoch in epochs])}


def run_in_two(*command):
    """Run a command as two connected processes, as `accelerate launch` and `torchrun` start them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = str(Path(__file__).parents[2])
    both = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "PYTHONPATH": home}
    processes = [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env={**both, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for rank in (0, 1)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors.decode()


@pytest.fixture(scope="module")
def two_results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    run_in_two(__file__, folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.end_to_end
def test_an_acrnn_trained_by_two_processes_predicts_what_one_trained_by_one_predicts(
    small_prepared, small_settings, tmp_path
):
    small_settings["model"]["dropout"] = 0.0  # it differs between the processes
    small_settings["training"] |= {"max_epochs": 2, "ema_decay": 0.9}
    small = tmp_path / "small.yaml"
    small.write_text(yaml.safe_dump(small_settings))
    command = ("-m", "emokit", "train", "audio", small, "--data", small_prepared, "--run", tmp_path / "two")
    run_in_two(*command, "--device", "cpu", "--precision", "float32")

    from emokit.modality.registry import modality  # not above: the processes that run this file do not need it

    audio = modality("audio")
    settings = audio.settings().make(small_settings)
    audio.train(settings, open_prepared(small_prepared), tmp_path / "single", device="cpu", precision="float32")
    logs = [runs.read_log(tmp_path / run) for run in ("single", "two")]
    for single_epoch, epoch in zip(*logs, strict=True):
        assert epoch["train_loss"] == pytest.approx(single_epoch["train_loss"], abs=1e-4)
        assert epoch["dev_loss"] == pytest.approx(single_epoch["dev_loss"], abs=1e-4)
    single, two = (predictions.read(tmp_path / run / "predictions" / "test.parquet") for run in ("single", "two"))
    assert two.probabilities == pytest.approx(single.probabilities, abs=1e-4)


def test_two_processes_take_the_steps_of_one(two_results):
    single = train_small()
    for name, values in two_results[0].items():
        assert torch.allclose(values, single[name].to(values.dtype), atol=2e-5), name


def test_batch_normalisation_keeps_the_parameters_that_an_optimiser_may_hold():
    model = Small()
    held = list(model.parameters())
    share_batch_norms(model)
    assert [id(parameter) for parameter in model.parameters()] == [id(parameter) for parameter in held]
    assert type(model.norm) is SharedBatchNorm2d


def test_both_processes_have_the_same_weights(two_results):
    first, second = two_results
    for name, values in first.items():
        assert torch.equal(values, second[name]), name


def test_local_batches_divide_a_batch_and_their_weights_give_the_mean_over_utterances():
    values = torch.arange(10.0)
    local = [
        local_batch({"values": values, "targets": values}, SimpleNamespace(num_processes=4, process_index=rank))
        for rank in range(4)
    ]
    assert torch.equal(torch.cat([batch["values"] for batch, _ in local]), values)
    mean = sum(batch["values"].mean() * weight for batch, weight in local) / 4
    assert mean == pytest.approx(4.5)


def test_of_two_processes_with_one_utterance_one_has_weight_zero():
    batch, weight = local_batch({"targets": torch.ones(1)}, SimpleNamespace(num_processes=2, process_index=0))
    assert (len(batch["targets"]), weight) == (1, 0.0)


if __name__ == "__main__":
    torch.save(train_small(), Path(sys.argv[1]) / f"{os.environ['RANK']}.pt")
    torch.distributed.barrier()
    # Exit without clean-up: threads of gloo may still hold Python objects, which would abort the process.
    os._exit(0)
