"""Segments of long recordings in a table: the same features, runs and predictions as of cut files, and no file in two splits."""

import csv
import json
from pathlib import Path

import numpy
import pytest
import soundfile
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.data.prepared import Prepared, open_prepared

pytestmark = pytest.mark.end_to_end
RATE, SECONDS, NUM_FILES, PER_FILE = 16_000, 0.6, 12, 4
LABELS = ("calm", "cross")
SMALL = ("--set", "features.n_mels=16", "--set", "features.sample_rate=16000")


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same utterances as segments of long files and as files of their own."""
    folder = tmp_path_factory.mktemp("segments")
    random = numpy.random.default_rng(0)
    length = round(SECONDS * RATE)
    segments, cut = [("path", "label", "start", "end", "utterance_id")], [("path", "label", "utterance_id")]
    for name in ("long", "cut"):
        (folder / name).mkdir()
    for number in range(NUM_FILES):
        parts = []
        for part in range(PER_FILE):
            label, name = LABELS[part % 2], f"{number:02}-{part}"
            pitch = 2 * numpy.pi * (150 + 120 * (part % 2)) * numpy.arange(length) / RATE
            parts.append((9_000 * numpy.sin(pitch) + random.normal(0, 900, length)).astype(numpy.int16))
            soundfile.write(folder / "cut" / f"{name}.wav", parts[-1], RATE)
            segments.append((f"{number:02}.wav", label, part * SECONDS, (part + 1) * SECONDS, name))
            cut.append((f"{name}.wav", label, name))
        soundfile.write(folder / "long" / f"{number:02}.wav", numpy.concatenate(parts), RATE)
    for name, rows in (("long", segments), ("cut", cut)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    run("prepare", f"calls={folder / 'long.csv'}", "--audio-root", folder / "long", "--out", folder / "a", *SMALL)
    splits = open_prepared(folder / "a").table[["utterance_id", "split"]]
    splits.to_csv(folder / "splits.csv", index=False)
    words = ("--audio-root", folder / "cut", "--out", folder / "b", "--split", folder / "splits.csv", *SMALL)
    run("prepare", f"calls={folder / 'cut.csv'}", *words)
    return folder


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[Prepared, Prepared]:
    return open_prepared(folder / "a"), open_prepared(folder / "b")


def test_segments_have_the_features_of_files_that_were_cut(both: tuple[Prepared, Prepared]) -> None:
    first, second = (data.store(next((data.folder / "features").iterdir()).name) for data in both)
    assert set(first) == set(second)
    assert len(first) == NUM_FILES * PER_FILE
    for name in first:
        assert numpy.array_equal(first[name], second[name])
    assert both[0].recordings.hashes == both[1].recordings.hashes


def test_no_recording_is_in_two_splits_though_no_speaker_is_named(both: tuple[Prepared, Prepared]) -> None:
    table = both[0].table
    assert table.groupby("path")["split"].nunique().eq(1).all()
    assert set(table["split"]) == {"train", "dev", "test"}
    assert any("no dialogue is in two splits" in note for note in both[0].ledger["corpora"]["calls"]["notes"])


def test_segments_of_one_file_in_two_splits_are_leakage(folder: Path) -> None:
    words = ("--audio-root", folder / "long", "--out", folder / "mixed", "--split", "stratified", *SMALL)
    run("prepare", f"calls={folder / 'long.csv'}", *words)
    assert open_prepared(folder / "mixed").ledger["leakage"]["recordings"]["train-test"] > 0


def test_runs_on_segments_and_on_cut_files_predict_the_same(folder: Path) -> None:
    tables = []
    for name in ("a", "b"):
        words = (
            "--data",
            folder / name,
            "--run",
            folder / f"run-{name}",
            "--device",
            "cpu",
            "--set",
            "data.window_seconds=0.5",
        )
        kind = (
            "--set",
            "model.kind=functionals",
            "--set",
            "features.n_mels=32",
        )  # features of its own, so files are read again
        run("train", "audio", *words, *kind, "--set", "features.sample_rate=16000")
        tables.append((folder / f"run-{name}" / "metrics.json").read_text())
    first, second = (json.loads(text)["splits"]["test"] for text in tables)
    assert first["confusion"] == second["confusion"]
    # Two fits of a linear model; BLAS may sum in another order.
    assert first["nll"] == pytest.approx(second["nll"], rel=1e-12)


def test_the_report_plays_the_part_of_the_file(folder: Path) -> None:
    from emokit.data.audio_io.segments import Segment
    from emokit.report.page.mistakes import _fragment

    assert _fragment(Segment(0.6, 1.2)) == "#t=0.6,1.2"
    assert _fragment(Segment(0.6, None)) == "#t=0.6"
