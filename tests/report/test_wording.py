from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emokit.report import wording
from emokit.report.comparison.ranking import Standing, experiments_of, standings
from emokit.report.read_runs import gather

MakeRun = Callable[..., Path]
Edit = Callable[..., None]


def ranked(*folders: Path) -> list[Standing]:
    return standings(experiments_of(gather(folders)[0]))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (1.24, "1.2 s"), (42.4, "42 s"), (88.1, "1 min 28 s"), (59.7, "1 min 00 s"), (11100, "3 h 05 min")],
)
def test_durations_are_rounded_for_reading(seconds: float | None, words: str) -> None:
    assert wording.duration(seconds) == words


def test_numbers_are_rounded_for_reading() -> None:
    assert (wording.percent(0.61349), wording.percent(None)) == ("61.3", "–")
    assert wording.three_decimals(1.23456) == "1.235"
    assert wording.thousands(1234567) == "1,234,567"
    assert wording.counted(1, "speaker") == "1 speaker"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert (wording.points(0.031), wording.points(-0.0042), wording.points(None)) == ("+3.1", "−0.4", "–")
    assert (wording.p_value(0.01234), wording.p_value(4e-8)) == ("p = 0.012", "p < 0.001")


def test_the_headline_states_task_result_and_caveats(make_run: MakeRun, edit: Edit, tmp_path: Path) -> None:
    def change(metrics: dict[str, Any]) -> None:
        test = metrics["splits"]["test"]
        test["uar"], test["interval"]["uar"] = 0.51234, [0.4, 0.62]
        test["baselines"]["simple"]["uar"], test["baselines"]["majority"]["uar"] = 0.45, 1 / 7

    folder = make_run("first")
    edit(folder / "metrics.json", change)
    _, unread = gather([folder, tmp_path / "nowhere"])
    lines = [line.replace("\u00a0", " ") for line in wording.headline(ranked(folder), unread)]
    assert lines == [
        "1 run distinguishes angry, disgust, fear, happy, neutral, sad and surprise in speech, on emodb and ravdess.",
        "first has the best unweighted average recall on test: 51.2 % (95 % interval 40.0–62.0 %), "
        "against 14.3 % by the majority baseline and 45.0 % by the simple baseline.",
        "The interval of first is not above its simple baseline. The interval of first is over only 2 speakers, "
        "so it says little about new ones. 1 folder could not be read; the table has the reasons.",
    ]


def test_the_medium_of_an_unknown_modality_is_not_named(make_run: MakeRun) -> None:
    folders = [make_run("a", modality="audio"), make_run("b", modality="smell")]
    assert wording.headline(ranked(*folders), [])[0] == (
        "2 runs distinguish angry, disgust, fear, happy, neutral, sad and surprise in speech, on emodb and ravdess."
    )
    assert wording.headline(ranked(folders[1]), [])[0] == (
        "1 run distinguishes angry, disgust, fear, happy, neutral, sad and surprise, on emodb and ravdess."
    )


def test_scores_on_synthesised_corpora_do_not_apply_to_people(make_run: MakeRun, edit: Edit) -> None:
    folder = make_run("demo")
    title = "Speech (synthesised by emokit)"
    edit(folder / "ledger.json", lambda ledger: ledger["corpora"]["ravdess"].update(title=title))
    assert wording.headline(ranked(folder), [])[2].startswith(
        "The data of ravdess were synthesised by emokit: scores on them do not apply to people."
    )


def test_a_ranking_of_runs_on_different_data_is_cautioned(make_run: MakeRun) -> None:
    folders = make_run("first"), make_run("second", fingerprint="cd" * 32)
    caveat = "The runs were made from different data; compare them by the difference on common utterances, not by rank."
    assert caveat in wording.headline(ranked(*folders), [])[2]


def test_a_run_that_is_the_simple_baseline_is_not_warned_about_it(make_run: MakeRun, edit: Edit) -> None:
    def without_simple(metrics: dict[str, Any]) -> None:
        del metrics["splits"]["test"]["baselines"]["simple"]

    folder = make_run("a")
    edit(folder / "metrics.json", lambda metrics: metrics["splits"]["test"]["baselines"]["simple"].update(uar=0.99))
    assert "The interval of a is not above its simple baseline." in " ".join(wording.headline(ranked(folder), []))
    edit(folder / "metrics.json", without_simple)
    assert "simple" not in " ".join(wording.headline(ranked(folder), []))


def test_a_ranking_of_runs_tested_on_different_utterances_is_cautioned(make_run: MakeRun, edit: Edit) -> None:
    first, second = make_run("a"), make_run("b")

    def without_one(metrics: dict[str, Any]) -> None:
        split = metrics["splits"]["test"]
        split["n"] -= 1
        split["confusion"][0][0] -= 1

    edit(second / "metrics.json", without_one)
    caveat = "The runs were tested on different utterances; compare them by the difference on common ones, not by rank."
    assert caveat in wording.headline(ranked(first, second), [])[2]


def test_the_best_of_many_runs_is_called_optimistic(make_run: MakeRun) -> None:
    folders = [make_run(f"run {number}", skill=number / 10) for number in range(10)]
    caveat = "The best of 10 scores on test is optimistic; select among runs on dev."
    assert caveat in wording.headline(ranked(*folders), [])[2]
    assert caveat not in wording.headline(ranked(*folders[:9]), [])[2]


def test_the_headline_of_seeds_has_their_mean_and_names_runs_that_do_not_differ(make_tested: MakeRun) -> None:
    seeds = [make_tested(f"seed{number}", seed=number, skill=0.8, training_seed=number) for number in (1, 2)]
    level = make_tested("level", seed=3, skill=0.75)
    standings_of = ranked(*seeds, level, make_tested("worse", seed=4, skill=0.2))
    best = standings_of[0].experiment
    assert wording.headline(standings_of, [])[1].replace("\u00a0", " ") == (
        f"{best.name} has the best unweighted average recall on test: {100 * best.mean('uar'):.1f} % on average over 2 seeds, "
        f"with a standard deviation of {100 * best.deviation('uar'):.1f} points. level does not differ significantly from it."
    )


def test_few_speakers_are_marked_with_only(make_run: MakeRun) -> None:
    complete, _ = gather([make_run("few", num_clusters=2), make_run("many", num_clusters=40)])
    assert {run.name: wording.clusters(run.test) for run in complete if run.test} == {
        "few": "only 2 speakers",
        "many": "40 speakers",
    }


def test_utterances_without_known_speakers_are_not_counted_as_speakers(make_run: MakeRun) -> None:
    [run], _ = gather([make_run("comments")])
    assert run.test
    alone = run.test.model_copy(update={"num_clusters": run.test.n})
    assert wording.clusters(alone) == "each utterance by itself"
    assert wording.clusters(run.test.model_copy(update={"num_clusters": 1, "n": 1})) == "only 1 speaker"
