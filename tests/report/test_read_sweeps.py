import json
from pathlib import Path
from typing import Any

import pytest

from emokit.errors import DataError
from emokit.report.page.build import build
from emokit.report.read_sweeps import lay_out, plain, split
from emokit.schema.base import validated
from emokit.schema.sweep import Sweep

LR, BATCH, SMOOTHING = "training.lr", "training.batch_size", "training.label_smoothing"
# Published accuracies in %, row by row; trials that collapsed have 25.63.
STUDY = [
    (1e-4, [76.42, 76.05, 76.67, 75.60]),
    (3e-4, [74.85, 74.96, 75.32, 75.89]),
    (5e-4, [25.63, 25.63, 73.87, 25.63]),
    (8e-4, [25.63, 25.63, 25.63, 25.63]),
]


def studied(**changes: Any) -> dict[str, Any]:
    """The published grid as a `sweep.json`."""
    trials = []
    for lr, values in STUDY:
        for (batch, smoothing), percent in zip([(16, 0.1), (16, 0.2), (32, 0.1), (32, 0.2)], values, strict=True):
            collapsed = percent == 25.63
            trials.append(
                {
                    "point": f"{len(trials):04d}",
                    "state": "collapsed" if collapsed else "complete",
                    "params": {LR: lr, BATCH: batch, SMOOTHING: smoothing},
                    "value": percent / 100,
                    "best_epoch": 20,
                    "epochs": 5 if collapsed else 24,
                    "reason": "one class <only>" if collapsed else "",
                }
            )
    best = {"point": "0002", "params": trials[2]["params"], "value": 0.7667, "is_confirmed": False, "values": [0.7667]}
    content = {
        "kind": "sweep",
        "name": "v3_sweep",
        "modality": "audio",
        "experiment_name": "v3_1",
        "objective": {"metric": "accuracy", "split": "dev", "lower_is_better": False},
        "sampler": "grid",
        "pruner": "none",
        "max_epochs": 24,
        "points": 16,
        "counts": {"complete": 9, "pruned": 0, "collapsed": 7, "failed": 0, "running": 0, "waiting": 0},
        "epochs": 9 * 24 + 7 * 5,
        "is_complete": True,
        "dimensions": [
            {"field": LR, "values": [lr for lr, _ in STUDY]},
            {"field": BATCH, "values": [16, 32]},
            {"field": SMOOTHING, "values": [0.1, 0.2]},
        ],
        "trials": trials,
        "best": best,
        "importance": {LR: 0.9, BATCH: 0.06, SMOOTHING: 0.04},
    }
    return validated(Sweep, content | changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sweep folder with the published grid."""
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "sweep.json").write_text(json.dumps(studied()))
    return tmp_path / "sweep"


def test_a_grid_is_laid_out_as_the_published_table() -> None:
    grid = lay_out(Sweep.model_validate(studied()))
    assert grid
    assert (grid.down, grid.across) == ("lr", ("batch_size", "label_smoothing"))
    assert grid.columns == ((16, 0.1), (16, 0.2), (32, 0.1), (32, 0.2))
    shown = [
        (value, [round(100 * cell.value, 2) for cell in cells if cell and cell.value]) for value, cells in grid.rows
    ]
    assert shown == STUDY


def test_sampled_points_are_no_grid() -> None:
    assert lay_out(Sweep.model_validate(studied(sampler="tpe"))) is None


def test_the_page_of_a_sweep_has_its_grid_and_marks_collapsed_trials(folder: Path, tmp_path: Path) -> None:
    page = build([folder], tmp_path / "report").read_text(encoding="utf-8")
    assert "<h1>sweep</h1>" in page
    assert page.count('<abbr title="collapsed: one class &lt;only&gt;">×</abbr>') == 7
    assert '<data value="0.7667" data-key="sweep-sweep/point/0002">76.7</data>' in page
    assert '<data value="16" data-key="sweep-sweep/tried">16</data> points tried: training.lr 1e-4,' in page
    assert "with one choice of seeds and so slightly optimistic. The test split was not used." in page
    stems = {path.stem for path in (tmp_path / "report" / "figures").glob("*.png")}
    assert stems == {f"sweep-sweep-{figure}" for figure in ("history", "importance", "slices", "parallel")}


def test_a_sampled_sweep_shows_its_best_points_and_the_number_of_points_tried(folder: Path, tmp_path: Path) -> None:
    confirmed = [{"point": "0002", "params": {LR: 1e-4}, "values": [0.75, 0.77], "mean": 0.76, "deviation": 0.0141}]
    (folder / "sweep.json").write_text(json.dumps(studied(sampler="tpe", confirmed=confirmed)))
    page = build([folder], tmp_path / "report").read_text(encoding="utf-8")
    assert "The best of 16 points tried: accuracy on dev, % at the best epoch of each" in page
    assert "The best points of 16 tried, retrained with fresh seeds: accuracy on dev, %" in page
    assert '<data value="0.76" data-key="sweep-sweep/confirmed/0002/mean">76.0</data>' in page


def test_a_sweep_without_completed_trials_has_a_page(folder: Path, tmp_path: Path) -> None:
    waiting = [{**trial, "state": "waiting", "value": None} for trial in studied()["trials"]]
    counts = {"complete": 0, "waiting": 16, "collapsed": 0}
    young = studied(trials=waiting, counts=counts, best=None, importance={}, is_complete=False)
    (folder / "sweep.json").write_text(json.dumps(young))
    page = build([folder], tmp_path / "report").read_text(encoding="utf-8")
    assert "None of 0 points tried was trained to completion." in page
    assert "16 waiting; the sweep is not complete" in page


def test_a_damaged_sweep_gets_a_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sweep.json").write_text('{"kind": "sweep"}')
    others, searched, unread = split([folder, tmp_path / "other", tmp_path])
    assert (others, [entry.name for entry in searched]) == ([tmp_path], ["sweep"])
    assert [entry.sentence for entry in unread] == [
        f"{tmp_path / 'other' / 'sweep.json'} has no name; make the run again, or leave it out."
    ]


def test_damaged_sweeps_alone_make_no_page(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sweep.json").write_text("[]")
    with pytest.raises(DataError, match=r"sweep\.json holds a list where a mapping was expected"):
        build([tmp_path / "other"], tmp_path / "report")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1e-4, "1e-4"), (0.00025, "2.5e-4"), (0.1, "0.1"), (0.012345678, "0.01235"), (16, "16"), ([8, 16], "[8, 16]")],
)
def test_values_are_written_briefly(value: Any, shown: str) -> None:
    assert plain(value) == shown


def test_a_sweep_of_an_older_emokit_is_named(folder: Path) -> None:
    (folder / "settings.yaml").write_text("name: sweep\nexperiment: {kind: text}\n")
    _, searched, (old,) = split([folder])
    assert searched == []
    assert old.sentence == f"{folder} was made by an emokit before names changed; sweep again into another folder."
