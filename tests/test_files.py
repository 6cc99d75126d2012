"""Atomic writing: files are complete or absent, and the sentences of full and read-only disks."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from emokit.errors import DataError, UsageError, WorkError
from emokit.files import (
    check_readable,
    file_hash,
    kind_of,
    new_folder,
    not_a,
    path_error,
    read_json,
    refuse_links,
    resource,
    whole_file,
    write_csv,
    write_json,
    write_text,
)
from emokit.temporary import temporary_path


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_gets_its_name_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "half"
    assert names(path.parent) == ["a.txt"]


def write_half(path: Path, error: type[BaseException]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_nothing_under_the_final_name(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write_half(tmp_path / "a.txt", error)
    assert names(tmp_path) == []


def test_a_failure_does_not_change_an_existing_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(path, RuntimeError)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def failing_replace(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(self: Path, target: Path) -> None:
        raise OSError(code, os.strerror(code), str(target))

    monkeypatch.setattr(Path, "replace", fail)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_sentence_and_the_old_file_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    failing_replace(monkeypatch, code)
    with pytest.raises(WorkError) as caught:
        write_text(path, "new")
    assert str(caught.value) == (
        f"The disk that holds {path} is full; free some space and run the command again (a training with --resume)."
    )
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_fills_up_in_the_middle_is_the_same_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    temporary_path(path).symlink_to("/dev/full")
    with pytest.raises(WorkError, match="is full"):
        write_text(path, "new")
    assert names(tmp_path) == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_disk_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tmp_path / "a.txt"
    failing_replace(monkeypatch, code)
    with pytest.raises(WorkError) as caught:
        write_text(path, "new")
    assert str(caught.value) == f"{path} cannot be written ({os.strerror(code)}); name a folder that can be."
    assert names(tmp_path) == []


def test_a_file_in_the_place_of_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError) as caught:
        write_text(tmp_path / "file" / "a.txt", "new")
    assert str(caught.value) == (
        f"{tmp_path}/file/a.txt cannot be written (Not a directory); name a folder that can be."
    )
    with pytest.raises(UsageError, match="Not a directory"):
        new_folder(tmp_path / "file" / "run", force=False, what="index.html")


def test_other_errors_keep_their_type(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a.txt"):
        pass  # nothing was written
    with pytest.raises(IsADirectoryError), whole_file(tmp_path / "a.txt"):
        raise IsADirectoryError(errno.EISDIR, "x")


def test_json_is_read_as_it_was_written(tmp_path: Path) -> None:
    value = {"b": [1, 2.5, None], "a": "Wut"}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert (tmp_path / "a.json").read_text() == '{\n "b": [\n  1,\n  2.5,\n  null\n ],\n "a": "Wut"\n}\n'


def test_json_with_nan_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"uar": float("nan")})
    assert names(tmp_path) == []


def test_missing_and_damaged_json_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(DataError) as caught:
        read_json(path)
    assert str(caught.value) == f"{path} does not exist; make the folder that it belongs to again."
    path.write_text('{"a": ')
    with pytest.raises(DataError) as caught:
        read_json(path)
    assert str(caught.value) == (
        f"{path} is damaged (it is no JSON from line 1 column 7 on); make the folder that it belongs to again."
    )
    path.write_bytes(b"\xff")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_json(path)


def test_the_hash_is_sha_256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_hash(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_new_folder_may_be_missing_or_empty(tmp_path: Path) -> None:
    for _ in range(2):
        new_folder(tmp_path / "a" / "b", force=False, what="index.html")
        assert names(tmp_path / "a" / "b") == []


def test_a_folder_that_is_not_empty_is_refused_and_not_changed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UsageError) as caught:
        new_folder(tmp_path, force=False, what="index.html")
    assert str(caught.value) == (
        f"{tmp_path} exists and is not empty; name another folder, or add --force to replace it."
    )
    with pytest.raises(UsageError) as caught:
        new_folder(tmp_path, force=True, what="index.html")
    assert str(caught.value) == (
        f"{tmp_path} has no index.html, so emokit did not make it; --force will not replace it."
    )
    assert names(tmp_path) == ["thesis.tex"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    for force in (False, True):
        with pytest.raises(UsageError) as caught:
            new_folder(tmp_path / "a", force=force, what="index.html")
        assert str(caught.value) == f"{tmp_path}/a is a file; name a folder for the result."


def test_force_empties_a_folder_that_emokit_made_and_follows_no_link_out_of_it(tmp_path: Path) -> None:
    outside, folder, link = tmp_path / "outside", tmp_path / "report", tmp_path / "link"
    outside.mkdir()
    (outside / "corpus.wav").write_text("x")
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "a.png").write_text("x")
    (folder / "index.html").write_text("x")
    (folder / "elsewhere").symlink_to(outside)
    link.symlink_to(folder)
    new_folder(link, force=True, what="index.html")
    assert names(folder) == []
    assert link.is_symlink()
    assert names(outside) == ["corpus.wav"]


def test_a_csv_has_text_for_formulas_and_numbers_for_numbers(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ["text", "-score"], [["=1+1", -0.5], ["@a, b", None], ["\rx", "-3"]])
    assert (tmp_path / "a.csv").read_bytes() == b"text,'-score\n'=1+1,-0.5\n\"'@a, b\",\n\"'\rx\",-3\n"


def test_a_link_in_a_folder_of_emokit_is_refused_at_any_depth_and_the_folder_itself_may_be_one(tmp_path: Path) -> None:
    folder, link = tmp_path / "disk" / "run", tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "config.json").write_text("{}")
    link.symlink_to(folder)
    refuse_links(link)
    refuse_links(tmp_path / "missing")
    for place, target in (("log.jsonl", folder / "model" / "config.json"), ("model/x", tmp_path), ("y", "nowhere")):
        (folder / place).symlink_to(target)
        with pytest.raises(DataError) as caught:
            refuse_links(link)
        assert str(caught.value) == (
            f"{link / place} is a symbolic link, and emokit makes none in its folders; put a copy of what it names in its place."
        )
        (folder / place).unlink()
    os.mkfifo(folder / "log.jsonl")
    with pytest.raises(DataError) as caught:
        refuse_links(folder)
    assert str(caught.value) == (
        f"{folder / 'log.jsonl'} is a pipe, a socket or a device, and emokit makes only files in its folders; delete it."
    )


def test_resources_are_found() -> None:
    assert resource("datasets.yaml").is_file()
    assert resource("experiments").is_dir()


def test_the_kind_of_what_is_under_a_name(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    kinds = {name: kind_of(tmp_path / name) for name in ("file", ".", "link", "pipe", "none", "long" * 100)}
    assert kinds == {
        "file": "file",
        ".": "folder",
        "link": "link to nothing",
        "pipe": "pipe",
        "none": None,
        "long" * 100: None,
    }
    assert [kind_of("nul\0"), kind_of(os.devnull)] == [None, "device"]
    assert not_a("folder", tmp_path / "file") == "is a file, not a folder"
    assert not_a("file", tmp_path) == "is a folder, not a file"
    assert not_a("file", tmp_path / "none") == "is not there"


def test_a_name_that_is_not_utf8_is_written_as_an_escape_which_json_reads(tmp_path):
    value = {"name": os.fsdecode(b"caf\xe9\t\n.wav")}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert "caf\\udce9\\t\\n.wav" in (tmp_path / "a.json").read_text(encoding="utf-8")
    write_text(tmp_path / "a.html", value["name"])
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == "caf\\xe9\t\n.wav"


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_a_file_has_the_mode_that_the_umask_asks_for(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "a") as temporary:
            temporary.touch(mode=0o600)
        assert os.umask(umask) == umask  # unchanged by reading it
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    check_readable(tmp_path / "a", tmp_path / "none")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DataError) as caught:
        check_readable(tmp_path / "a")
    assert str(caught.value) == f"{tmp_path / 'a'} may not be read by you; ask its owner for access."


def test_a_path_that_is_not_utf_8_is_named_where_a_library_takes_none() -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        "a\udce9".encode()
    assert str(path_error(caught.value)) == (r"a\xe9 is not UTF-8; name another path, or write the text again.")
