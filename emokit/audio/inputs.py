"""The audio files that a command line names: files, folders of them, standard input."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emokit.data.sources.scan import files
from emokit.errors import DataError, UsageError
from emokit.files import kind_of, not_a
from emokit.modality.arguments import STDIN, check_names
from emokit.modality.predictor import Input

STDIN_NAME = "Standard input"


@contextmanager
def audio_inputs(names: Sequence[str]) -> Iterator[list[Input]]:
    """The files named, and every audio file below the folders named, in alphabetical order; `-` is standard input.

    Raises:
        UsageError: nothing was named, an empty name was given, or - twice.
        DataError: a file or folder is missing, or a folder holds no audio file.
    """
    if not names:
        raise UsageError("Name audio files or a prepared folder with --data, one of the two.")
    check_names(names, "audio files")
    with tempfile.TemporaryDirectory(prefix="emokit-") as folder:
        inputs: list[Input] = []
        for name in names:
            if name != STDIN:
                inputs += [Input(str(path), path) for path in find_recordings([Path(name)])]
                continue
            # Decoders detect the format from the content, and some of them seek in it.
            path = Path(folder) / "audio"
            path.write_bytes(sys.stdin.buffer.read())
            inputs.append(Input(STDIN, path))
        yield inputs


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """The files named, and every audio file below the folders named, in alphabetical order.

    Raises:
        DataError: a path does not exist, or a folder holds no audio file.
    """
    recordings: list[Path] = []
    for path in paths:
        if kind_of(path) not in ("file", "folder"):
            raise DataError(f"{path} {not_a('file', path)}; name an audio file or a folder of them.")
        inside = [path / inner for inner in files(path)] if path.is_dir() else [path]
        if not inside:
            raise DataError(f"{path} holds no audio file; name another folder.")
        recordings += inside
    return recordings
