"""Devices, seeds, processors, and the pairs of torch and torchaudio versions that are incompatible."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from emokit.errors import UsageError
from emokit.runtime import (
    QUIET,
    check_workers,
    choose_device,
    derived_seed,
    installed,
    mismatch,
    num_processors,
    quietened,
    seed_everything,
)


@pytest.mark.parametrize(
    ("torch_version", "torchaudio_version"),
    [
        ("2.12.1", "2.11.0"),
        ("2.13.0", "2.11.0"),
        ("2.12.1+cu130", "2.11.0"),
        ("2.12.1", "2.11.0+cu130"),
        ("2.12.0+cpu", "2.11.0+cpu"),
        ("2.12.0+cu128", "2.11.0+cu128"),
    ],
)
def test_a_compatible_pair_has_no_fault(torch_version: str, torchaudio_version: str) -> None:
    assert mismatch(torch_version, torchaudio_version) is None


@pytest.mark.parametrize(
    ("torch_version", "torchaudio_version", "fault"),
    [
        (None, None, "torch is not installed"),
        (None, "2.11.0", "torch is not installed"),
        ("2.12.1", None, "torchaudio is not installed"),
        ("2.12.1+cpu", "2.11.0", "torch 2.12.1+cpu is a CPU-only build, which torchaudio 2.11.0 cannot load"),
        ("2.14.0", "2.11.0", "torch 2.14.0 and torchaudio 2.11.0 do not fit together"),
        ("2.14.0+cu130", "2.11.0", "torch 2.14.0+cu130 and torchaudio 2.11.0 do not fit together"),
        ("2.9.1", "2.11.0", "torch 2.9.1 and torchaudio 2.11.0 do not fit together"),
        ("2.12.1", "2.8.0", "torch 2.12.1 and torchaudio 2.8.0 do not fit together"),
        ("3.0.0", "2.11.0", "torch 3.0.0 and torchaudio 2.11.0 do not fit together"),
        # torchaudio compares the CUDA versions of both when it is imported.
        ("2.12.1+cu126", "2.11.0", "torch 2.12.1+cu126 and torchaudio 2.11.0 do not fit together"),
        ("2.14.0+cpu", "2.11.0+cpu", "torch 2.14.0+cpu and torchaudio 2.11.0+cpu do not fit together"),
    ],
)
def test_an_incompatible_pair_is_named_with_what_to_install(
    torch_version: str | None, torchaudio_version: str | None, fault: str
) -> None:
    assert mismatch(torch_version, torchaudio_version) == f"{fault}; install torch==2.12.1 torchaudio==2.11.0."


def test_the_best_device_is_chosen() -> None:
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device().type == best
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cpu:x", "cuda:1", "xpu"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_device(name)
    assert str(caught.value) == f"--device {name} is unknown; choose one of auto, cuda, mps, cpu."


@pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="this machine has another device"
)
@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_the_machine_lacks_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_device(name)
    assert str(caught.value) == (f"--device {name} was asked for and this machine has only cpu; use --device auto.")


def test_the_same_seed_gives_the_same_numbers_everywhere() -> None:
    def draw(seed: int) -> tuple[float, float, float]:
        seed_everything(seed)
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    assert draw(2**32 - 1) == draw(2**32 - 1)
    assert all(first != second for first, second in zip(draw(0), draw(1), strict=True))


def test_derived_seeds_depend_on_the_seed_and_the_numbers_only() -> None:
    expected = int(np.random.SeedSequence([3, 5]).generate_state(1)[0])
    seed_everything(0)
    assert derived_seed(3, 5) == expected
    assert len({derived_seed(seed, number) for seed in range(10) for number in range(10)}) == 100


def test_the_processors_are_those_that_the_process_may_use() -> None:
    assert 1 <= num_processors() <= (os.cpu_count() or 1)


def test_fewer_than_one_worker_are_refused() -> None:
    check_workers(None)
    check_workers(1)
    for workers in ("2", 1.5, True):
        with pytest.raises(UsageError) as error:
            check_workers(workers)
        assert str(error.value) == f"--workers {workers!r} is no whole number; give one from 1 to 1024."
    for workers in (0, -1):
        with pytest.raises(UsageError) as caught:
            check_workers(workers)
        assert (
            str(caught.value)
            == f"--workers {workers} was given where 1 to 1024 was expected; name one of these numbers, or leave it out."
        )


def test_versions_are_read_without_importing() -> None:
    assert installed("numpy") == np.__version__
    assert installed("no-such-package-of-emokit") is None


@pytest.mark.parametrize("has_bars", [True, False])
def test_transformers_is_silent_inside_of_a_block_and_afterwards_as_before(has_bars):
    from transformers.utils import logging

    before, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    try:
        (logging.enable_progress_bar if has_bars else logging.disable_progress_bar)()
        logging.set_verbosity_info()
        with quietened():
            assert (logging.is_progress_bar_enabled(), logging.get_verbosity()) == (False, logging.ERROR)
        assert (logging.is_progress_bar_enabled(), logging.get_verbosity()) == (has_bars, logging.INFO)
    finally:
        (logging.enable_progress_bar if before else logging.disable_progress_bar)()
        logging.set_verbosity(verbosity)


def test_commands_import_transformers_silent():
    code = (
        "import sys; from emokit.runtime import quiet_libraries; quiet_libraries(); assert 'transformers' not in sys.modules;"
        "from transformers.utils import logging; print(logging.is_progress_bar_enabled(), logging.get_verbosity())"
    )
    unset = {name: value for name, value in os.environ.items() if name not in QUIET}
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unset)
    assert printed.stdout == "False 40\n"
