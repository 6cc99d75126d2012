"""Seeds of one experiment, and where each experiment stands to the best."""

import json
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


def runs_of(*folders: Path) -> list[Run]:
    return gather(folders)[0]


def change(run: Path, name: str, **values: object) -> None:
    found = json.loads((run / name).read_text())
    (run / name).write_text(json.dumps(found | values))


def test_runs_that_differ_in_their_seed_and_name_alone_are_one_experiment(make_tested: MakeRun) -> None:
    seeds = [make_tested(f"seed {number}", seed=number, training_seed=number) for number in (1, 2, 3)]
    other = make_tested("other", seed=4, skill=0.9)
    found = experiments_of(runs_of(*seeds, other))
    assert [len(one.runs) for one in found] == [1, 3]
    assert [one.name for one in found] == ["other", found[1].runs[0].settings["name"]]
    uars = [run.test.uar for run in runs_of(*seeds) if run.test]
    assert found[1].mean("uar") == pytest.approx(statistics.mean(uars))
    assert found[1].deviation("uar") == pytest.approx(statistics.stdev(uars))
    assert sorted(found[1].seeds) == [1, 2, 3]
    assert found[1].values("uar") == sorted(uars, reverse=True)


@pytest.mark.parametrize("what", ["settings", "data", "folds", "the same seed", "no seed"])
def test_what_differs_in_more_than_the_seed_is_another_experiment(make_tested: MakeRun, what: str) -> None:
    first = make_tested("one", training_seed=1)
    second = make_tested("two", training_seed=1 if what == "the same seed" else 2)
    settings = yaml.safe_load((second / "settings.yaml").read_text())
    if what == "settings":
        settings["training"]["learning_rate"] = 0.5
    if what == "no seed":
        del settings["training"]["seed"]
    (second / "settings.yaml").write_text(yaml.safe_dump(settings))
    if what == "data":
        change(second, "environment.json", data_fingerprint="cd" * 32)
    if what == "folds":
        change(second, "metrics.json", policy="leave-one-speaker-out")
    assert [len(one.runs) for one in experiments_of(runs_of(first, second))] == [1, 1]


def test_the_best_mean_goes_before_the_best_seed(make_tested: MakeRun) -> None:
    lucky = make_tested("lucky", seed=1, skill=0.9, training_seed=1)
    unlucky = make_tested("unlucky", seed=2, skill=0.1, training_seed=2)
    steady = make_tested("steady", seed=3, skill=0.75)
    found = experiments_of(runs_of(lucky, unlucky, steady))
    assert [one.runs[0].name for one in found] == ["steady", "lucky"]


def test_a_difference_that_cannot_be_told_from_zero_is_marked(make_tested: MakeRun) -> None:
    runs = runs_of(
        make_tested("best", seed=1, skill=0.8),
        make_tested("level", seed=2, skill=0.77),
        make_tested("worse", seed=3, skill=0.2),
    )
    found = standings(experiments_of(runs))
    assert [(one.experiment.name, one.is_level) for one in found] == [
        ("best", False),
        ("level", True),
        ("worse", False),
    ]
    assert found[0].difference is None
    for one in found[1:]:
        assert (one.difference, one.num_common) == uar_difference([runs[0].tested], [one.experiment.runs[0].tested])


def test_a_run_without_predictions_has_a_sentence_for_a_difference(make_tested: MakeRun, make_run: MakeRun) -> None:
    tested, plain = make_tested("tested", skill=0.9), make_run("plain", skill=0.1)
    damaged = make_tested("damaged", skill=0.5)
    (damaged / "predictions" / "test.parquet").write_bytes(b"PAR1")
    found = {one.experiment.name: one for one in standings(experiments_of(runs_of(tested, plain, damaged)))}
    assert found["plain"].problem == (
        f"{plain} has no predictions/test.parquet, so it cannot be compared utterance by utterance; make the run again."
    )
    assert found["damaged"].problem.startswith(f"{damaged}/predictions/test.parquet is no readable parquet table (")


def test_a_run_without_a_test_split_comes_last_and_has_no_difference(make_tested: MakeRun) -> None:
    untested, tested = make_tested("untested"), make_tested("tested", skill=0.1)
    metrics = json.loads((untested / "metrics.json").read_text())
    del metrics["splits"]["test"]
    (untested / "metrics.json").write_text(json.dumps(metrics))
    found = standings(experiments_of(runs_of(untested, tested)))
    assert [one.experiment.name for one in found] == ["tested", "untested"]
    assert (found[1].difference, found[1].problem) == (None, "")


def page_of(*folders: Path) -> str:
    """The page without figures and mistakes."""
    runs = runs_of(*folders)
    details = {run.slug: Detail() for run in runs}
    return render(standings(experiments_of(runs)), [], {run.slug: [] for run in runs}, details)


def test_a_difference_over_too_few_speakers_is_marked_whatever_its_interval(
    make_tested: MakeRun, draw: Callable[..., Predictions]
) -> None:
    folders = [make_tested(f"r{number}", found=draw(1, number / 10, num_speakers=2)) for number in (9, 1)]
    best, other = standings(experiments_of(runs_of(*folders)))
    assert best.difference is None
    assert other.difference
    assert other.difference.interval
    assert other.difference.interval[1] < 0
    assert other.is_level
    page = page_of(*folders)
    assert page.count("too few to tell") == 1
    assert "it takes 6 speakers or dialogues to tell any." in page


def test_what_is_to_be_declared_stands_in_the_ranking_the_section_and_at_the_head(make_run: MakeRun) -> None:
    folder = make_run("own", skill=0.9)
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(metrics | {"declared": "<b>their sound</b> was used"}))
    page = page_of(folder, make_run("plain", seed=2, skill=0.1))
    words = "&lt;b&gt;their sound&lt;/b&gt; was used"
    assert page.count(words) == 3
    assert page.count(f"to be declared: {words}<") == 1
    assert page.count(f"To be declared with these scores: {words}.") == 1
    assert page.count(f"To be declared with the scores of own: {words}.") == 1


def test_a_class_that_never_occurs_has_no_scores(make_run: MakeRun) -> None:
    folder = make_run("own")
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["splits"]["test"]["per_class"]["fear"] = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    page = page_of(folder)
    assert '<data value="0" data-key="own/test/per_class/fear/support">0</data>' in page
    assert "own/dev/per_class/fear/recall" in page
    assert not [score for score in ("precision", "recall", "f1") if f"own/test/per_class/fear/{score}" in page]
