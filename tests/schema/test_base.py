from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import Field

from emokit.errors import DataError
from emokit.schema.base import Schema, check, read_checked, validated
from emokit.schema.environment import Environment
from emokit.schema.fusion import SearchSettings
from emokit.schema.log import LogLine


class Point(Schema):
    place: tuple[int, int]
    score: float = 0.0


class Track(Schema):
    points: list[Point]
    names: dict[str, Point] = Field(default_factory=dict)


def test_a_reader_ignores_keys_that_the_schema_lacks() -> None:
    track = check(Track, {"points": [{"place": [1, 2], "colour": "red"}], "later": 1}, Path("track.json"))
    assert track == Track(points=[Point(place=(1, 2))])


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([], "holds a list where a mapping was expected"),
        ({}, "has no points"),
        ({"points": [{"score": 1}]}, "has no points.0.place"),
        (
            {"points": [{"place": [1, 2], "score": "high"}]},
            "has points.0.score = 'high', but it should be a valid number, unable to parse string as a number",
        ),
    ],
)
def test_a_reader_names_the_file_the_key_and_the_fault(value: object, fault: str) -> None:
    with pytest.raises(DataError) as refused:
        check(Track, value, Path("track.json"))
    assert str(refused.value) == f"track.json {fault}; make the run again, or leave it out."


def test_a_writer_gets_its_keys_in_its_order_as_json_values_and_no_others() -> None:
    value = {"names": {"a": {"score": 1, "place": (3, 4)}}, "points": [{"place": (1, 2)}]}
    written = validated(Track, value)
    assert written == {"names": {"a": {"score": 1, "place": [3, 4]}}, "points": [{"place": [1, 2]}]}
    assert [*written, *written["names"]["a"]] == ["names", "points", "score", "place"]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"points": [], "later": 1}, "Track does not declare later = 1"),
        ({"points": [{"place": [1, 2], "colour": "red"}]}, "Track does not declare points.0.colour = 'red'"),
        ({"points": [{"place": [1, "2"]}]}, "Track does not declare points.0.place.1 = '2'"),
        ({"names": {}}, "points\n  Field required"),
        ({"points": [{"place": [1, 2], "score": float("nan")}]}, "Out of range float values are not JSON compliant"),
    ],
)
def test_a_writer_refuses_what_the_schema_does_not_declare(value: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError) as refused:
        validated(Track, value)
    assert fault in str(refused.value)


def test_a_file_is_read_checked_and_returned_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "track.json"
    path.write_text('{"points": [], "later": 1}')
    assert read_checked(Track, path) == {"points": [], "later": 1}
    path.write_text("[]")
    with pytest.raises(DataError) as refused:
        read_checked(Track, path, "draw it again")
    assert str(refused.value) == f"{path} holds a list where a mapping was expected; draw it again."


@pytest.mark.parametrize(
    ("schema", "content", "fault"),
    [
        (Environment, {"seed": "3"}, "has seed = '3', but it should be a valid integer"),
        (Environment, {"seed": True}, "has seed = True, but it should be a valid integer"),
        (SearchSettings, {"objective": "uar", "folds": "5"}, "has folds = '5', but it should be a valid integer"),
        (SearchSettings, {"objective": "uar", "step": "0.5"}, "has step = '0.5', but it should be a valid number"),
        (
            SearchSettings,
            {"objective": "uar", "calibrate": "no"},
            "has calibrate = 'no', but it should be a valid boolean",
        ),
        (LogLine, {"epoch": 1, "best": 1}, "has best = 1, but it should be a valid boolean"),
        (LogLine, {"epoch": 1, "dev_uar": "0.5"}, "has dev_uar = '0.5', but it should be a valid number"),
    ],
)
def test_numbers_and_switches_that_are_stored_as_words_are_refused(
    schema: type[Schema], content: dict[str, Any], fault: str
) -> None:
    with pytest.raises(DataError) as error:
        check(schema, content, Path("file.json"))
    assert str(error.value) == f"file.json {fault}; make the run again, or leave it out."


def test_no_schema_converts_words_to_numbers() -> None:
    waiting, loose = Schema.__subclasses__(), []
    while waiting:
        schema = waiting.pop()
        waiting += schema.__subclasses__()
        if not schema.__module__.startswith("emokit."):
            continue
        loose += [f"{schema.__name__}.{name}" for name, field in schema.model_fields.items() if _is_loose(field)]
    assert loose == []


def _is_loose(field: Any) -> bool:
    """Whether a field is a bare number or switch, which pydantic reads from words too."""
    kinds = (field.annotation, *get_args(field.annotation))
    is_strict = any(getattr(entry, "strict", False) for entry in field.metadata)
    return not is_strict and any(kind in (int, float, bool) for kind in kinds)
