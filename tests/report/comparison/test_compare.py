"""Verdicts and notes of comparisons, and their errors."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emokit.errors import DataError, UsageError
from emokit.predictions import Predictions
from emokit.report.comparison.compare import compare_runs, points_with_interval
from emokit.report.comparison.paired import Difference

MakeRun = Callable[..., Path]
Draw = Callable[..., Predictions]
Edit = Callable[..., None]


def test_a_difference_whose_interval_excludes_zero_is_significant(make_tested: MakeRun) -> None:
    bad, good = make_tested("before", seed=1, skill=0.2), make_tested("after", seed=2, skill=0.9)
    [compared] = compare_runs([bad, good])
    uar = compared.comparison.scores["uar"]
    assert uar.first is not None
    assert uar.second is not None
    assert uar.interval is not None
    low, high = uar.interval
    assert compared.verdict.replace("\u00a0", " ") == (
        "On the 140 common test utterances of 14 speakers, after has a UAR of "
        f"{100 * uar.second:.1f} % and before {100 * uar.first:.1f} %: the difference of "
        f"+{100 * (uar.second - uar.first):.1f} points (95 % interval +{100 * low:.1f} to +{100 * high:.1f}) "
        "is significant."
    )
    assert compared.comparison.mcnemar is not None
    assert compared.notes == [
        f"McNemar's test ({compared.comparison.mcnemar.test}) assumes independent utterances, "
        "which those of one speaker are not; the intervals do not assume it."
    ]


@pytest.mark.parametrize("last", ["a", "b/../a"])
def test_a_run_that_is_named_twice_is_refused(make_tested: MakeRun, last: str) -> None:
    first, second = make_tested("a", seed=1), make_tested("b", seed=2)
    again = first.parent / last
    with pytest.raises(UsageError) as error:
        compare_runs([first, second, again])
    assert str(error.value) == (f"{again} was named twice, and a comparison is between different runs; name it once.")


def test_a_difference_whose_interval_contains_zero_is_not_significant(make_tested: MakeRun) -> None:
    [compared] = compare_runs([make_tested("a", seed=1, skill=0.6), make_tested("b", seed=2, skill=0.6)])
    assert compared.verdict.endswith(" is not significant.")


def test_utterances_without_clusters_are_not_called_speakers(make_tested: MakeRun, draw: Draw) -> None:
    runs = [make_tested(name, test=draw(seed, 0.6, num_speakers=140)) for seed, name in enumerate("ab")]
    [compared] = compare_runs(runs)
    assert compared.verdict.startswith("On the 140 common test utterances, b has a UAR of ")
    assert compared.notes == []


def test_few_speakers_are_noted(make_tested: MakeRun, draw: Draw) -> None:
    runs = [make_tested(name, test=draw(seed, 0.6, num_speakers=2)) for seed, name in enumerate("ab")]
    [compared] = compare_runs(runs)
    assert compared.notes[0] == "The intervals are over only 2 speakers, so they say little about new ones."


def test_a_difference_over_two_speakers_is_never_significant(make_tested: MakeRun, draw: Draw) -> None:
    runs = [make_tested(f"r{skill}", test=draw(1, skill, num_speakers=2)) for skill in (0.1, 0.9)]
    [compared] = compare_runs(runs)
    assert compared.comparison.scores["uar"].interval is not None
    assert compared.comparison.scores["uar"].interval[0] > 0
    assert compared.verdict.endswith(" cannot be significant over 2 speakers; at least 6 are needed.")


def test_a_declaration_is_a_note_of_the_comparison(make_tested: MakeRun, edit: Edit) -> None:
    first, second = make_tested("first", seed=1), make_tested("second", seed=2)
    edit(second / "metrics.json", lambda metrics: metrics.update(declared="test audio was used"))
    [compared] = compare_runs([first, second])
    assert compared.notes[0] == "To be declared with second: test audio was used."


def test_the_number_of_common_utterances_of_different_data_is_noted(make_tested: MakeRun, draw: Draw) -> None:
    drawn = draw(2, 0.5)
    fewer = replace(drawn, table=drawn.table.iloc[:60].reset_index(drop=True))
    first, second = make_tested("first"), make_tested("second", test=fewer, fingerprint="cd" * 32)
    [compared] = compare_runs([first, second])
    assert compared.notes[0] == (
        "The runs were made from different data, so only their 60 common test utterances count "
        "(first has 140, second 60)."
    )
    third = make_tested("third", test=fewer)
    assert (
        compare_runs([first, third])[0]
        .notes[0]
        .startswith("The runs were tested on different utterances, so only their 60 common")
    )


def test_seeds_are_one_side_with_mean_and_deviation(make_tested: MakeRun) -> None:
    seeds = [make_tested(f"seed{number}", seed=number, training_seed=number) for number in (1, 2, 3)]
    [compared] = compare_runs([make_tested("single", seed=9, skill=0.2), *seeds])
    plain = compared.as_dict()
    assert plain["first"] == {"name": "single", "runs": [str(compared.first.runs[0].folder)]}
    assert sorted(plain["second"]["runs"]) == [str(seed) for seed in seeds]
    uars = [json.loads((seed / "metrics.json").read_text())["splits"]["test"]["uar"] for seed in seeds]
    assert plain["second"]["mean"]["uar"] == pytest.approx(sum(uars) / 3)
    assert plain["mcnemar"] is None
    assert "McNemar's test applies to two single runs only." in compared.notes[-1]
    json.dumps(plain, allow_nan=False)


def test_the_first_run_is_compared_with_each_other(make_tested: MakeRun) -> None:
    runs = [make_tested(name, seed=number) for number, name in enumerate("cab")]
    assert [compared.names for compared in compare_runs(runs)] == [("c", "a"), ("c", "b")]


def test_runs_of_equal_names_are_named_by_their_folders(make_tested: MakeRun) -> None:
    first, second = make_tested("x/run", seed=1), make_tested("y/run", seed=2)
    assert compare_runs([first, second])[0].names == (str(first), str(second))


def test_fewer_than_two_experiments_are_refused(
    make_tested: MakeRun, refusal: Callable[[Path], str], tmp_path: Path
) -> None:
    run = make_tested("one", training_seed=1)
    hint = "so there is nothing to compare; name a run of another experiment beside it."
    with pytest.raises(UsageError) as alone:
        compare_runs([run])
    assert str(alone.value) == f"Only one run was named, {hint}"
    with pytest.raises(UsageError) as seeds:
        compare_runs([run, make_tested("two", training_seed=2)])
    assert str(seeds.value) == f"The 2 runs are seeds of one experiment, {hint}"
    with pytest.raises(UsageError) as none:
        compare_runs([])
    assert str(none.value) == "No run folder was named; name one or more, as `emokit train` makes them with --run."
    with pytest.raises(DataError) as no_run:
        compare_runs([run, tmp_path])
    assert str(no_run.value) == refusal(tmp_path)


def test_a_run_with_another_label_set_is_refused(make_tested: MakeRun) -> None:
    run, other = make_tested("seven"), make_tested("two")
    metrics = json.loads((other / "metrics.json").read_text())
    split = metrics["splits"]["test"]
    split |= {
        "n": 2,
        "confusion": [[1, 0], [0, 1]],
        "per_class": dict.fromkeys(("good", "bad"), split["per_class"]["sad"]),
    }
    (other / "metrics.json").write_text(json.dumps(metrics | {"labels": ["good", "bad"], "splits": {"test": split}}))
    with pytest.raises(DataError) as refused:
        compare_runs([run, other])
    assert str(refused.value) == (
        f"{other} has the labels good, bad, but {run} has angry, disgust, fear, happy, neutral, sad, surprise; "
        "report runs with different label sets separately, or compare two with --compare --map OLD=NEW."
    )


def test_a_run_without_predictions_is_refused(make_tested: MakeRun, make_run: MakeRun) -> None:
    plain = make_run("plain", seed=5)
    with pytest.raises(DataError) as refused:
        compare_runs([make_tested("tested"), plain])
    assert str(refused.value) == (
        f"{plain} has no predictions/test.parquet, so it cannot be compared utterance by utterance; make the run again."
    )


def test_a_difference_is_written_in_points() -> None:
    assert points_with_interval(Difference(0.5, 0.4877, -0.0123, (-0.05, 0.02))) == "−1.2 (−5.0 to +2.0)"
    assert points_with_interval(Difference(0.5, 0.6, 0.1, None)) == "+10.0"
    assert points_with_interval(Difference(None, 0.6, None, None)) == "–"
