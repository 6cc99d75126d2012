"""Experiments of several seeds, and the difference of each experiment to the best."""

import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from emokit.predictions import Predictions
from emokit.report.comparison.paired import uar_difference
from emokit.report.comparison.ranking import experiments_of, standings
from emokit.report.page.mistakes import Detail
from emokit.report.page.render import render
from emokit.report.read_runs import Run, gather

MakeRun = Callable[..., Path]
Edit = Callable[..., None]


def runs_of(*folders: Path) -> list[Run]:
    return gather(folders)[0]


def test_runs_that_differ_only_in_seed_and_name_are_one_experiment(make_tested: MakeRun) -> None:
    seeds = [make_tested(f"seed-{number}", seed=number, training_seed=number) for number in (1, 2, 3)]
    other = make_tested("other", seed=4, skill=0.9)
    best, several = experiments_of(runs_of(*seeds, other))
    assert [len(experiment.runs) for experiment in (best, several)] == [1, 3]
    assert [best.name, several.name] == ["other", several.runs[0].settings["name"]]
    uars = [run.test.uar for run in runs_of(*seeds) if run.test]
    assert several.mean("uar") == pytest.approx(statistics.mean(uars))
    assert several.deviation("uar") == pytest.approx(statistics.stdev(uars))
    assert sorted(several.seeds) == [1, 2, 3]
    assert several.values("uar") == sorted(uars, reverse=True)


@pytest.mark.parametrize("what", ["settings", "data", "folds", "the same seed", "no seed"])
def test_runs_that_differ_in_more_than_the_seed_are_different_experiments(
    make_tested: MakeRun, edit: Edit, what: str
) -> None:
    first = make_tested("one", training_seed=1)
    second = make_tested("two", training_seed=1 if what == "the same seed" else 2)
    settings = yaml.safe_load((second / "settings.yaml").read_text())
    if what == "settings":
        settings["training"]["learning_rate"] = 0.5
    if what == "no seed":
        del settings["training"]["seed"]
    (second / "settings.yaml").write_text(yaml.safe_dump(settings))
    if what == "data":
        edit(second / "environment.json", lambda environment: environment.update(data_fingerprint="cd" * 32))
    if what == "folds":
        edit(second / "metrics.json", lambda metrics: metrics.update(policy="leave-one-speaker-out"))
    assert [len(experiment.runs) for experiment in experiments_of(runs_of(first, second))] == [1, 1]


def test_experiments_are_ranked_by_their_mean_not_their_best_seed(make_tested: MakeRun) -> None:
    lucky = make_tested("lucky", seed=1, skill=0.9, training_seed=1)
    unlucky = make_tested("unlucky", seed=2, skill=0.1, training_seed=2)
    steady = make_tested("steady", seed=3, skill=0.75)
    experiments = experiments_of(runs_of(lucky, unlucky, steady))
    assert [experiment.runs[0].name for experiment in experiments] == ["steady", "lucky"]


def test_an_experiment_that_does_not_differ_significantly_is_level(make_tested: MakeRun) -> None:
    runs = runs_of(
        make_tested("best", seed=1, skill=0.8),
        make_tested("level", seed=2, skill=0.77),
        make_tested("worse", seed=3, skill=0.2),
    )
    ranked = standings(experiments_of(runs))
    assert [(standing.experiment.name, standing.is_level) for standing in ranked] == [
        ("best", False),
        ("level", True),
        ("worse", False),
    ]
    assert ranked[0].difference is None
    for standing in ranked[1:]:
        expected = uar_difference([runs[0].tested], [standing.experiment.runs[0].tested])
        assert (standing.difference, standing.num_common) == expected


def test_a_run_without_predictions_has_a_problem_and_no_difference(make_tested: MakeRun, make_run: MakeRun) -> None:
    tested, plain = make_tested("tested", skill=0.9), make_run("plain", skill=0.1)
    damaged = make_tested("damaged", skill=0.5)
    (damaged / "predictions" / "test.parquet").write_bytes(b"PAR1")
    ranked = standings(experiments_of(runs_of(tested, plain, damaged)))
    problems = {standing.experiment.name: standing.problem for standing in ranked}
    assert problems["plain"] == (
        f"{plain} has no predictions/test.parquet, so it cannot be compared utterance by utterance; make the run again."
    )
    assert problems["damaged"].startswith(f"{damaged}/predictions/test.parquet is no readable parquet table (")


def test_a_run_without_a_test_split_comes_last_and_has_no_difference(make_tested: MakeRun, edit: Edit) -> None:
    untested, tested = make_tested("untested"), make_tested("tested", skill=0.1)
    edit(untested / "metrics.json", lambda metrics: metrics["splits"].pop("test"))
    ranked = standings(experiments_of(runs_of(untested, tested)))
    assert [standing.experiment.name for standing in ranked] == ["tested", "untested"]
    assert (ranked[1].difference, ranked[1].problem) == (None, "")


def page_of(*folders: Path) -> str:
    """The page without figures and mistakes."""
    runs = runs_of(*folders)
    details = {run.slug: Detail() for run in runs}
    return render(standings(experiments_of(runs)), [], {run.slug: [] for run in runs}, details)


def test_a_difference_over_too_few_speakers_is_marked_for_any_interval(
    make_tested: MakeRun, draw: Callable[..., Predictions]
) -> None:
    folders = [make_tested(f"r{number}", test=draw(1, number / 10, num_speakers=2)) for number in (9, 1)]
    best, other = standings(experiments_of(runs_of(*folders)))
    assert best.difference is None
    assert other.difference
    assert other.difference.interval
    assert other.difference.interval[1] < 0
    assert other.is_level
    page = page_of(*folders)
    assert page.count("too few to tell") == 1
    assert "with fewer than 6 speakers or dialogues no difference is significant." in page


def test_a_declaration_is_in_the_ranking_in_the_run_section_and_in_the_headline(make_run: MakeRun, edit: Edit) -> None:
    folder = make_run("own", skill=0.9)
    edit(folder / "metrics.json", lambda metrics: metrics.update(declared="<b>test audio</b> was used"))
    page = page_of(folder, make_run("plain", seed=2, skill=0.1))
    words = "&lt;b&gt;test audio&lt;/b&gt; was used"
    assert page.count(words) == 3
    assert page.count(f"to be declared: {words}<") == 1
    assert page.count(f"To be declared with these scores: {words}.") == 1
    assert page.count(f"To be declared with the scores of own: {words}.") == 1


def test_a_class_that_never_occurs_has_no_scores(make_run: MakeRun, edit: Edit) -> None:
    folder = make_run("own")
    absent = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    edit(folder / "metrics.json", lambda metrics: metrics["splits"]["test"]["per_class"].update(fear=absent))
    page = page_of(folder)
    assert '<data value="0" data-key="own/test/per_class/fear/support">0</data>' in page
    assert "own/dev/per_class/fear/recall" in page
    assert not [score for score in ("precision", "recall", "f1") if f"own/test/per_class/fear/{score}" in page]
