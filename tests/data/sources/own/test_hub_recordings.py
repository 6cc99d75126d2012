"""Where the recordings of data sets are, and under which names."""

from pathlib import Path

import pytest

from emokit.data.sources.own.hub_recordings import (
    Recordings,
    cache_folder,
    folder_of,
    holds_bytes,
    new_root,
    safe_name,
    suffix_of,
)
from emokit.data.sources.own.hub_remote import Remote
from emokit.data.sources.own.row import Unusable
from emokit.errors import DataError


def test_the_cache_is_where_the_user_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("EMOKIT_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == tmp_path / ".cache" / "emokit"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "emokit"
    monkeypatch.setenv("EMOKIT_CACHE", "~/own")
    assert cache_folder() == tmp_path / "own"


def test_a_root_knows_its_folder_and_is_the_same_again(cache: Path, tmp_path: Path) -> None:
    root = new_root("calls", tmp_path / "a b", "")
    assert (root.parent, folder_of(root)) == (cache / "hub", tmp_path / "a b")
    written = (root / "source.json").stat().st_mtime_ns
    assert new_root("calls", tmp_path / "a b", "") == root
    assert (root / "source.json").stat().st_mtime_ns == written
    assert new_root("calls", tmp_path / "c", "") != root
    (root / "source.json").write_text("[]")
    with pytest.raises(DataError) as error:
        folder_of(root)
    assert str(error.value) == f"{root}/source.json names no folder; delete {root} and run the command again."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("03a01Fa", "03a01Fa"), ("../../etc/passwd", "etc_passwd"), ("a b\n", "a_b"), (".hidden", "hidden"), ("", "recording"),
        ("..", "recording"), ("ä" * 3, "recording"), ("x" * 300, "x" * 80), ("CON.", "CON"),
    ],
)  # fmt: skip
def test_a_name_leads_nowhere(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_the_suffix_is_one_of_audio_or_none() -> None:
    assert [suffix_of(name) for name in ("a.WAV", "a.mp3", "a.sh", "a")] == [".wav", ".mp3", "", ""]
    assert [holds_bytes(value) for value in (b"x", {"bytes": b"x"}, {"bytes": None, "path": "a"}, "a", None)] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_a_data_set_on_the_hub_names_only_its_own_files(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"secret")
    remote = Remote("ann/x", "c0ffee")
    recordings = Recordings(new_root("x", None, "ann/x@c0ffee:"), None, remote)
    for name in (
        str(tmp_path / "secret.wav"),
        "secret.wav",
        "hf://datasets/ann/y@c0ffee/a.wav",
        "file:///etc/hostname",
    ):
        with pytest.raises(Unusable, match=r"^path outside the root$"):
            recordings.place({"bytes": None, "path": name})


def test_bytes_beside_files_are_not_written_into_the_users_folder(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path, tmp_path, None)
    with pytest.raises(Unusable, match=r"^bytes of a recording, where the first row names a file$"):
        recordings.place({"bytes": b"x", "path": "a.wav"})
    assert list(tmp_path.iterdir()) == []
