from pathlib import Path

import pytest
from pydantic import Field

from emokit.errors import DataError
from emokit.schema.base import Schema, check, read_checked, validated


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
