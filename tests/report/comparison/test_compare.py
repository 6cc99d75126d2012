"""What a comparison says in words, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emokit.errors import DataError, UsageError
from emokit.predictions import Predictions
from emokit.report.comparison.compare import compare_runs, said
from emokit.report.comparison.paired import Difference

MakeRun = Callable[..., Path]
Draw = Callable[..., Predictions]


def test_a_difference_that_is_told_apart_is_said_to_be(make_tested: MakeRun, draw: Draw) -> None:
    bad, good = make_tested("before", seed=1, skill=0.2), make_tested("after", seed=2, skill=0.9)
    [one] = compare_runs([bad, good])
    uar = one.found.scores["uar"]
    assert uar.first is not None
    assert uar.second is not None
    assert uar.interval is not None
    low, high = uar.interval
    assert one.verdict.replace("\u00a0", " ") == (
        "On the 140 test utterances that both have of 14 speakers, after reaches a UAR of "
        f"{100 * uar.second:.1f} % and before {100 * uar.first:.1f} %: the difference of "
        f"+{100 * (uar.second - uar.first):.1f} points (95 % interval +{100 * low:.1f} to +{100 * high:.1f}) "
        "is told apart from zero."
    )
    assert one.notes == [
        f"McNemar's test ({one.found.mcnemar.test if one.found.mcnemar else ''}) takes utterances as independent, which those "
        "of one speaker are not; the intervals do not."
    ]


def test_a_difference_whose_interval_has_zero_is_called_that(make_tested: MakeRun) -> None:
    [one] = compare_runs([make_tested("a", seed=1, skill=0.6), make_tested("b", seed=2, skill=0.6)])
    assert one.verdict.endswith("cannot be told from zero.")


def test_utterances_that_do_not_belong_together_are_not_called_speakers(make_tested: MakeRun, draw: Draw) -> None:
    runs = [make_tested(name, found=draw(seed, 0.6, num_speakers=140)) for seed, name in enumerate("ab")]
    [one] = compare_runs(runs)
    assert one.verdict.startswith("On the 140 test utterances that both have, b reaches a UAR of ")
    assert one.notes == []


def test_few_speakers_are_said_to_be_few(make_tested: MakeRun, draw: Draw) -> None:
    runs = [make_tested(name, found=draw(seed, 0.6, num_speakers=2)) for seed, name in enumerate("ab")]
    [one] = compare_runs(runs)
    assert one.notes[0] == "The intervals rest on only 2 speakers, so they say little about new ones."


def test_two_speakers_tell_nothing_apart(make_tested: MakeRun, draw: Draw) -> None:
    runs = [make_tested(f"r{skill}", found=draw(1, skill, num_speakers=2)) for skill in (0.1, 0.9)]
    [one] = compare_runs(runs)
    assert one.found.scores["uar"].interval is not None
    assert one.found.scores["uar"].interval[0] > 0
    assert one.verdict.endswith(" cannot be told from zero by 2 speakers; it takes 6 or more.")


def test_what_is_to_be_declared_is_a_note_of_the_comparison(make_tested: MakeRun) -> None:
    first, second = make_tested("first", seed=1), make_tested("second", seed=2)
    metrics = json.loads((second / "metrics.json").read_text())
    (second / "metrics.json").write_text(json.dumps(metrics | {"declared": "their sound was used"}))
    [one] = compare_runs([first, second])
    assert one.notes[0] == "To be declared with second: their sound was used."


def test_runs_of_different_data_say_how_many_utterances_count(make_tested: MakeRun, draw: Draw) -> None:
    part = draw(2, 0.5)
    part = Predictions(part.table.iloc[:60].reset_index(drop=True), part.model, part.fingerprint)
    first, second = make_tested("first"), make_tested("second", found=part, fingerprint="cd" * 32)
    [one] = compare_runs([first, second])
    assert one.notes[0] == (
        "The runs were made on different data, so only the 60 test utterances that both have count "
        "(first has 140, second 60)."
    )
    third = make_tested("third", found=part)
    assert (
        compare_runs([first, third])[0]
        .notes[0]
        .startswith("The runs were tested on different utterances, so only the 60")
    )


def test_seeds_are_one_side_with_mean_and_spread(make_tested: MakeRun) -> None:
    seeds = [make_tested(f"seed{number}", seed=number, training_seed=number) for number in (1, 2, 3)]
    [one] = compare_runs([make_tested("single", seed=9, skill=0.2), *seeds])
    plain = one.as_dict()
    assert plain["first"] == {"name": "single", "runs": [str(one.first.runs[0].folder)]}
    assert sorted(plain["second"]["runs"]) == [str(seed) for seed in seeds]
    uars = [json.loads((seed / "metrics.json").read_text())["splits"]["test"]["uar"] for seed in seeds]
    assert plain["second"]["mean"]["uar"] == pytest.approx(sum(uars) / 3)
    assert plain["mcnemar"] is None
    assert "McNemar's test is of two single runs." in one.notes[-1]
    json.dumps(plain, allow_nan=False)


def test_the_first_named_is_held_against_each_other(make_tested: MakeRun) -> None:
    runs = [make_tested(name, seed=number) for number, name in enumerate("cab")]
    assert [one.names for one in compare_runs(runs)] == [("c", "a"), ("c", "b")]


def test_namesakes_are_called_by_their_folders(make_tested: MakeRun) -> None:
    one, other = make_tested("x/run", seed=1), make_tested("y/run", seed=2)
    assert compare_runs([one, other])[0].names == (str(one), str(other))


def test_nothing_to_compare_is_said_in_a_sentence(make_tested: MakeRun, tmp_path: Path) -> None:
    run = make_tested("one", training_seed=1)
    hint = "so there is nothing to compare; name a run of another experiment beside it."
    with pytest.raises(UsageError) as alone:
        compare_runs([run, run])
    assert str(alone.value) == f"Only one run was named, {hint}"
    with pytest.raises(UsageError) as seeds:
        compare_runs([run, make_tested("two", training_seed=2)])
    assert str(seeds.value) == f"The 2 runs are seeds of one experiment, {hint}"
    with pytest.raises(UsageError) as none:
        compare_runs([])
    assert str(none.value) == "No run folder was named; name one or more, as `emokit train` makes them with --run."
    with pytest.raises(DataError) as no_run:
        compare_runs([run, tmp_path])
    assert (
        str(no_run.value)
        == f"{tmp_path} has no settings.yaml, so it is no run folder; name one that `emokit train` made."
    )


def test_runs_of_other_classes_are_refused(make_tested: MakeRun) -> None:
    run, other = make_tested("seven"), make_tested("two")
    metrics = json.loads((other / "metrics.json").read_text())
    split = metrics["splits"]["test"]
    split |= {"confusion": [[1, 0], [0, 1]], "per_class": dict.fromkeys(("good", "bad"), split["per_class"]["sad"])}
    (other / "metrics.json").write_text(json.dumps(metrics | {"labels": ["good", "bad"], "splits": {"test": split}}))
    with pytest.raises(DataError) as refused:
        compare_runs([run, other])
    assert str(refused.value) == (
        f"{other} tells good, bad apart and {run} angry, disgust, fear, happy, neutral, sad, surprise; "
        "report runs of other classes on a page of their own."
    )


def test_a_run_without_predictions_is_refused(make_tested: MakeRun, make_run: MakeRun) -> None:
    plain = make_run("plain", seed=5)
    with pytest.raises(DataError) as refused:
        compare_runs([make_tested("tested"), plain])
    assert str(refused.value) == (
        f"{plain} has no predictions/test.parquet, so it cannot be compared utterance by utterance; make the run again."
    )


def test_a_difference_is_written_in_points() -> None:
    assert said(Difference(0.5, 0.4877, -0.0123, (-0.05, 0.02))) == "−1.2 (−5.0 to +2.0)"
    assert said(Difference(0.5, 0.6, 0.1, None)) == "+10.0"
    assert said(Difference(None, 0.6, None, None)) == "–"
