"""The features of Hugging Face data sets: which of them can be used for what, and their values as cells of a table."""

import math
from collections.abc import Mapping
from typing import Any

from emokit.data.sources.own.columns import Chosen
from emokit.errors import UsageError

SHARES = "soft_label"
"""A column of shares of the labels, in the order of the names of the class label, as `emokit export` writes it."""
AUDIO, NAMES, LIST_OF_NAMES, PLAIN, LIST, NESTED = "audio", "names", "list of names", "plain", "list", "nested"
KINDS = {"path": (AUDIO, PLAIN), "label": (NAMES, LIST_OF_NAMES, PLAIN, LIST)}
"""What a column holds -> the kinds of features that it can have; PLAIN and NAMES for all others."""


def kind(feature: Any) -> str:
    """The kind of a feature of `datasets`; None, of a column of a text file, is PLAIN."""
    import datasets

    if feature is None or (isinstance(feature, datasets.Value) and "binary" not in feature.dtype):
        return PLAIN
    if isinstance(feature, datasets.ClassLabel):
        return NAMES
    is_struct = isinstance(feature, Mapping) and set(feature) == {"bytes", "path"}
    if is_struct or isinstance(feature, datasets.Audio | datasets.Value):
        return AUDIO
    inner = _inner(feature)
    return {NAMES: LIST_OF_NAMES, PLAIN: LIST}.get(kind(inner), NESTED) if inner is not None else NESTED


def only_audio(features: Mapping[str, Any]) -> str | None:
    """The one column whose feature is audio; None where there is none or several."""
    import datasets

    names = [name for name, feature in features.items() if isinstance(feature, datasets.Audio)]
    return names[0] if len(names) == 1 else None


def check_usable(chosen: Chosen, features: Mapping[str, Any], source: str) -> None:
    """Refuse columns whose values are nested, or of another kind than their use needs.

    Raises:
        UsageError: names the first of them and what is in it.
    """
    for key, name in [*(("label", name) for name in chosen.label), *chosen.others.items()]:
        feature = features.get(name)
        if kind(feature) not in KINDS.get(key, (PLAIN, NAMES)):
            other = "" if key in ("label", "path") else f", or none with --columns {key}="
            raise UsageError(
                f"{source} has {_described(feature)} in its column {name}, which cannot be used as {key}; "
                f"name another with --columns {key}=NAME{other}."
            )


def cell(value: Any, feature: Any) -> Any:
    """A value as a cell of a table: class labels by their names, in lists too; all else as it is."""
    if isinstance(value, list):
        inner = _inner(feature)
        return [cell(entry, inner) for entry in value]
    if isinstance(value, int) and (names := _class_names(feature)):
        return names[value] if 0 <= value < len(names) else None  # -1 stands for a label that is not published
    return value


def shares(row: Mapping[str, Any], chosen: Chosen, features: Mapping[str, Any]) -> dict[str, float] | None:
    """Raw label -> share, from a column of shares; None where there is none that fits the class label."""
    values, names = row.get(SHARES), _class_names(features.get(chosen.label[0]))
    if not isinstance(values, list) or not names or len(values) != len(names):
        return None
    if not all(isinstance(value, int | float) and math.isfinite(value) and value >= 0 for value in values):
        return None
    return {name: float(value) for name, value in zip(names, values, strict=True) if value} or None


def _class_names(feature: Any) -> list[str]:
    """The names of a class label; none for anything else."""
    return list(feature.names) if kind(feature) == NAMES else []


def _inner(feature: Any) -> Any:
    """The feature of the entries of a list; None for anything else."""
    import datasets

    if isinstance(feature, datasets.List | datasets.LargeList):
        return feature.feature
    return feature[0] if isinstance(feature, list) and feature else None


def _described(feature: Any) -> str:
    """What a column has in it, such as `nested values (start, end)`."""
    if kind(feature) == NESTED:
        inner = _inner(feature)
        fields = feature if isinstance(feature, Mapping) else inner if isinstance(inner, Mapping) else ()
        return f"nested values ({', '.join(fields)})" if fields else f"values of the type {type(feature).__name__}"
    return {AUDIO: "recordings", LIST: "lists", LIST_OF_NAMES: "lists of class labels"}[kind(feature)]
