"""Preparing folders: resuming after interruptions, reading each file once, dropping nothing silently."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
import soundfile

from emokit import locks
from emokit.data import prepare as module
from emokit.data.audio_io.faults import ADVICE, LFS_POINTER
from emokit.data.plan import Plan
from emokit.data.prepare import prepare, survey
from emokit.data.prepared import open_prepared
from emokit.data.synthesis.corpora import write_corpus
from emokit.errors import DataError, UsageError, WorkError

Write = Callable[..., list[Path]]
MakePlan = Callable[..., Plan]


class ForbiddenExtractor:
    """An extractor that must not be called."""

    sample_rate = 16_000

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        raise RuntimeError("a file was read again")


def stop_at(number: int, error: type[BaseException]) -> module.Progress:
    def progress(done: int, total: int) -> None:
        if done == number:
            raise error

    return progress


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_after_an_interruption_only_the_remaining_files_are_read(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any, monkeypatch: pytest.MonkeyPatch, error: type
) -> None:
    monkeypatch.setattr(module, "SHARD_ROWS", 4)
    write_emodb(tmp_path / "emodb")
    arguments, out = plan({"emodb": tmp_path / "emodb"}), tmp_path / "out"
    with pytest.raises(error):
        prepare(arguments, out, extractor, progress=stop_at(6, error))
    # A shard of four, and a shard of the two read after them.
    assert [path.name for path in sorted(out.glob("features/*/*"))] == ["part-00000.arrow", "part-00001.arrow"]
    with pytest.raises(DataError, match="has no fingerprint, so it was interrupted"):
        open_prepared(out)
    calls = []
    resumed = prepare(arguments, out, extractor, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(7, 9), (8, 9), (9, 9)]
    assert extractor.num_calls == 9
    uninterrupted = prepare(arguments, tmp_path / "uninterrupted", extractor)
    assert resumed.fingerprint == uninterrupted.fingerprint
    features, expected = resumed.features(arguments.features), uninterrupted.features(arguments.features)
    assert all(numpy.array_equal(features[name], expected[name]) for name in resumed.table["utterance_id"])


def test_a_folder_in_use_is_refused(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_emodb(tmp_path / "emodb")
    locks.hold(tmp_path / "out")
    monkeypatch.setattr(locks, "_held", {})  # as in another process
    with pytest.raises(WorkError, match="out is in use by process"):
        prepare(plan({"emodb": tmp_path / "emodb"}), tmp_path / "out", extractor)


def test_an_unchanged_corpus_is_not_read_again(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    arguments, out = plan({"emodb": tmp_path / "emodb"}), tmp_path / "out"
    first = prepare(arguments, out, extractor)
    second = prepare(arguments, out, ForbiddenExtractor())
    assert second.fingerprint == first.fingerprint
    pandas.testing.assert_frame_equal(second.table, first.table)
    assert second.ledger == first.ledger


def test_only_a_changed_file_is_read_again(tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any) -> None:
    changed, *_ = write_emodb(tmp_path / "emodb")
    arguments, out = plan({"emodb": tmp_path / "emodb"}), tmp_path / "out"
    first = prepare(arguments, out, extractor)
    soundfile.write(changed, numpy.insert(numpy.full(3199, 0.25), 50, 0), 16_000)
    os.utime(changed, ns=(0, changed.stat().st_mtime_ns + 1))
    second = prepare(arguments, out, extractor)
    assert extractor.num_calls == 10
    assert second.features(arguments.features)[f"emodb/{changed.stem}"].tolist() == [[0.25, 0.0]]
    assert second.fingerprint != first.fingerprint


def test_a_folder_without_its_fingerprint_is_not_complete(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_emodb(tmp_path / "emodb")
    arguments, out = plan({"emodb": tmp_path / "emodb"}), tmp_path / "out"
    replace = Path.replace

    def killed_at_the_ledger(self: Path, target: Path) -> Path:
        if target.name == "ledger.json":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed_at_the_ledger)
    with pytest.raises(KeyboardInterrupt):
        prepare(arguments, out, extractor)
    monkeypatch.undo()
    assert sorted(path.name for path in out.iterdir()) == ["features", "settings.yaml", "utterances.parquet"]
    with pytest.raises(DataError, match="has no fingerprint, so it was interrupted"):
        open_prepared(out)
    prepare(arguments, out, ForbiddenExtractor())
    assert open_prepared(out).ledger["corpora"]["emodb"]["kept"] == 9


@pytest.mark.parametrize("full_at", ["settings.yaml", "part-00000.arrow", "utterances.parquet", "fingerprint"])
def test_a_full_disk_is_explained_and_leaves_no_partial_file(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any, monkeypatch: pytest.MonkeyPatch, full_at: str
) -> None:
    write_emodb(tmp_path / "emodb")
    arguments, out = plan({"emodb": tmp_path / "emodb"}), tmp_path / "out"
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WorkError) as error:
        prepare(arguments, out, extractor)
    path = next(out.glob("features/*")) / full_at if full_at.startswith("part") else out / full_at
    assert str(error.value).startswith(f"The disk that holds {path} is full; free some space and run the command again")
    monkeypatch.undo()
    assert not path.exists()
    assert not (out / "fingerprint").exists()
    assert list(out.rglob("*.part")) == []
    assert prepare(arguments, out, extractor).fingerprint


def test_a_folder_with_other_settings_is_refused_and_force_rebuilds_it(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    roots, out = {"emodb": tmp_path / "emodb"}, tmp_path / "out"
    first = prepare(plan(roots), out, extractor)
    other = plan(roots, num_bins=3)
    with pytest.raises(UsageError) as error:
        prepare(other, out, extractor)
    assert str(error.value) == (
        f"{out} was made with other settings (features.num_bins = 2, now 3); "
        "name another --out, or add --force to rebuild it."
    )
    assert open_prepared(out).fingerprint == first.fingerprint
    assert prepare(other, out, extractor, force=True).fingerprint != first.fingerprint
    assert extractor.num_calls == 18
    # The folder has features of both settings, and neither is computed again.
    assert prepare(plan(roots), out, ForbiddenExtractor(), force=True).fingerprint == first.fingerprint


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({"a": 1}, {"a": 2}, "a = 1, now 2"),
        ({"a": {"b": None, "c": 1}}, {"a": {"b": "sad", "c": 2}}, 'a.b = null, now "sad"'),
        ({"a": {}}, {"a": {"tess": {}}}, "without a.tess"),
        ({"a": {"tess": {}}}, {"a": {}}, "with a.tess"),
    ],
)
def test_the_first_difference_of_two_settings_is_named(before: dict, now: dict, words: str) -> None:
    assert module._first_difference(before, now) == words


def test_moving_a_corpus_changes_nothing(tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any) -> None:
    write_emodb(tmp_path / "here")
    out = tmp_path / "out"
    first = prepare(plan({"emodb": tmp_path / "here"}), out, extractor)
    shutil.move(tmp_path / "here", tmp_path / "moved")
    second = prepare(plan({"emodb": tmp_path / "moved"}), out, ForbiddenExtractor())
    assert second.fingerprint == first.fingerprint
    assert f"emodb: {tmp_path / 'moved'}" in (out / "settings.yaml").read_text()


def test_the_order_of_the_corpora_changes_nothing(
    tmp_path: Path, write_emodb: Write, write_meld_text: Callable[..., None], plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    write_meld_text(tmp_path / "meld", {"train": ["One."], "dev": ["Two."], "test": ["Three."]})
    roots = {"emodb": tmp_path / "emodb", "meld": tmp_path / "meld"}
    first = prepare(plan(roots), tmp_path / "out", extractor)
    second = prepare(plan(dict(reversed(roots.items()))), tmp_path / "out", ForbiddenExtractor())
    assert second.fingerprint == first.fingerprint


def test_the_seed_is_part_of_the_fingerprint(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    roots = {"emodb": tmp_path / "emodb"}
    first, second = (prepare(plan(roots, seed=n), tmp_path / f"{n}", extractor).fingerprint for n in (0, 1))
    assert first != second


def test_a_folder_with_other_files_is_not_changed(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").touch()
    with pytest.raises(UsageError) as error:
        prepare(plan({"emodb": tmp_path / "emodb"}), out, extractor, force=True)
    assert str(error.value) == (
        f"{out} holds files that emokit did not make; name an empty or a new folder with --out."
    )
    with pytest.raises(UsageError) as error:
        prepare(plan({"emodb": tmp_path / "emodb"}), out / "chapter.txt", extractor)
    assert str(error.value) == f"{out / 'chapter.txt'} is a file; name a folder with --out."


def test_a_root_of_another_corpus_creates_no_folder_and_leaves_a_complete_one_complete(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    write_corpus("savee", tmp_path / "savee", size=0.05)
    out = tmp_path / "out"
    with pytest.raises(DataError, match="they are named like savee: use --root savee="):
        prepare(plan({"emodb": tmp_path / "savee"}), out, extractor)
    assert not out.exists()
    first = prepare(plan({"emodb": tmp_path / "emodb"}), out, extractor)
    with pytest.raises(DataError, match="they are named like savee"):
        prepare(plan({"emodb": tmp_path / "savee"}), out, extractor)
    assert open_prepared(out).fingerprint == first.fingerprint


def test_a_corpus_that_fails_does_not_stop_the_others(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    write_emodb(tmp_path / "tess")
    (tmp_path / "savee").mkdir()
    for speaker in ("DC", "JE", "JK"):
        (tmp_path / "savee" / f"{speaker}_a01.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    roots = {name: tmp_path / name for name in ("tess", "emodb", "savee")}
    prepared = prepare(plan(roots), tmp_path / "out", extractor)
    assert set(prepared.table["corpus"]) == set(prepared.ledger["corpora"]) == {"emodb"}
    assert prepared.ledger["failed"] == {
        "tess": f"tess: {tmp_path / 'tess'} holds 9 files, none named like tess; "
        f"they are named like emodb: use --root emodb={tmp_path / 'tess'}.",
        "savee": f"savee: {tmp_path / 'savee'} has 3 labelled utterances, none with usable audio "
        f"({LFS_POINTER}); {ADVICE[LFS_POINTER]}.",
    }
    with pytest.raises(DataError, match=r"^tess: .* holds 9 files.+ savee: .* has 3 labelled utterances, "):
        prepare(plan({name: tmp_path / name for name in ("tess", "savee")}), tmp_path / "none", extractor)


def test_a_survey_counts_by_names_only(tmp_path: Path, write_emodb: Write, plan: MakePlan) -> None:
    for path in write_emodb(tmp_path / "emodb", emotions="WLF"):
        path.write_text("unread")
    (tmp_path / "emodb" / "x.wav").touch()
    roots = {"savee": tmp_path / "emodb", "emodb": tmp_path / "emodb"}
    counts, failed = survey(plan(roots))
    assert counts == {
        "emodb": {
            "found": 10,
            "dropped": 4,
            "labels": {"angry": 3, "disgust": 0, "fear": 0, "happy": 3, "neutral": 0, "sad": 0, "surprise": 0},
        }
    }
    assert failed == {
        "savee": f"savee: {tmp_path / 'emodb'} holds 10 files, none named like savee; "
        f"they are named like emodb: use --root emodb={tmp_path / 'emodb'}."
    }
    assert [path.name for path in tmp_path.iterdir()] == ["emodb"]


def test_a_corpus_of_git_lfs_pointers_is_refused_with_advice(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    for path in write_emodb(tmp_path / "emodb"):
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(DataError) as error:
        prepare(plan({"emodb": tmp_path / "emodb"}), tmp_path / "out", extractor)
    assert str(error.value) == (
        f"emodb: {tmp_path / 'emodb'} has 9 labelled utterances, none with usable audio "
        f"({LFS_POINTER}); {ADVICE[LFS_POINTER]}."
    )
    assert not (tmp_path / "out" / "fingerprint").exists()
