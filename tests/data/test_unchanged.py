"""A prepared folder is up to date only while neither its inputs nor its files have changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from emokit.data.unchanged import inputs, is_unchanged, remember

ASKED = {"corpora": ["emodb"], "seed": 0}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "wav").mkdir(parents=True)
    for name in ("a.wav", "b.wav"):
        (tmp_path / "root" / "wav" / name).write_bytes(b"audio")
    return tmp_path / "root"


@pytest.fixture
def out(tmp_path: Path, root: Path) -> Path:
    (tmp_path / "out" / "features").mkdir(parents=True)
    for name in ("fingerprint", "features/part-00000.arrow"):
        (tmp_path / "out" / name).write_bytes(b"made")
    remember(tmp_path / "out", inputs(ASKED, [root]))
    return tmp_path / "out"


def test_a_folder_with_the_same_inputs_is_unchanged(root: Path, out: Path) -> None:
    assert is_unchanged(out, inputs(ASKED, [root]))
    remember(out, inputs(ASKED, [root]))
    assert is_unchanged(out, inputs(ASKED, [root]))


def touch_later(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "wav" / "c.wav").touch(),
        lambda root: (root / "wav" / "a.wav").unlink(),
        lambda root: (root / "wav" / "a.wav").rename(root / "a.wav"),
        lambda root: (root / "wav" / "a.wav").chmod(0o600),
        lambda root: touch_later(root / "wav" / "a.wav"),
        lambda root: (root / "wav" / ".c.wav").touch(),
        lambda root: (root / "wav" / "d.wav").symlink_to("nowhere"),
        lambda root: touch_later(root.parent / "cache" / "e.wav"),
    ],
    ids=["added", "deleted", "moved", "made readable", "written to", "hidden", "broken link", "linked, written to"],
)
def test_a_changed_source_is_detected(root: Path, out: Path, change: Callable[[Path], None]) -> None:
    (root / "wav" / "a.wav").chmod(0o644)
    (root.parent / "cache").mkdir()
    (root.parent / "cache" / "e.wav").touch()
    (root / "linked").symlink_to(root.parent / "cache", target_is_directory=True)
    remember(out, inputs(ASKED, [root]))
    change(root)
    assert not is_unchanged(out, inputs(ASKED, [root]))


@pytest.mark.parametrize(
    "change",
    [
        lambda out: (out / "fingerprint").unlink(),
        lambda out: (out / "features" / "part-00000.arrow").write_bytes(b"damaged"),
        lambda out: (out / "features" / "part-00001.arrow").touch(),
        lambda out: (out / "state.json").write_text("[]"),
        lambda out: (out / "state.json").unlink(),
    ],
    ids=["deleted", "damaged", "added", "state of another type", "state deleted"],
)
def test_a_changed_prepared_folder_is_detected(root: Path, out: Path, change: Callable[[Path], None]) -> None:
    change(out)
    assert not is_unchanged(out, inputs(ASKED, [root]))


def test_a_temporary_file_in_a_prepared_folder_changes_nothing(root: Path, out: Path) -> None:
    (out / ".settings.yaml.1.part").touch()
    assert is_unchanged(out, inputs(ASKED, [root]))


def test_other_arguments_and_other_roots_are_detected(root: Path, out: Path, tmp_path: Path) -> None:
    assert not is_unchanged(out, inputs({**ASKED, "seed": 1}, [root]))
    assert not is_unchanged(out, inputs(ASKED, [root, tmp_path / "my.csv"]))
    root.rename(tmp_path / "moved")
    assert not is_unchanged(out, inputs(ASKED, [tmp_path / "moved"]))


def test_a_single_file_can_be_a_source(root: Path, tmp_path: Path) -> None:
    split = tmp_path / "my.csv"
    split.write_text("utterance_id,split\n")
    before = inputs(ASKED, [root, split])
    touch_later(split)
    assert inputs(ASKED, [root, split]) != before
