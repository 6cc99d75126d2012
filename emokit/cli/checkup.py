"""What `emokit doctor` looks at."""

import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from emokit import runtime
from emokit.data.catalogue import read_catalogue


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    found: str
    is_broken: bool = False


def check_all(datasets: Path | None) -> list[Finding]:
    """Look at everything; nothing that is broken keeps the rest from being looked at."""
    pair = check_pair(runtime.installed("torch"), runtime.installed("torchaudio"))
    findings = [check_python(), pair]
    findings += [] if pair.is_broken else check_devices()
    return [*findings, check_codecs(), check_disk(Path.cwd()), *check_corpora(datasets)]


def check_python() -> Finding:
    """The interpreter must be one that emokit was made for."""
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", version if fits else f"{version}; install Python 3.11, 3.12 or 3.13", not fits)


def check_pair(torch_version: str | None, torchaudio_version: str | None) -> Finding:
    """torch and torchaudio must fit together."""
    wrong = runtime.mismatch(torch_version, torchaudio_version)
    return Finding(
        "torch and torchaudio", wrong or f"torch {torch_version}, torchaudio {torchaudio_version}", wrong is not None
    )


def check_devices() -> list[Finding]:
    """What can be computed on, and with which precision."""
    try:
        import torch
        import torchaudio  # noqa: F401  transformers imports it, and fails where it does
    except (ImportError, OSError) as error:
        return [
            Finding(
                "devices", f"torch or torchaudio cannot be loaded ({error}); install {runtime.MATCHING_TORCH}", True
            )
        ]
    from emokit.training.hardware import choose_precision

    found = [f"CPU, {torch.get_num_threads()} threads"]
    if torch.cuda.is_available():
        found += [
            f"CUDA {torch.cuda.get_device_name(i)}, {torch.cuda.get_device_properties(i).total_memory / 2**30:.0f} GiB"
            for i in range(torch.cuda.device_count())
        ]
    if torch.backends.mps.is_available():
        found.append("MPS")
    chosen = runtime.choose_device()
    return [
        Finding("devices", "; ".join(found)),
        Finding("chosen by --device auto", str(chosen)),
        Finding("chosen by --precision auto", choose_precision("auto", chosen)),
    ]


def check_codecs() -> Finding:
    """What sound can be read."""
    try:
        import av
        import soundfile
    except (ImportError, OSError) as error:
        return Finding("codecs", f"soundfile or PyAV cannot be loaded ({error}); install soundfile and av again", True)
    decoders = {"aac", "mp3", "h264"} & set(av.codecs_available)
    formats = {"WAV", "FLAC", "AIFF", "OGG"} & set(soundfile.available_formats())
    return Finding("codecs", f"soundfile: {', '.join(sorted(formats))}; PyAV: {', '.join(sorted(decoders))}")


def check_disk(folder: Path) -> Finding:
    """All eight speech corpora's features take about two gigabytes."""
    free = shutil.disk_usage(folder).free / 2**30
    scarce = free < 2
    return Finding(
        "disk", f"{free:.1f} GiB free here" + ("; free some, features and runs want 2 GiB" if scarce else ""), scarce
    )


def check_corpora(datasets: Path | None) -> list[Finding]:
    """Which corpora the catalogue has a root for, and whether it is there."""
    findings = []
    unset = []
    for name, corpus in read_catalogue(datasets).items():
        if corpus.root is None:
            unset.append(name)
        elif corpus.root.is_dir():
            findings.append(Finding(f"corpus {name}", str(corpus.root)))
        else:
            findings.append(
                Finding(
                    f"corpus {name}", f"{corpus.root} is not there; mend its root in your file for --datasets", True
                )
            )
    if unset:
        findings.append(
            Finding(
                "corpora without a root",
                f"{', '.join(unset)}; give `emokit prepare` --root NAME=DIR, or write a file for --datasets",
            )
        )
    return findings
