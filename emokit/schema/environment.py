"""`environment.json`: what is needed, besides the settings, to make a run again."""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from emokit.files import absolute
from emokit.runtime import VERSION, git_revision, installed, num_processors
from emokit.safe_text import mask_secrets
from emokit.schema.base import Schema, Whole

PACKAGES = ("torch", "torchaudio", "transformers", "accelerate", "numpy", "scipy", "scikit-learn", "librosa", "soxr")


class Environment(Schema):
    """The surroundings of a run.

    Attributes:
        command: the command line, without passwords.
        started: when, in ISO 8601.
        data: the prepared folder.
        data_fingerprint: of the prepared folder.
        folds: the policy of a cross-validation.
        emokit: its version.
        packages: package -> its version; None where it is not installed.
        git_revision: of a checkout of emokit.
    """

    command: list[str] = Field(default_factory=list)
    started: str = ""
    seed: Whole | None = None
    device: str = ""
    data: str | None = None
    data_fingerprint: str = ""
    folds: str | None = None
    emokit: str = ""
    python: str = ""
    platform: str = ""
    threads: str = ""
    packages: dict[str, str | None] = Field(default_factory=dict)
    git_revision: str | None = None


def environment(
    *, seed: int, device: str, data: Path | None = None, fingerprint: str, folds: str | None = None
) -> dict[str, Any]:
    """The content of `environment.json`: what is needed, besides the settings, to make a run again."""
    return {
        "command": [mask_secrets(argument) for argument in sys.argv],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "device": device,
        "data": str(absolute(data)) if data else None,
        "data_fingerprint": fingerprint,
        "folds": folds,
        "emokit": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": os.environ.get("OMP_NUM_THREADS") or str(num_processors()),
        "packages": {name: installed(name) for name in PACKAGES},
        "git_revision": git_revision(),
    }
