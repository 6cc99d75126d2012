"""Files as they are found: every fault of text and of JSON is words, and none of them are Python's."""

import errno
import os
from pathlib import Path

import pytest

from emokit import runs
from emokit.errors import DataError, UsageError
from emokit.files import write_json
from emokit.read_files import MOST_WORDS, absolute, in_words, read_json, read_text


def test_a_path_that_is_stored_needs_no_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "now").mkdir()
    monkeypatch.chdir(tmp_path / "now")
    assert absolute(Path("data")) == tmp_path / "now" / "data"
    assert absolute(Path("../data")) == tmp_path / "data"
    assert absolute(tmp_path / "now" / ".." / "data") == tmp_path / "data"
    (tmp_path / "link").symlink_to(tmp_path / "now")
    assert absolute(tmp_path / "link") == tmp_path / "link"
    assert absolute(Path("../link/../data")) == tmp_path / "data"


def damaged(path: Path, kind: str) -> None:
    """Make the path absent, or of a kind that holds no text."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "absent":
        path.write_bytes({"utf-16": '{"a": 1}'.encode("utf-16"), "latin-1": '{"é": 1}'.encode("latin-1")}[kind])


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("absent", "does not exist"),
        ("folder", "is a folder, not a file"),
        ("pipe", "is a pipe, not a file"),
        ("utf-16", "is not UTF-8 text"),
        ("latin-1", "is not UTF-8 text"),
    ],
)
def test_what_holds_no_text_is_told_apart(tmp_path: Path, kind: str, fault: str) -> None:
    path = tmp_path / "a.json"
    damaged(path, kind)
    with pytest.raises(UsageError) as slip:
        read_text(path, "name another", UsageError)
    assert str(slip.value) == f"{path} {fault}; name another."
    with pytest.raises(DataError) as caught:
        read_json(path)
    assert str(caught.value) == f"{path} {fault}; make the folder that it belongs to again."


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": ', "it is no JSON from line 1 column 7 on"),
        ("", "it is no JSON from line 1 column 1 on"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"a": [{"n": 1, "b": 2, "n": 1}]}', "it has the key n twice"),
    ],
)
def test_text_that_is_no_json_is_damaged(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_json(path)
    assert str(caught.value) == f"{path} is damaged ({fault}); make the folder that it belongs to again."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EISDIR, "Is a directory", "a.json"), "Is a directory"),
        (OSError("no such file in\n the archive."), "no such file in the archive"),
        (KeyError("labels"), "it has no labels"),
        (TypeError("argument of type 'NoneType' is not iterable"), "it holds values of another type or shape"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "it is not UTF-8 text"),
        (RuntimeError("Error(s) in loading state_dict for A:\n\tsize mismatch for b."), "size mismatch for b"),
        (
            ValueError("Validation error for field 'a':\n    TypeError: expected int"),
            "Validation error for field 'a': expected int",
        ),
        (ValueError("x" * 300), "x" * MOST_WORDS),
        (ValueError(), "no reason was given"),
    ],
)
def test_errors_of_python_are_words(error: Exception, words: str) -> None:
    assert in_words(error) == words


def test_a_folder_where_a_file_is_written_is_named_and_not_the_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "ledger.json").mkdir()
    with pytest.raises(DataError) as caught:
        write_json(tmp_path / "ledger.json", {})
    assert str(caught.value) == (
        f"{tmp_path / 'ledger.json'} is a folder where a file is to be written; rename it, or delete it."
    )
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(DataError) as caught:
        runs.read_log(tmp_path)
    assert (
        str(caught.value) == f"{tmp_path / 'log.jsonl'} is a folder, not a file; make the run again, or leave it out."
    )
