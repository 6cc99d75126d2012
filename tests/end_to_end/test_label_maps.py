"""Runs with different label sets are fused and compared by an explicit map of labels, and refused without one."""

import json
from pathlib import Path

import numpy
import pandas
import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.data.catalogue import read_catalogue
from emokit.data.synthesis.corpora import write_corpus

pytestmark = pytest.mark.end_to_end
MAP = {raw: label for raw, label in read_catalogue()["goemotions"].labels.items() if raw != label}
MAPS = [word for raw, label in MAP.items() for word in ("--map", f"{raw}={label}")]


def emokit(*words: object, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == exit_code, result.output
    return result.stdout if exit_code == 0 else " ".join(result.stderr.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bags of words on the same comments, with seven labels and with GoEmotions' own."""
    folder = tmp_path_factory.mktemp("maps")
    write_corpus("goemotions", folder / "goemotions", size=0.3)
    for name, flags in {"seven": [], "fine": ["--labels", "all"]}.items():
        root = f"goemotions={folder / 'goemotions'}"
        emokit("prepare", "goemotions", "--root", root, "--out", folder / name, *flags)
        emokit("train", "text", "tfidf", "--data", folder / name, "--run", folder / f"run-{name}", "--device", "cpu")
    return folder


def test_runs_of_different_label_sets_are_fused_by_a_map_only(folder: Path) -> None:
    runs = (f"fine={folder / 'run-fine'}", f"seven={folder / 'run-seven'}")
    quick = ("--step", "0.5", "--resamples", "100")
    refused = emokit("fuse-search", *runs, "--run", folder / "none", *quick, exit_code=3)
    assert refused.endswith("rename it with --map OLD=NEW.")
    emokit("fuse-search", *runs, "--run", folder / "fused", *quick, *MAPS)
    metrics = json.loads((folder / "fused" / "metrics.json").read_text())
    assert set(metrics["labels"]) == set(read_catalogue()["goemotions"].labels.values())
    table = pandas.read_parquet(folder / "run-fine" / "predictions" / "test.parquet").set_index("utterance_id")
    fused = pandas.read_parquet(folder / "fused" / "predictions" / "test.parquet").set_index("utterance_id")
    assert (table["label"].replace(MAP)[fused.index] == fused["label"]).all()


def test_a_fused_run_with_a_map_predicts_sentences(folder: Path) -> None:
    runs = (f"fine={folder / 'run-fine'}", f"seven={folder / 'run-seven'}")
    flags = ("--step", "0.5", "--resamples", "100", "--set", "fusion.choice=equal", "--set", "fusion.calibrate=false")
    emokit("fuse-search", *runs, "--run", folder / "equal", *flags, "--pooling", "linear", *MAPS)
    text = "I am so glad that you came"
    flags_of = {"run-fine": [], "run-seven": [], "equal": ["--text"]}
    answers = [json.loads(emokit("predict", folder / run, *flag, text, "--json")) for run, flag in flags_of.items()]
    fine, seven, equal = ((answer[0] if isinstance(answer, list) else answer)["probabilities"] for answer in answers)
    for label, probability in equal.items():
        merged = sum(value for raw, value in fine.items() if MAP.get(raw, raw) == label)
        numpy.testing.assert_allclose(probability, (merged + seven[label]) / 2, atol=5e-6)


def test_runs_of_different_label_sets_are_compared_by_a_map_only(folder: Path) -> None:
    runs = (folder / "run-fine", folder / "run-seven")
    assert "compare two with --compare --map OLD=NEW" in emokit("report", "--compare", *runs, exit_code=3)
    compared = json.loads(emokit("report", "--compare", *runs, *MAPS, "--json"))["comparisons"][0]
    table = pandas.read_parquet(folder / "run-fine" / "predictions" / "test.parquet")
    columns = [name for name in table if name.startswith("p_")]
    raw = table[columns].rename(columns=lambda name: MAP.get(name[2:], name[2:])).T.groupby(level=0).sum().T
    accuracy = (raw.idxmax(axis=1) == table["label"].replace(MAP)).mean()
    assert compared["scores"]["accuracy"]["first"] == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--map", "joy"], "error: --map joy was given where LABEL=LABEL was expected, such as --map joy=happy."),
        (["--map", "joy=a", "--map", "joy=b"], "error: --map was given twice for joy; give it once."),
        (["--map", "glee=happy"], "error: --map glee=happy maps nothing: the labels are "),
    ],
)
def test_maps_that_mean_nothing_are_refused(folder: Path, flags: list[str], sentence: str) -> None:
    runs = (folder / "run-fine", folder / "run-seven")
    assert emokit("report", "--compare", *runs, *flags, exit_code=2).startswith(sentence)
    named = (f"a={runs[0]}", f"b={runs[1]}")
    assert emokit("fuse-search", *named, "--run", folder / "none", *flags, exit_code=2).startswith(sentence)
    assert not (folder / "none").exists()


def test_a_map_is_for_comparisons_without_a_page(folder: Path) -> None:
    refused = emokit("report", folder / "run-fine", "--map", "joy=happy", exit_code=2)
    assert refused == (
        "error: --map was given without --compare, or with a page or tables, which have one label set; leave it out."
    )
