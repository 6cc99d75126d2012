"""How the files of the contract are checked: unknown keys are ignored on reading and refused on writing.

A reader takes files of later versions, which may hold more. A writer declares every key, so that it cannot drift from its schema.
"""

import json
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emokit.errors import DataError
from emokit.files import read_json

REMAKE = "make the run again, or leave it out"

# Larger numbers do not occur, and neither figures nor tables can show them. Strict, because readers get the value as it is in
# the file: "1" or true would fail where it is computed with.
Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]
"""A number of things."""
Share = Annotated[float, Field(strict=True, ge=0, le=1 + 1e-6)]
"""A score or a part of a whole; a mean of ones may exceed one by a rounding."""
Number = Annotated[float, Field(strict=True, ge=-1e39, le=1e39)]
"""Any other number; those of torch, float32, are smaller."""
Whole = Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
"""Any other whole number, such as a seed."""
Flag = Annotated[bool, Field(strict=True)]
"""True or false; "true" and 1 are not."""


class Schema(BaseModel):
    """The base class of a JSON mapping: frozen, without NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


SchemaT = TypeVar("SchemaT", bound=Schema)


def read_checked(schema: type[Schema], path: Path, advice: str = REMAKE) -> dict[str, Any]:
    """Read a JSON file and check it.

    Returns:
        the mapping as it is in the file.

    Raises:
        DataError: names the file and its fault.
    """
    value: dict[str, Any] = read_json(path)
    check(schema, value, path, advice)
    return value


def check(schema: type[SchemaT], value: Any, path: Path, advice: str = REMAKE) -> SchemaT:
    """Check the JSON value that was read from `path`; `advice` ends the sentence on a fault.

    Raises:
        DataError: names the file, the key and the fault.
    """
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        if first["type"] == "missing":
            reason = f"has no {key}"
        elif key:
            reason = f"has {key} = {reprlib.repr(first['input'])}, but it {reason}"
        elif first["type"] != "value_error":
            reason = f"holds a {type(value).__name__} where a mapping was expected"
        raise DataError(f"{path} {reason}; {advice}.") from error


def validated(schema: type[Schema], value: Mapping[str, Any]) -> dict[str, Any]:
    """Check a mapping before it is written as JSON.

    Returns:
        the mapping as plain JSON values, in its own order; keys that it lacks are not added.

    Raises:
        ValueError: it does not fit, has a key that the schema lacks, or a value that only a conversion would make fit.
    """
    plain: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    declared = schema.model_validate(plain).model_dump(mode="json", by_alias=True, exclude_unset=True)
    if declared != plain:
        raise ValueError(f"{schema.__name__} does not declare {_first_difference(plain, declared)}")
    return plain


def _first_difference(plain: Any, declared: Any, key: str = "") -> str:
    """The dotted key at which two JSON values differ."""
    if isinstance(plain, dict) and isinstance(declared, dict):
        pairs = [(name, plain[name], declared.get(name)) for name in plain]
    elif isinstance(plain, list) and isinstance(declared, list):
        pairs = [(str(i), *pair) for i, pair in enumerate(zip(plain, declared, strict=True))]
    else:
        pairs = []
    for name, left, right in pairs:
        if left != right:
            return _first_difference(left, right, f"{key}.{name}" if key else name)
    return f"{key} = {reprlib.repr(plain)}"
