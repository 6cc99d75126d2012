"""The checks of the doctor: each failure with how to fix it, and no failure stops the others."""

import importlib.metadata
import platform
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from emokit import runtime
from emokit.cli import checkup
from emokit.cli.checkup import Finding
from emokit.errors import UsageError

INSTALL = "install torch==2.12.1 torchaudio==2.11.0."


@pytest.mark.parametrize(
    ("torch_version", "torchaudio_version", "result"),
    [
        (None, None, f"torch is not installed; {INSTALL}"),
        ("2.12.1", None, f"torchaudio is not installed; {INSTALL}"),
        (
            "2.12.1+cpu",
            "2.11.0",
            f"torch 2.12.1+cpu is a CPU-only build, which torchaudio 2.11.0 cannot load; {INSTALL}",
        ),
        ("2.14.0", "2.11.0", f"torch 2.14.0 and torchaudio 2.11.0 do not fit together; {INSTALL}"),
    ],
)
def test_a_broken_pair_is_named_with_what_to_install(
    torch_version: str | None, torchaudio_version: str | None, result: str
) -> None:
    assert checkup.check_pair(torch_version, torchaudio_version) == Finding("torch and torchaudio", result, True)


def test_a_matching_pair_is_shown() -> None:
    assert checkup.check_pair("2.12.1", "2.11.0") == Finding("torch and torchaudio", "torch 2.12.1, torchaudio 2.11.0")


def test_a_broken_pair_does_not_stop_the_other_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "installed", {"torch": "2.14.0", "torchaudio": "2.11.0"}.get)
    findings = {finding.check: finding.is_broken for finding in checkup.check_all(None)}
    assert findings == {
        "Python": False,
        "torch and torchaudio": True,
        "codecs": False,
        "disk": findings["disk"],
        "corpora without a root": False,
    }


def test_a_torch_that_cannot_be_loaded_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (finding,) = checkup.check_devices()
    assert finding == Finding(
        "devices",
        "torch or torchaudio cannot be loaded (import of torch halted; None in sys.modules); "
        "install torch==2.12.1 torchaudio==2.11.0",
        True,
    )


def test_codecs_that_cannot_be_loaded_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert checkup.check_codecs() == Finding(
        "codecs",
        "soundfile or PyAV cannot be loaded (import of soundfile halted; None in sys.modules); "
        "install soundfile and av again",
        True,
    )


def test_the_formats_of_the_corpora_can_be_read_here() -> None:
    finding = checkup.check_codecs()
    assert finding == Finding("codecs", "soundfile: AIFF, FLAC, OGG, WAV; PyAV: aac, h264, mp3")


def test_the_device_that_auto_chooses_is_among_those_listed() -> None:
    devices, chosen, precision = checkup.check_devices()
    assert devices.result.startswith("CPU, ")
    assert chosen == Finding("chosen by --device auto", str(runtime.choose_device()))
    assert chosen.result.upper() in devices.result
    assert precision.result in ("float32", "bf16", "fp16")


class Version(NamedTuple):
    """As `sys.version_info`."""

    major: int
    minor: int


@pytest.mark.parametrize(("minor", "broken"), [(10, True), (11, False), (13, False), (14, True)])
def test_an_unsupported_python_is_named(monkeypatch: pytest.MonkeyPatch, minor: int, broken: bool) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, minor))
    monkeypatch.setattr(platform, "python_version", lambda: f"3.{minor}.0")
    result = f"3.{minor}.0" + ("; install Python 3.11, 3.12 or 3.13" if broken else "")
    finding = checkup.check_python()
    monkeypatch.undo()
    assert finding == Finding("Python", result, broken)


class Usage(NamedTuple):
    """As `shutil.disk_usage` gives it, in bytes."""

    free: float


@pytest.mark.parametrize(
    ("free", "result", "broken"),
    [(2.5, "2.5 GiB free here", False), (0.5, "0.5 GiB free here; free some, features and runs need 2 GiB", True)],
)
def test_a_scarce_disk_is_reported(monkeypatch: pytest.MonkeyPatch, free: float, result: str, broken: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free * 2**30))
    assert checkup.check_disk(Path.cwd()) == Finding("disk", result, broken)


def test_corpora_are_present_or_missing_or_without_a_root(tmp_path: Path) -> None:
    (tmp_path / "emodb").mkdir()
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"emodb: {{root: {tmp_path}/emodb}}\nravdess: {{root: {tmp_path}/gone}}\n")
    assert checkup.check_corpora(mine) == [
        Finding("corpus emodb", f"{tmp_path}/emodb"),
        Finding("corpus ravdess", f"{tmp_path}/gone is not there; correct its root in your file for --datasets", True),
        Finding(
            "corpora without a root",
            "crema_d, esd, iemocap, jl_corpus, meld, msp_podcast, savee, tess, goemotions; "
            "use `emokit prepare` with --root NAME=DIR, or write a file for --datasets",
        ),
    ]


def test_a_missing_catalogue_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist; name a YAML file of settings"):
        checkup.check_all(tmp_path / "none.yaml")


class Distribution(NamedTuple):
    version: str
    entry_points: tuple[importlib.metadata.EntryPoint, ...] = ()


def test_another_package_of_that_name_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Distribution("0.0.9"))
    assert checkup.check_name() == [
        Finding(
            "name",
            "another package named emokit (0.0.9) is installed and mixed with this one; remove it with "
            "`pip uninstall emokit`, and install emokit-toolkit again from its clone with `pip install .`",
            True,
        )
    ]


def test_this_package_is_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    command = importlib.metadata.EntryPoint("emokit", "emokit.cli.app:main", "console_scripts")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Distribution("0.1.0", (command,)))
    assert checkup.check_name() == []

    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert checkup.check_name() == []


def test_an_unknown_split_policy_in_a_users_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("emodb: {split: nope}\n")
    (finding,) = [finding for finding in checkup.check_corpora(tmp_path / "my.yaml") if finding.is_broken]
    assert finding.check == "corpus emodb"
    assert finding.result.startswith("split nope is unknown; choose one of speaker, ")
    assert finding.result.endswith("leave-one-corpus-out, train, dev, test in your file for --datasets")
