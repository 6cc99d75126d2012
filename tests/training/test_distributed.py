"""A training in two processes takes the steps of a training in one; this file is also what the processes run."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit import predictions, runs
from emokit.data.prepared import open_prepared
from emokit.labels import NUM_LABELS
from emokit.training.distributed import SharedBatchNorm2d, own_share, share_batch_norms
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, fit
from emokit.training.settings import TrainingSettings

STEPS = 5


class Small(nn.Module):
    """(batch, 1, 6, 6) -> logits (batch, 7), through a batch normalisation that sees the whole batch or goes astray."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(1, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, NUM_LABELS)

    def forward(self, maps):
        return SequenceClassifierOutput(logits=self.head(self.norm(self.conv(maps)).relu().mean(dim=(2, 3))))


def batches(epoch):
    random = torch.Generator().manual_seed(epoch)
    for _ in range(STEPS):
        # Nine is no multiple of two, and the utterances are far from alike: a mean of means would be another number.
        maps = torch.randn(9, 1, 6, 6, generator=random) * torch.arange(1, 10)[:, None, None, None]
        yield {"maps": maps, "targets": torch.eye(NUM_LABELS)[torch.arange(9) % NUM_LABELS]}


def train_small():
    recipe = TrainingSettings(max_epochs=2, lr=0.01, max_grad_norm=0.5, gradient_accumulation_steps=2, ema_decay=0.5)
    model = Small()
    weights = torch.linspace(0.5, 2, NUM_LABELS)
    scores = DevMetrics(1.0, 0.5, 0.5, 0.5, 7)
    epochs = list(
        fit(model, batches, STEPS, lambda _: scores, recipe, new_accelerator("cpu", "float32"), weights, None)
    )
    kept = {f"kept {name}": values for name, values in epochs[-1].model.state_dict().items()}
    return {**model.state_dict(), **kept, "losses": torch.tensor([epoch.train_loss for epoch in epochs])}


def run_in_two(*command):
    """Run a command as two processes that know of each other, as `accelerate launch` and `torchrun` start them."""
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
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said.decode()


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    run_in_two(__file__, folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.end_to_end
def test_an_acrnn_trained_by_two_processes_says_what_one_trained_by_one_says(small_prepared, small_settings, tmp_path):
    small_settings["model"]["dropout"] = 0.0  # the processes draw their own
    small_settings["training"] |= {"max_epochs": 2, "ema_decay": 0.9}
    small = tmp_path / "small.yaml"
    small.write_text(yaml.safe_dump(small_settings))
    command = (
        "-m",
        "emokit",
        "train",
        "audio",
        small,
        "--data",
        small_prepared,
        "--device",
        "cpu",
        "--precision",
        "float32",
    )
    run_in_two(*command, "--run", tmp_path / "two")
    from emokit.audio.settings import AudioSettings
    from emokit.audio.train import train  # not above: the processes that this file is run in have no use for it

    settings = AudioSettings.make(small_settings)
    train(settings, open_prepared(small_prepared), tmp_path / "one", device="cpu", precision="float32")
    logs = [runs.read_log(tmp_path / run) for run in ("one", "two")]
    for of_one, of_both in zip(*logs, strict=True):
        assert of_both["train_loss"] == pytest.approx(of_one["train_loss"], abs=1e-4)
        assert of_both["dev_loss"] == pytest.approx(of_one["dev_loss"], abs=1e-4)
    one, two = (predictions.read(tmp_path / run / "predictions" / "test.parquet") for run in ("one", "two"))
    assert two.probabilities == pytest.approx(one.probabilities, abs=1e-4)


def test_two_processes_take_the_steps_of_one(of_two):
    one = train_small()
    for name, values in of_two[0].items():
        assert torch.allclose(values, one[name].to(values.dtype), atol=2e-5), name


def test_batch_normalisation_keeps_the_parameters_that_an_optimiser_may_hold():
    model = Small()
    held = list(model.parameters())
    share_batch_norms(model)
    assert [id(parameter) for parameter in model.parameters()] == [id(parameter) for parameter in held]
    assert type(model.norm) is SharedBatchNorm2d


def test_both_processes_have_the_same_weights(of_two):
    first, second = of_two
    for name, values in first.items():
        assert torch.equal(values, second[name]), name


def test_shares_are_all_of_a_batch_and_their_weights_make_the_mean_of_utterances():
    class Of:
        num_processes = 4

        def __init__(self, rank):
            self.process_index = rank

    values = torch.arange(10.0)
    shares = [own_share({"values": values, "targets": values}, Of(rank)) for rank in range(4)]
    assert torch.equal(torch.cat([batch["values"] for batch, _ in shares]), values)
    mean = sum(batch["values"].mean() * weight for batch, weight in shares) / 4
    assert mean == pytest.approx(4.5)


def test_of_one_utterance_for_two_processes_one_counts():
    class Of:
        num_processes, process_index = 2, 0

    values = torch.ones(1)
    batch, weight = own_share({"targets": values}, Of())
    assert (len(batch["targets"]), weight) == (1, 0.0)


if __name__ == "__main__":
    torch.save(train_small(), Path(sys.argv[1]) / f"{os.environ['RANK']}.pt")
    torch.distributed.barrier()
    # Nothing is taken apart: gloo's threads may still hold an object of Python then, and the process would be aborted.
    os._exit(0)
