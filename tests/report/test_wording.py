import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emokit.report import wording
from emokit.report.comparison.ranking import Standing, experiments_of, standings
from emokit.report.read_runs import gather


def ranked(*folders: Path) -> list[Standing]:
    return standings(experiments_of(gather(folders)[0]))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (1.24, "1.2 s"), (42.4, "42 s"), (88.1, "1 min 28 s"), (59.7, "1 min 00 s"), (11100, "3 h 05 min")],
)
def test_a_duration_is_said_as_people_say_it(seconds: float | None, words: str) -> None:
    assert wording.duration(seconds) == words


def test_numbers_are_rounded_for_reading() -> None:
    assert (wording.percent(0.61349), wording.percent(None)) == ("61.3", "–")
    assert wording.three(1.23456) == "1.235"
    assert wording.whole(1234567) == "1,234,567"
    assert wording.counted(1, "speaker") == "1 speaker"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert (wording.points(0.031), wording.points(-0.0042), wording.points(None)) == ("+3.1", "−0.4", "–")
    assert (wording.chance(0.01234), wording.chance(4e-8)) == ("p = 0.012", "p < 0.001")


def test_the_head_says_what_was_asked_what_came_out_and_what_to_be_careful_about(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_run("first")
    metrics = json.loads((folder / "metrics.json").read_text())
    test = metrics["splits"]["test"]
    test["uar"], test["interval"]["uar"] = 0.51234, [0.4, 0.62]
    test["baselines"]["simple"]["uar"], test["baselines"]["majority"]["uar"] = 0.45, 1 / 7
    (folder / "metrics.json").write_text(json.dumps(metrics))
    _, unread = gather([folder, tmp_path / "nowhere"])
    lines = [line.replace("\u00a0", " ") for line in wording.headline(ranked(folder), unread)]
    assert lines == [
        "1 run was made to tell angry, disgust, fear, happy, neutral, sad and surprise apart in speech, "
        "on emodb and ravdess.",
        "first has the best unweighted average recall on test: 51.2 % (95 % interval 40.0–62.0 %), "
        "beside 14.3 % by the majority baseline and 45.0 % by the simple baseline.",
        "Its interval does not lie above the simple baseline. The interval rests on only 2 speakers, "
        "so it says little about how the model does on new ones. 1 folder could not be read; the table says why.",
    ]


def test_scores_on_synthesised_corpora_are_said_to_be_no_scores_on_people(make_run: Callable[..., Path]) -> None:
    folder = make_run("demo")
    ledger = json.loads((folder / "ledger.json").read_text())
    ledger["corpora"]["ravdess"]["title"] += " (synthesised by emokit)"
    (folder / "ledger.json").write_text(json.dumps(ledger))
    words = "What is called ravdess was synthesised by emokit: no score on it holds for people."
    assert wording.headline(ranked(folder), [])[2].startswith(words)


def test_runs_of_different_data_are_said_to_be_no_comparison(make_run: Callable[..., Path]) -> None:
    one, other = make_run("one"), make_run("other")
    environment = json.loads((other / "environment.json").read_text())
    (other / "environment.json").write_text(json.dumps(environment | {"data_fingerprint": "cd" * 32}))
    words = "The runs were made on different data, so compare them by the difference on common utterances, not by rank."
    assert words in wording.headline(ranked(one, other), [])[2]


def test_runs_tested_on_different_utterances_are_no_comparison(make_run: Callable[..., Path]) -> None:
    first, second = make_run("a"), make_run("b")
    metrics = json.loads((second / "metrics.json").read_text())
    metrics["splits"]["test"]["n"] -= 1
    (second / "metrics.json").write_text(json.dumps(metrics))
    words = "The runs were tested on different utterances, so compare them by the difference on the common ones, not by rank."
    assert words in wording.headline(ranked(first, second), [])[2]


def test_seeds_are_headed_by_their_mean_and_what_is_level_is_named(make_tested: Callable[..., Path]) -> None:
    seeds = [make_tested(f"seed{number}", seed=number, skill=0.8, training_seed=number) for number in (1, 2)]
    level = make_tested("level", seed=3, skill=0.75)
    found = ranked(*seeds, level, make_tested("worse", seed=4, skill=0.2))
    best = found[0].experiment
    assert wording.headline(found, [])[1].replace("\u00a0", " ") == (
        f"{best.name} has the best unweighted average recall on test: {100 * best.mean('uar'):.1f} % on average over 2 seeds, "
        f"with a standard deviation of {100 * best.deviation('uar'):.1f} points. level cannot be told from it."
    )


def test_few_speakers_are_called_few(make_run: Callable[..., Path]) -> None:
    runs, _ = gather([make_run("few", num_clusters=2), make_run("many", num_clusters=40)])
    assert {run.name: wording.clusters(run.test) for run in runs if run.test} == {
        "few": "only 2 speakers",
        "many": "40 speakers",
    }


def test_utterances_that_nobody_is_known_to_have_said_are_not_called_speakers(make_run: Callable[..., Path]) -> None:
    [run], _ = gather([make_run("comments")])
    assert run.test
    alone = run.test.model_copy(update={"num_clusters": run.test.n})
    assert wording.clusters(alone) == "each utterance by itself"
    assert wording.clusters(run.test.model_copy(update={"num_clusters": 1, "n": 1})) == "only 1 speaker"
