"""Utterance ids of own data."""

import pytest

from emokit.data.sources.own.ids import Identified, local_ids
from emokit.errors import DataError


def files(*paths: str) -> list[Identified]:
    return [Identified(f"a.csv, row {number}", number=number, path=path) for number, path in enumerate(paths, start=1)]


@pytest.mark.parametrize(
    ("paths", "ids"),
    [
        (("x/1.wav", "y/2.wav"), ["1", "2"]),
        (("x/1.wav", "y/1.wav"), ["x/1", "y/1"]),
        (("x/1.wav", "x/1.mp3"), ["x/1.wav", "x/1.mp3"]),
    ],
)
def test_files_have_the_shortest_names_that_are_unique(paths: tuple[str, ...], ids: list[str]) -> None:
    assert local_ids(files(*paths), "a.csv") == ids
    assert local_ids(files(*reversed(paths)), "a.csv") == ids[::-1]


def test_an_own_id_comes_first_and_a_row_without_a_file_has_its_number() -> None:
    rows = [
        Identified("", number=1, own="u1", path="x/1.wav"),
        Identified("", number=2, path="y/1.wav"),
        Identified("", number=12),
        Identified("", "dev", 3),
        Identified("", number=4, path="z.wav", span="_0-1.5"),
        Identified("", number=5, path="z.wav", span="_1.5-end"),
    ]
    assert local_ids(rows, "a.csv") == ["u1", "1", "12", "dev/03", "z_0-1.5", "z_1.5-end"]


def test_a_file_that_is_named_twice_is_refused_with_its_rows() -> None:
    with pytest.raises(DataError) as error:
        local_ids(files("1.wav", "2.wav", "1.wav", "2.wav"), "a.csv")
    assert str(error.value) == (
        "a.csv names the file 1.wav 2 times (a.csv, row 1, a.csv, row 3), and 1 more are repeated; expected one row per "
        "recording, or columns start and end for its parts: remove rows, or name a column with --columns utterance_id=NAME."
    )


def test_a_repeated_id_is_refused_with_its_rows() -> None:
    rows = [Identified(f"a.csv, row {number}", number=number, own="u") for number in range(1, 6)]
    with pytest.raises(DataError) as error:
        local_ids(rows, "a.csv")
    assert str(error.value) == (
        "a.csv has the utterance_id u 5 times (a.csv, row 1, a.csv, row 2, a.csv, row 3, …); give each row its own, or leave "
        "the column out with --columns utterance_id=."
    )
