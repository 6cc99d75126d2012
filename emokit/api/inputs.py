"""What a Python user gives to `Model.predict`, as inputs of a predictor: one input or several, in memory or on disk.

Audio in memory is written into a temporary file and read like every other file, so that it is checked, repaired and resampled in
one place.
"""

import difflib
import io
import numbers
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from emokit.errors import DataError, EmokitError, UsageError
from emokit.modality.predictor import Input, Predictor

if TYPE_CHECKING:
    import pandas

Given = Input | Path | str | EmokitError
"""An input, or why it is none."""

EXPECTED = "a path, bytes, (array, sample_rate), a sentence or a dictionary with path and text"
KEYS = ("path", "text")
TO_TRANSCRIBE = "text, load the model with transcribe=MODEL,"
LARGEST_RATE = 2**31 - 1  # that a WAV file can state here; which rates are plausible is decided where it is read
# Types of samples -> how they are stored; all others are stored as float32.
SUBTYPES = {"int16": "PCM_16", "int32": "PCM_32"}


def is_frame(value: Any) -> "TypeGuard[pandas.DataFrame]":
    """Whether it is a data frame of pandas, which is not imported for the answer."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_several(value: Any) -> TypeGuard[Iterable[Any]]:
    """Whether a value is several inputs: anything that can be iterated, but no single input that can be."""
    if isinstance(value, str | bytes | bytearray | memoryview | Mapping | Path | Input | io.IOBase) or _is_pair(value):
        return False
    if _is_array(value):
        return value.ndim == 1 and value.dtype.kind in "OUT"  # of paths or sentences
    return isinstance(value, Iterable)


def read_frame(frame: "pandas.DataFrame", predictor: Predictor, folder: Path) -> list[Given]:
    """The inputs of the rows of a data frame: of its columns `path` and `text`, those that the model reads.

    Args:
        frame: other columns are ignored.
        predictor: of the model.
        folder: for temporary files.

    Raises:
        UsageError: it has none of the columns; names the nearest one.
    """
    readable = {"path": Input("", path=Path("a")), "text": Input("", text="a")}
    wanted = [column for column, sample in readable.items() if predictor.accepts(sample)]
    columns = [column for column in wanted if column in frame.columns]
    if not columns:
        names = [str(column) for column in frame.columns]
        by_name = {name.lower(): name for name in reversed(names)}
        close = [match for column in wanted for match in difflib.get_close_matches(column, by_name, n=1)]
        near = f"{by_name[close[0]]!r}" if close else "'…'"
        raise UsageError(
            f"The data frame has the columns {', '.join(names)} and no column {' or '.join(wanted)}; "
            f"rename the one that holds it with frame.rename(columns={{{near}: {wanted[0]!r}}})."
        )
    for column in columns:
        if list(frame.columns).count(column) > 1 or getattr(frame[column], "ndim", 1) > 1:
            raise UsageError(f"The data frame has several columns {column}; keep one of them.")
    rows = zip(*(frame[column] for column in columns), strict=True)
    return [
        read_input(dict(zip(columns, row, strict=True)), f"Row {label} of the data frame", folder)
        for label, row in zip(frame.index, rows, strict=True)
    ]


def read_input(value: Any, name: str, folder: Path) -> Given:
    """One input, or why it is none.

    Args:
        value: as the user gave it.
        name: for its results and errors.
        folder: for temporary files.
    """
    if isinstance(value, str | Input):
        return value
    try:
        if isinstance(value, Mapping):
            return _of_mapping(value, name, folder)
        return Path(value) if _is_path(value) else Input(name, path=_recording(value, name, folder))
    except EmokitError as error:
        return error


def checked(given: Given, predictor: Predictor) -> Given:
    """An input that the model accepts; else an error that says what it lacks."""
    if isinstance(given, str) and _is_sentence_and_file(given, predictor):
        return UsageError(f"{given} is a file, and a str is a sentence for this model; give pathlib.Path({given!r}).")
    if not isinstance(given, Input) or predictor.accepts(given):
        return given
    has, lacks, to_add = ("text", "recording", "path") if given.path is None else ("recording", "text", TO_TRANSCRIBE)
    return DataError(
        f"{given.name} has a {has} and no {lacks}, which the model reads; add its {to_add} or leave it out."
    )


def _is_sentence_and_file(given: str, predictor: Predictor) -> bool:
    """Whether a model would read the name of a file as a sentence; with a recogniser, it transcribes the file."""
    reads_text = predictor.accepts(Input("", text=given)) and not predictor.accepts(Input("", path=Path("a")))
    return reads_text and os.path.isfile(given)  # noqa: PTH113  Path.is_file raises an error for a long sentence


def _of_mapping(value: Mapping[Any, Any], name: str, folder: Path) -> Input | EmokitError:
    if unknown := [key for key in value if key not in KEYS]:
        raise UsageError(f"{name} has the key {unknown[0]!r} where path and text were expected; leave it out.")
    path, text = (None if _is_missing(value.get(key)) else value.get(key) for key in KEYS)
    if path is None and text is None:
        raise DataError(f"{name} has neither a path nor a text; add one or leave it out.")
    if text is not None and not isinstance(text, str):
        raise UsageError(f"{name} has the text {text!r} where a sentence was expected; give a str.")
    if path is None:
        return Input(name, text=text)
    if _is_path(path):
        return Input(str(path), Path(path), text)
    return Input(name, _recording(path, name, folder), text)


def _recording(value: Any, name: str, folder: Path) -> Path:
    """A file of audio that is in memory; its format is detected from its content."""
    if _is_pair(value):
        array, sample_rate = value
        content = _wav(array, sample_rate, name)
    elif isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
    elif _is_array(value):
        raise UsageError(f"{name} is an array without its sample rate; give (array, sample_rate).")
    else:
        kind = type(value).__name__
        article = "an" if kind[0].lower() in "aeiou" else "a"
        raise UsageError(f"{name} is {article} {kind} where {EXPECTED} was expected; give one of these.")
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(content)
    return Path(file.name)


def _wav(array: Any, sample_rate: Any, name: str) -> bytes:
    """A waveform (samples,) as a wav file.

    Raises:
        UsageError: it has another shape or type, or its sample rate is no number.
        DataError: it has samples that are not finite.
    """
    import numpy
    import soundfile

    if not _is_array(array):
        raise UsageError(f"{name} has the sample rate first; give (array, sample_rate).")
    try:
        waveform: numpy.ndarray = numpy.asarray(array)
    except (TypeError, RuntimeError) as error:  # a tensor on a GPU, with a gradient, or of a type that numpy lacks
        raise UsageError(
            f"{name} is no array of numpy ({error}); give array.detach().float().cpu().numpy()."
        ) from error
    if numpy.ma.is_masked(array):
        raise UsageError(f"{name} is a masked array, whose mask would be lost; fill it with array.filled(0).")
    if waveform.ndim != 1:
        raise UsageError(
            f"{name} has the shape {waveform.shape} where (samples,) was expected; average its channels first."
        )
    if waveform.dtype.kind != "f" and waveform.dtype.name not in SUBTYPES:
        raise UsageError(
            f"{name} has samples of {waveform.dtype} where float32, int16 or int32 was expected; scale them to -1..1 as float32."
        )
    is_whole = isinstance(sample_rate, numbers.Real) and not isinstance(sample_rate, bool) and sample_rate % 1 == 0
    if not is_whole or not 0 < sample_rate <= LARGEST_RATE:
        raise UsageError(
            f"{name} has the sample rate {sample_rate!r} where a whole number in Hz was expected; correct it."
        )
    if wrong := int((~numpy.isfinite(waveform)).sum()):
        samples = "sample that is no finite number" if wrong == 1 else "samples that are no finite numbers"
        raise DataError(f"{name} has {wrong} {samples}; repair the waveform or leave it out.")
    subtype = SUBTYPES.get(waveform.dtype.name, "FLOAT")
    samples_stored = waveform.astype(numpy.float32) if subtype == "FLOAT" else waveform
    content = io.BytesIO()
    soundfile.write(content, samples_stored, int(sample_rate), subtype, format="WAV")
    return content.getvalue()


def _is_pair(value: Any) -> bool:
    """Whether it is an array and a number in either order, as a tuple: of lists, it might be several inputs."""
    return (
        isinstance(value, tuple) and len(value) == 2 and any(map(_is_array, value)) and not all(map(_is_array, value))
    )


def _is_array(value: Any) -> bool:
    """Whether it is an array of numpy, torch or anything that numpy converts, but no series or frame of pandas."""
    return hasattr(value, "__array__") and hasattr(value, "ndim") and value.ndim > 0 and not hasattr(value, "iloc")


def _is_path(value: Any) -> bool:
    return isinstance(value, str) or hasattr(value, "__fspath__")


def _is_missing(value: Any) -> bool:
    """Whether it is None or pandas's or numpy's missing value."""
    return value is None or (not isinstance(value, str) and not _is_array(value) and _differs_from_itself(value))


def _differs_from_itself(value: Any) -> bool:
    try:
        return bool(value != value)
    except TypeError:  # pandas.NA has no truth
        return True
