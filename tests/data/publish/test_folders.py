"""Prepared folders as CSV and as folders of recordings."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from emokit.data.prepared import Prepared
from emokit.data.publish.folders import CSV, audio_root, label_columns, write_audio_folder, write_table
from emokit.data.publish.rows import published
from emokit.errors import DataError


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_paths_are_relative_to_the_folder_of_all_recordings(
    calls: Prepared, two_corpora: Prepared, tmp_path: Path
) -> None:
    assert audio_root(published(calls)) == calls.folder.parent
    write_table(published(calls), tmp_path)
    rows = read(tmp_path / CSV)
    assert [row["path"] for row in rows] == list(calls.table["path"])
    assert [row["text"] for row in rows if row["text"].startswith("'=")] != []  # a spreadsheet runs no formula
    root = audio_root(published(two_corpora))
    assert root == Path(two_corpora.roots["emodb"])


def test_texts_with_votes_have_a_column_per_label(texts: Prepared, tmp_path: Path) -> None:
    assert audio_root(published(texts)) is None
    assert label_columns(published(texts)) == ["anger", "joy"]
    write_table(published(texts), tmp_path)
    first = read(tmp_path / CSV)[0]
    assert "path" not in first
    assert (float(first["anger"]), float(first["joy"])) == pytest.approx((1 / 3, 2 / 3))


def test_a_format_that_datasets_does_not_take_for_audio_is_named(calls: Prepared, tmp_path: Path) -> None:
    rows = published(calls)
    path = rows.files[0]
    assert path is not None
    other = tmp_path / "a.bin"
    other.write_bytes(path.read_bytes())
    with pytest.raises(DataError) as error:
        write_audio_folder(replace(rows, files=(other, *rows.files[1:])), tmp_path / "out")
    assert str(error.value) == (
        f"{other} has the ending .bin, which `datasets` does not take for audio; use --format datasets."
    )


def test_a_name_that_is_not_utf_8_cannot_be_in_a_csv(calls: Prepared, tmp_path: Path) -> None:
    rows = published(calls)
    odd = calls.folder.parent / "wav" / "\udce9.wav"
    with pytest.raises(DataError) as error:
        write_table(replace(rows, files=(odd, *rows.files[1:])), tmp_path)
    assert str(error.value) == (
        "wav/\\udce9.wav is not UTF-8, which a CSV is; rename the file, or use --format datasets."
    )
    assert not (tmp_path / CSV).exists()
