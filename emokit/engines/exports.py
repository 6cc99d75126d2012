"""Exports of runs to ONNX, made once and stored in the user's cache folder: a run is complete, and others may read it only.

    EMOKIT_CACHE (else XDG_CACHE_HOME/emokit, else ~/.cache/emokit)/onnx/<hash>/ model.onnx emokit.json …

The hash is of everything that decides what a run predicts: the files of its model, its settings, its labels and emokit's version.
An export was compared with the model when it was made; a stored one must still have the bytes that were compared.
"""

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from emokit.engines.by_onnx import OnnxEngine
from emokit.errors import EmokitError, UsageError, WorkError
from emokit.files import explained_disk_errors, file_hash, write_json
from emokit.read_files import in_words, read_json
from emokit.run_files import MODEL, SETTINGS
from emokit.runtime import DEVICES, VERSION, cache_folder
from emokit.temporary import remove, remove_temporary, temporary_path

ENGINES = ("auto", "torch", "onnx")
FOLDER, GRAPH, ABOUT, STORED = "onnx", "model.onnx", "emokit.json", "export.json"
PACKAGE = "onnxruntime"
GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # of NVIDIA's, AMD's and Windows' drivers

Export = Callable[[Path], object]
"""Writes the export of a run into a new folder."""


def open_engine(
    engine: str, device: str, run: Path, labels: Sequence[str], export: Export, without: str | None = None
) -> tuple[OnnxEngine | None, tuple[str, ...]]:
    """The ONNX engine of a run, or None where torch computes; and what to tell the user.

    `auto` takes a stored export where the device may be the CPU, and makes none: that takes two to three times as long as a whole
    prediction with torch (experiments/LOG.md), and would write into the user's home without having been asked to.

    Args:
        engine: auto, torch or onnx.
        device: auto, cuda, mps or cpu.
        run: the run folder.
        labels: of the run.
        export: makes the export; it raises what is wrong with the run.
        without: why a model of this kind is not exported; None where it is.

    Raises:
        UsageError: the engine or the device is unknown, or ONNX Runtime is not installed, or would have to use a GPU.
        DataError: the run is damaged.
    """
    if engine not in ENGINES:
        raise UsageError(f"--engine {engine} is unknown; choose one of {', '.join(ENGINES)}.")
    if engine == "torch":
        return None, ()
    is_installed = importlib.util.find_spec(PACKAGE) is not None
    if engine == "auto":
        usable = is_installed and not without and (device == "cpu" or (device == "auto" and not _may_have_gpu()))
        return (stored(_folder(run, labels)) if usable else None), ()
    if not is_installed:
        raise UsageError(
            f"--engine onnx was given and {PACKAGE} is not installed; install it with `pip install '.[onnx]'` in a clone of "
            "emokit, or leave --engine out."
        )
    if device not in ("auto", "cpu"):
        known = f"computes on the CPU and --device {device} was given; leave one of them out"
        unknown = f"--device {device} is unknown; choose one of {', '.join(DEVICES)}."
        raise UsageError(f"--engine onnx {known}." if device in DEVICES else unknown)
    if without:
        return None, (f"{without}; torch computes the predictions",)
    return _made(run, labels, export)


def stored(folder: Path) -> OnnxEngine | None:
    """The engine of a stored export; None where there is none, or another one than was compared with its model."""
    try:
        about = read_json(folder / ABOUT)
        if read_json(folder / STORED)["sha256"] != file_hash(folder / GRAPH):
            return None
        return OnnxEngine(folder / GRAPH, about)
    except Exception:  # absent, cut or damaged in any way: it is made again
        return None


def key_of(run: Path, labels: Sequence[str]) -> str:
    """The hash of everything that decides what a run predicts, in hexadecimal digits."""
    digest = hashlib.sha256(repr((VERSION, tuple(labels))).encode())
    files = [path for path in sorted((run / MODEL).rglob("*")) if path.is_file()]
    for path in (run / SETTINGS, *files):
        digest.update(repr((str(path.relative_to(run)), file_hash(path))).encode())
    return digest.hexdigest()


def _folder(run: Path, labels: Sequence[str]) -> Path:
    return cache_folder() / FOLDER / key_of(run, labels)


def _made(run: Path, labels: Sequence[str], export: Export) -> tuple[OnnxEngine | None, tuple[str, ...]]:
    """The stored export, or one that is made now; None and the reason where that fails and the run itself is whole."""
    folder = _folder(run, labels)
    if engine := stored(folder):
        return engine, ()
    try:
        _write(folder, export)
    except (WorkError, NotExportable) as error:
        return None, (f"{str(error).partition(';')[0].removesuffix('.')}; torch computes the predictions",)
    return stored(folder), ()


def _write(folder: Path, export: Export) -> None:
    """Make the export beside its folder, and move it there when it is whole.

    Raises:
        WorkError: it differs from the model, or the cache folder cannot be written.
        NotExportable: the exporter failed.
    """
    with explained_disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_temporary(folder.parent)
    temporary = temporary_path(folder)
    try:
        with explained_disk_errors(folder):
            try:
                export(temporary)
            except (EmokitError, OSError):
                raise
            except Exception as error:  # torch and its exporter raise many kinds
                raise NotExportable(f"The model cannot be exported to ONNX ({in_words(error)})") from error
            write_json(temporary / STORED, {"sha256": file_hash(temporary / GRAPH)})
            remove(folder)  # a damaged one
            temporary.replace(folder)
    finally:
        remove(temporary)


class NotExportable(EmokitError):
    """A model that torch's exporter or ONNX Runtime cannot take."""


def _may_have_gpu() -> bool:
    """Whether torch might find a GPU; asking it would import it."""
    return sys.platform == "darwin" or any(Path(file).exists() for file in GPU_FILES)
