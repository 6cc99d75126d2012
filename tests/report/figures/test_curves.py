"""Learning curves: their numbers, and logs with few epochs or values that are not finite."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

from emokit.report.figures.curves import learning_curves
from emokit.report.read_runs import read_run


def test_a_csv_reproduces_the_learning_curves_to_the_last_digit(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = read_run(make_run(), "emodb")
    learning_curves(run.epochs, run.metrics.best_epoch).write(tmp_path, "curves")
    with (tmp_path / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for key in ("epoch", "train_loss", "dev_loss", "dev_uar"):
        assert [float(row[key]) for row in rows] == [epoch[key] for epoch in run.epochs]
    assert [int(row["epoch"]) for row in rows if row["best"] == "1"] == [run.metrics.best_epoch]


def test_one_epoch_and_losses_that_are_not_finite_are_drawn() -> None:
    epochs = [{"epoch": 1, "train_loss": math.nan, "dev_loss": None, "dev_uar": 0.2}]
    drawing = learning_curves(epochs, 1)
    assert drawing.alt_text == (
        "Learning curves over 1 epoch: loss on train and dev, unweighted average recall on dev, "
        "best at epoch 1 with 20.0 %."
    )
    assert math.isnan(learning_curves([{"epoch": 1}, {"epoch": 2, "dev_uar": "x"}], 2).rows[1][3])
