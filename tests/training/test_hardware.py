"""The precision on each device, and the memory of the C library."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.errors import UsageError
from emokit.training.hardware import choose_precision, new_accelerator, num_processes

CPU = torch.device("cpu")


def test_a_named_precision_is_used():
    assert choose_precision("float32", CPU) == "float32"
    assert choose_precision("bf16", CPU) == "bf16"


def test_a_processor_without_bf16_instructions_computes_in_float32(monkeypatch):
    for check in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, check, lambda: False)
    assert choose_precision("auto", CPU) == "float32"
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert choose_precision("auto", CPU) == "bf16"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("half", "--precision half is unknown; choose one of auto, float32, bf16, fp16."),
        ("fp16", "--precision fp16 was asked for and needs CUDA, but the device is cpu; use --precision auto."),
    ],
)
def test_an_unknown_or_unsupported_precision_is_refused(name, sentence):
    with pytest.raises(UsageError) as error:
        choose_precision(name, CPU)
    assert str(error.value) == sentence


def test_a_process_can_train_in_several_precisions():
    assert new_accelerator("cpu", "bf16").mixed_precision == "bf16"
    assert new_accelerator("cpu", "float32").mixed_precision == "no"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the allocator of glibc can keep memory")
def test_on_a_cpu_memory_is_not_returned_between_steps() -> None:
    # In a new process, as the setting of the C library cannot be undone.
    count = """
import resource, torch
from emokit.training.hardware import new_accelerator
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(2**26, dtype=torch.uint8).fill_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = sum(faults() for _ in range(20))
new_accelerator("cpu", "float32")
after = sum(faults() for _ in range(20))  # the first ones allocate what later ones use again
print(before, after)
"""
    done = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert before > 20 * 32  # pages may be of two megabytes
    assert after < before / 2


@pytest.mark.parametrize("name", ["WORLD_SIZE", "RANK", "LOCAL_RANK"])
def test_a_variable_of_a_launcher_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert num_processes() == 1
    monkeypatch.setenv(name, "x")
    with pytest.raises(UsageError) as error:
        new_accelerator("cpu", "float32")
    assert str(error.value) == (f"{name} is 'x' where a number was expected, as `accelerate launch` sets it; unset it.")


@pytest.mark.parametrize("present", [(), ("RANK",), ("RANK", "MASTER_ADDR"), ("MASTER_ADDR", "MASTER_PORT")])
def test_several_processes_that_nothing_started_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, present: tuple[str, ...]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in present:
        monkeypatch.setenv(name, "1")
    missing = next(name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if name not in present)
    with pytest.raises(UsageError) as error:
        new_accelerator("cpu", "float32")
    assert str(error.value) == (
        f"WORLD_SIZE is 2 and {missing} is not set, where `accelerate launch` sets both; unset WORLD_SIZE, or start the training "
        "with `accelerate launch --num_processes 2 -m emokit`."
    )


@pytest.mark.parametrize(
    "command",
    [["train", "audio"], ["train", "audio", "--dry-run"], ["sweep", "sweep"], ["sweep", "sweep", "--dry-run"]],
)
def test_commands_that_train_refuse_it_before_they_make_a_folder(
    command: list[str], small_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    run = tmp_path / "run"
    result = CliRunner().invoke(app, [*command, "--data", str(small_prepared), "--run", str(run), "--device", "cpu"])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: WORLD_SIZE is 2 and RANK is not set, where `accelerate launch` sets both; ")
    assert not run.exists()
