"""The figures of a sweep: their numbers, axes and marks."""

from typing import Any

import pytest
from matplotlib.figure import Figure

from emokit.report.figures import sweep as sweep_figures
from emokit.schema.sweep import Dimension, Sweep


def sweep(**changes: Any) -> Sweep:
    """Six points over learning rate, schedule and, for the schedule plateau, its patience."""
    points: list[tuple[float, str, int | None, float, str]] = [
        (1e-4, "cosine", None, 0.5, "complete"),
        (1e-3, "cosine", None, 0.7, "complete"),
        (1e-2, "plateau", 3, 0.1, "collapsed"),
        (3e-3, "plateau", 5, 0.6, "pruned"),
        (2e-4, "cosine", None, 0.4, "pruned"),
        (5e-4, "plateau", 2, 0.8, "complete"),
    ]
    trials = [
        {
            "point": f"{number:04d}",
            "state": state,
            "params": {"training.lr": lr, "training.schedule": schedule}
            | ({"training.plateau_patience": patience} if patience else {}),
            "value": value,
            "epochs": 4,
        }
        for number, (lr, schedule, patience, value, state) in enumerate(points)
    ]
    return Sweep.model_validate(
        {
            "name": "s",
            "modality": "text",
            "objective": {"metric": "uar"},
            "sampler": "tpe",
            "pruner": "median",
            "max_epochs": 4,
            "points": 6,
            "counts": {"complete": 3},
            "epochs": 24,
            "is_complete": True,
            "dimensions": [
                {"field": "training.lr", "values": [1e-4, 1e-2], "is_range": True, "log": True},
                {"field": "training.schedule", "values": ["cosine", "plateau"]},
                {"field": "training.plateau_patience", "values": [2, 6], "is_range": True},
            ],
            "trials": trials,
            "importance": {"training.lr": 0.8, "training.schedule": 0.2},
            **changes,
        }
    )


def test_the_figures_come_with_their_numbers() -> None:
    drawings = sweep_figures.draw(sweep())
    assert list(drawings) == ["history", "importance", "slices", "parallel"]
    history = drawings["history"][1]
    assert history.header == ("point", "state", "value", "epochs")
    assert history.rows[2] == ("0002", "collapsed", 0.1, 4)
    assert drawings["importance"][1].rows == [("training.lr", 0.8), ("training.schedule", 0.2)]
    slices = drawings["slices"][1].rows
    assert len(slices) == 6 + 6 + 3  # a slice leaves out points without the field
    assert ("training.plateau_patience", "0005", "2", 0.8, "complete") in slices
    parallel = drawings["parallel"][1].rows
    assert parallel[0] == ("0000", "complete", 0.5, "0.0001", "cosine", "")
    assert drawings["importance"][1].alt_text == "Importance: lr 80 %, schedule 20 %."


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """The figures of the six points, by the first word of their description."""
    figures: dict[str, Figure] = {}
    real = sweep_figures.drawing

    def recording(paint: Any, height: float, alt_text: str, *rest: Any) -> Any:
        figure = figures[alt_text.split()[0]] = Figure()
        paint(figure)
        return real(paint, height, alt_text, *rest)

    monkeypatch.setattr(sweep_figures, "drawing", recording)
    sweep_figures.draw(sweep())
    return figures


def test_the_ends_of_parallel_axes_are_written_outside_them(figures: dict[str, Figure]) -> None:
    (axes,) = figures["Parallel"].axes
    marks = {text.get_text(): (text.xy[1], text.get_va()) for text in axes.texts}  # type: ignore[attr-defined]
    assert (marks["1e-4"], marks["0.01"]) == ((0, "top"), (1, "bottom"))
    assert (marks["10"], marks["80"]) == ((0, "top"), (1, "bottom"))  # of the score, in %


def test_whole_numbers_have_whole_ticks() -> None:
    axes = Figure().subplots()
    axes.set_xlim(2, 4)
    sweep_figures._ticks(axes, Dimension(field="training.plateau_patience", values=[2, 4], is_range=True))
    assert list(axes.get_xticks()) == [2, 3, 4]


def test_a_sweep_with_fewer_than_two_points_has_no_figures() -> None:
    full = sweep()
    assert sweep_figures.draw(full.model_copy(update={"trials": full.trials[:1]})) == {}
    assert sweep_figures.draw(full.model_copy(update={"trials": []})) == {}


def test_equal_scores_of_a_loss_are_drawn() -> None:
    level = [trial.model_copy(update={"value": 0.5}) for trial in sweep().trials]
    lowered = sweep(objective={"metric": "loss", "lower_is_better": True}).model_copy(update={"trials": level})
    assert set(sweep_figures.draw(lowered)) == {"history", "importance", "slices", "parallel"}


def test_only_the_six_most_important_fields_are_drawn() -> None:
    names = [f"training.f{number}" for number in range(9)]
    many = sweep(
        dimensions=[{"field": name, "values": [0, 1]} for name in names],
        importance={name: number / 36 for number, name in enumerate(names)},
    )
    trials = [trial.model_copy(update={"params": dict.fromkeys(names, 1)}) for trial in many.trials]
    header = sweep_figures.draw(many.model_copy(update={"trials": trials}))["parallel"][1].header
    assert header == ("point", "state", "value", *names[3:])


@pytest.mark.parametrize(
    ("values", "log", "is_log"),
    [([1e-4, 8e-4], False, True), ([16, 32], False, False), ([0.0, 0.2], False, False), (["a", "b"], False, False)],
)
def test_values_that_span_orders_of_magnitude_have_a_logarithmic_axis(
    values: list[Any], log: bool, is_log: bool
) -> None:
    assert Dimension(field="x", values=values, log=log).is_log == is_log
