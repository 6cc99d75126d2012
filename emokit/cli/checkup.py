"""The checks of `emokit doctor`."""

import importlib.metadata
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from emokit import runtime
from emokit.data.catalogue import plugin_corpora, read_catalogue
from emokit.data.splits.policies import policies_of
from emokit.files import not_a

COMMAND = "emokit.cli.app:main"  # what the command `emokit` of this project runs


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    check: str
    result: str
    is_broken: bool = False


def check_all(datasets: Path | None) -> list[Finding]:
    """Run all checks; a failed one does not stop the others."""
    pair = check_pair(runtime.installed("torch"), runtime.installed("torchaudio"))
    findings = [check_python(), pair]
    findings += [] if pair.is_broken else check_devices()
    return [
        *findings,
        *check_name(),
        check_codecs(),
        check_disk(Path.cwd()),
        *check_corpora(datasets),
        *check_plugins(datasets),
    ]


def check_python() -> Finding:
    """The Python version must be supported."""
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", version if fits else f"{version}; install Python 3.11, 3.12 or 3.13", not fits)


def check_name() -> list[Finding]:
    """Another project is called emokit at the package registry; installed, its files lie among those of this one."""
    try:
        other = importlib.metadata.distribution("emokit")
    except importlib.metadata.PackageNotFoundError:
        return []
    if any(command.value == COMMAND for command in other.entry_points):
        return []  # this project, installed before its distribution was named emokit-toolkit
    remedy = (
        "remove it with `pip uninstall emokit`, and install emokit-toolkit again from its clone with `pip install .`"
    )
    return [
        Finding(
            "name",
            f"another package named emokit ({other.version}) is installed and mixed with this one; {remedy}",
            True,
        )
    ]


def check_pair(torch_version: str | None, torchaudio_version: str | None) -> Finding:
    """The versions of torch and torchaudio must match."""
    wrong = runtime.mismatch(torch_version, torchaudio_version)
    return Finding(
        "torch and torchaudio", wrong or f"torch {torch_version}, torchaudio {torchaudio_version}", wrong is not None
    )


def check_devices() -> list[Finding]:
    """Devices, and the precision chosen for them."""
    try:
        import torch
        import torchaudio  # noqa: F401  transformers imports it, and fails if it fails
    except (ImportError, OSError) as error:
        return [
            Finding(
                "devices", f"torch or torchaudio cannot be loaded ({error}); install {runtime.MATCHING_TORCH}", True
            )
        ]
    from emokit.training.hardware import choose_precision

    devices = [f"CPU, {torch.get_num_threads()} threads"]
    if torch.cuda.is_available():
        devices += [
            f"CUDA {torch.cuda.get_device_name(i)}, {torch.cuda.get_device_properties(i).total_memory / 2**30:.0f} GiB"
            for i in range(torch.cuda.device_count())
        ]
    if torch.backends.mps.is_available():
        devices.append("MPS")
    chosen = runtime.choose_device()
    return [
        Finding("devices", "; ".join(devices)),
        Finding("chosen by --device auto", str(chosen)),
        Finding("chosen by --precision auto", choose_precision("auto", chosen)),
    ]


def check_codecs() -> Finding:
    """The audio formats that can be read."""
    try:
        import av
        import soundfile
    except (ImportError, OSError) as error:
        return Finding("codecs", f"soundfile or PyAV cannot be loaded ({error}); install soundfile and av again", True)
    decoders = {"aac", "mp3", "h264"} & set(av.codecs_available)
    formats = {"WAV", "FLAC", "AIFF", "OGG"} & set(soundfile.available_formats())
    return Finding("codecs", f"soundfile: {', '.join(sorted(formats))}; PyAV: {', '.join(sorted(decoders))}")


def check_disk(folder: Path) -> Finding:
    """The features of all eight speech corpora take about two gigabytes."""
    free = shutil.disk_usage(folder).free / 2**30
    scarce = free < 2
    return Finding(
        "disk", f"{free:.1f} GiB free here" + ("; free some, features and runs need 2 GiB" if scarce else ""), scarce
    )


def check_plugins(datasets: Path | None) -> list[Finding]:
    """The plug-ins with corpora, each imported."""
    corpora, unusable = plugin_corpora(datasets)
    usable = [Finding(f"plug-in {corpus.name}", corpus.title) for corpus in corpora]
    return [*usable, *(Finding(f"plug-in {name}", sentence, True) for name, sentence in unusable.items())]


def check_corpora(datasets: Path | None) -> list[Finding]:
    """The corpora with a root in the catalogue, and whether it exists."""
    findings = []
    unset = []
    for name, corpus in read_catalogue(datasets).items():
        supported = policies_of(corpus)
        if corpus.split not in supported and not corpus.split.lower().endswith(".csv"):
            sentence = (
                f"split {corpus.split} is unknown; choose one of {', '.join(supported)} in your file for --datasets"
            )
            findings.append(Finding(f"corpus {name}", sentence, True))
        elif corpus.root is None:
            unset.append(name)
        elif corpus.root.is_dir():
            findings.append(Finding(f"corpus {name}", str(corpus.root)))
        else:
            findings.append(
                Finding(
                    f"corpus {name}",
                    f"{corpus.root} {not_a('folder', corpus.root)}; correct its root in your file for --datasets",
                    True,
                )
            )
    if unset:
        findings.append(
            Finding(
                "corpora without a root",
                f"{', '.join(unset)}; use `emokit prepare` with --root NAME=DIR, or write a file for --datasets",
            )
        )
    return findings
