"""The audio files that a command line names: files, folders of them, standard input."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emokit.data.sources.scan import files
from emokit.data.sources.tree import Skipped
from emokit.errors import DataError, UsageError
from emokit.files import explained_disk_errors, kind_of, not_a
from emokit.modality.arguments import STDIN, check_names, standard_input
from emokit.modality.predictor import Input
from emokit.modality.transcribing import STDIN_NAME
from emokit.names import escaped

MOST_NAMES = 20
MOST_BYTES = 2**32  # the largest WAV file; the limit of its seconds applies when it is read
PIECE_BYTES = 2**20


@contextmanager
def audio_inputs(names: Sequence[str], skipped: list[Skipped] | None = None) -> Iterator[list[Input]]:
    """The files named, and every audio file below the folders named, in alphabetical order; `-` is standard input.

    Args:
        names: of files and folders.
        skipped: what else lies in the folders is added to this list, with the reason.

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
                inputs += [Input(escaped(str(path)), path) for path in find_recordings([Path(name)], skipped)]
                continue
            # Decoders detect the format from the content, and some of them seek in it.
            path = Path(folder) / "audio"
            _write_stdin(path)
            inputs.append(Input(STDIN, path))
        yield inputs


def _write_stdin(path: Path) -> None:
    """Copy standard input piece by piece, and no more of it than a recording can have: it need not end."""
    size = 0
    with explained_disk_errors(path), path.open("wb") as file:
        while piece := standard_input().read(PIECE_BYTES):
            size += len(piece)
            if size > MOST_BYTES:
                raise DataError(
                    f"{STDIN_NAME} has more than {MOST_BYTES // 2**30} GiB, the most that a recording can have; "
                    "pipe one recording to -, or save it as a file and name that."
                )
            file.write(piece)


def find_recordings(paths: Sequence[Path], skipped: list[Skipped] | None = None) -> list[Path]:
    """The files named, and every audio file below the folders named, in alphabetical order.

    Args:
        paths: files and folders.
        skipped: what else lies in the folders is added to this list, with the reason.

    Raises:
        DataError: a path does not exist or may not be looked at, or a folder holds no audio file.
    """
    recordings: list[Path] = []
    for path in paths:
        if kind_of(path) not in ("file", "folder"):
            raise DataError(f"{path} {not_a('file', path)}; name an audio file or a folder of them.")
        others: list[Skipped] = []
        inside = [path / inner for inner in files(path, skipped=others)] if path.is_dir() else [path]
        others = [Skipped(str(path / other.path), other.reason) for other in others]
        if not inside:
            why = f" ({skipped_note(others)})" if others else ""
            raise DataError(f"{path} holds no audio file{why}; name another folder.")
        recordings += inside
        if skipped is not None:
            skipped += others
    return recordings


def skipped_note(skipped: Sequence[Skipped]) -> str | None:
    """A line that counts and names what was skipped, by reason; None where nothing was."""
    if not skipped:
        return None
    reasons: dict[str, list[str]] = {}
    for item in sorted(skipped, key=lambda item: item.path):
        reasons.setdefault(item.reason, []).append(escaped(item.path))
    parts = [
        f"{len(names)} {reason} ({', '.join(names[:MOST_NAMES])}{', …' if len(names) > MOST_NAMES else ''})"
        for reason, names in reasons.items()
    ]
    return f"skipped {len(skipped)} in folders: {'; '.join(parts)}"
