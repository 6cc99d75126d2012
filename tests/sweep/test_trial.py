"""What a point of a sweep scored, read from its run's log."""

import pytest

from emokit import runs
from emokit.files import write_json, write_text
from emokit.sweep.settings import ObjectiveSettings
from emokit.sweep.trial import scored, train_once


@pytest.mark.parametrize(
    ("settings", "metric", "value", "epoch"),
    [
        ("training: {checkpoint: best}", "uar", 0.5, 2),
        ("training: {checkpoint: best}", "loss", 0.8, 3),
        ("training: {checkpoint: last}", "uar", 0.4, 4),
        ("training: {checkpoint: last}", "loss", 0.9, 4),
        ("name: made before one could choose", "uar", 0.5, 2),
    ],
)
def test_a_point_scores_what_its_kept_epoch_scored(tmp_path, settings, metric, value, epoch):
    write_text(tmp_path / runs.SETTINGS, settings)
    for number, (uar, loss) in enumerate([(0.1, 2.0), (0.5, 1.0), (0.3, 0.8), (0.4, 0.9)], start=1):
        runs.append_log(tmp_path, {"epoch": number, "dev_uar": uar, "dev_loss": loss, "seconds": 2.0})
    found = scored(tmp_path, ObjectiveSettings(metric=metric))
    assert (found.value, found.best_epoch, found.epochs, found.seconds) == (value, epoch, 4, 8.0)


@pytest.mark.parametrize(("metric", "value"), [("uar", 0.5), ("weighted_f1", 0.6), ("loss", 1.2)])
def test_a_model_without_epochs_scores_what_it_has_on_dev(tmp_path, metric, value):
    write_text(tmp_path / runs.SETTINGS, "training: {checkpoint: best}")
    write_json(tmp_path / runs.METRICS, {"splits": {"dev": {"uar": 0.5, "weighted_f1": 0.6, "nll": 1.2}}})
    found = train_once(
        None, tmp_path, ObjectiveSettings(metric=metric), None, None
    )  # it is complete: nothing is trained
    assert (found.value, found.best_epoch, found.epochs) == (value, 0, 0)
