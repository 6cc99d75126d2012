"""The score of a point, read from its run's log."""

import pytest

from emokit import runs
from emokit.errors import DataError
from emokit.files import write_json, write_text
from emokit.sweep.settings import ObjectiveSettings
from emokit.sweep.trial import read_score, train_once


@pytest.mark.parametrize(
    ("settings", "metric", "value", "epoch"),
    [
        ("training: {checkpoint: best}", "uar", 0.5, 2),
        ("training: {checkpoint: best}", "loss", 0.8, 3),
        ("training: {checkpoint: last}", "uar", 0.4, 4),
        ("training: {checkpoint: last}", "loss", 0.9, 4),
        ("name: a run without this setting", "uar", 0.5, 2),
    ],
)
def test_the_score_of_a_point_is_that_of_its_saved_epoch(tmp_path, settings, metric, value, epoch):
    write_text(tmp_path / runs.SETTINGS, settings)
    for number, (uar, loss) in enumerate([(0.1, 2.0), (0.5, 1.0), (0.3, 0.8), (0.4, 0.9)], start=1):
        runs.append_log(tmp_path, {"epoch": number, "dev_uar": uar, "dev_loss": loss, "seconds": 2.0})
    score = read_score(tmp_path, ObjectiveSettings(metric=metric))
    assert (score.value, score.best_epoch, score.epochs, score.seconds) == (value, epoch, 4, 8.0)


def _write_metrics(run, splits):
    scores = {"accuracy": 0.5, "uar": 0.5, "weighted_f1": 0.5, "macro_f1": 0.5, "n": 2, "confusion": [[1, 0], [1, 0]]}
    scores["per_class"] = {name: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 1} for name in ("a", "b")}
    write_json(run / runs.METRICS, {"labels": ["a", "b"], "splits": {name: scores | of for name, of in splits.items()}})


@pytest.mark.parametrize(("metric", "value"), [("uar", 0.5), ("weighted_f1", 0.6), ("loss", 1.2)])
def test_the_score_of_a_model_without_epochs_is_that_of_its_metrics_on_dev(tmp_path, metric, value):
    write_text(tmp_path / runs.SETTINGS, "training: {checkpoint: best}")
    _write_metrics(tmp_path, {"dev": {"uar": 0.5, "weighted_f1": 0.6, "nll": 1.2}})
    # The run is complete, so nothing is trained.
    score = train_once(None, tmp_path, ObjectiveSettings(metric=metric), None, None)
    assert (score.value, score.best_epoch, score.epochs) == (value, 0, 0)


@pytest.mark.parametrize(("splits", "name"), [({}, "weighted_f1"), ({"dev": {"nll": None}}, "loss")])
def test_a_complete_run_without_the_score_on_dev_is_damaged(tmp_path, splits, name):
    write_text(tmp_path / runs.SETTINGS, "training: {checkpoint: best}")
    _write_metrics(tmp_path, splits)
    with pytest.raises(DataError) as caught:
        train_once(None, tmp_path, ObjectiveSettings(metric=name), None, None)
    key = "nll" if name == "loss" else name
    assert str(caught.value) == (
        f"{tmp_path / 'metrics.json'} has no {key} of dev, which the sweep optimises; make the run again."
    )


def test_a_log_without_the_score_on_dev_is_damaged(tmp_path):
    write_text(tmp_path / runs.SETTINGS, "training: {checkpoint: best}")
    runs.append_log(tmp_path, {"epoch": 1, "dev_loss": 1.0})
    with pytest.raises(DataError) as caught:
        read_score(tmp_path, ObjectiveSettings(metric="uar"))
    assert (
        str(caught.value) == f"{tmp_path / 'log.jsonl'} has no dev_uar, which the sweep optimises; make the run again."
    )
