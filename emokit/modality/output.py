"""The table of predicted inputs that `emokit predict --out` writes: parquet, CSV or TSV, by its ending."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emokit.delimited import is_delimited, write_table
from emokit.labels import LabelSet
from emokit.modality.predictor import Prediction


def write_inputs(predictions: Iterable[Prediction], out: Path) -> int:
    """Write what identifies each input, its label, its probabilities (float32) and its details; nothing where there are none.

    Returns:
        the number of rows.
    """
    import numpy

    listed = list(predictions)
    if not listed:
        return 0
    labels = listed[0].labels
    probabilities = numpy.array([prediction.probabilities for prediction in listed], dtype=numpy.float32)
    columns: dict[str, list[Any]] = {
        **{name: [prediction.given[name] for prediction in listed] for name in listed[0].given},
        "label": [prediction.label for prediction in listed],
        **{name: list(column) for name, column in zip(labels.columns, probabilities.T, strict=True)},
        **{name: [_cell(prediction.details[name]) for prediction in listed] for name in listed[0].details},
    }
    if is_delimited(out):
        write_table(out, list(columns), zip(*columns.values(), strict=True))
    else:
        _write_parquet(columns, labels, out)
    return len(listed)


def _write_parquet(columns: Mapping[str, Sequence[Any]], labels: LabelSet, out: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    from emokit.files import whole_file
    from emokit.predictions import metadata

    arrays = {}
    for name, values in columns.items():
        array = pyarrow.array(values)
        arrays[name] = array.cast(pyarrow.string()) if pyarrow.types.is_null(array.type) else array
    table = pyarrow.table(arrays).replace_schema_metadata(metadata(labels))
    with whole_file(out) as temporary:
        pyarrow.parquet.write_table(table, temporary.absolute())


def _cell(value: Any) -> Any:
    """A value as a cell of a table: of several, one after the other."""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value
