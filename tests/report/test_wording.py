import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emokit.report import wording
from emokit.report.gather import gather


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


def test_the_head_says_what_was_asked_what_came_out_and_what_to_be_careful_about(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_run("first")
    metrics = json.loads((folder / "metrics.json").read_text())
    test = metrics["splits"]["test"]
    test["uar"], test["interval"]["uar"] = 0.51234, [0.4, 0.62]
    test["baselines"]["simple"]["uar"], test["baselines"]["majority"]["uar"] = 0.45, 1 / 7
    (folder / "metrics.json").write_text(json.dumps(metrics))
    runs, unread = gather([folder, tmp_path / "nowhere"])
    lines = [line.replace("\u00a0", " ") for line in wording.headline(runs, unread)]
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
    runs, _ = gather([folder])
    words = "What is called ravdess was synthesised by emokit: no score on it holds for people."
    assert wording.headline(runs, [])[2].startswith(words)


def test_runs_of_different_data_are_said_to_be_no_comparison(make_run: Callable[..., Path]) -> None:
    one, other = make_run("one"), make_run("other")
    environment = json.loads((other / "environment.json").read_text())
    (other / "environment.json").write_text(json.dumps(environment | {"data_fingerprint": "cd" * 32}))
    runs, _ = gather([one, other])
    assert "The runs were made on different data, so their ranks are no comparison." in wording.headline(runs, [])[2]


def test_the_settings_that_differ_are_found_among_runs_of_one_kind(make_run: Callable[..., Path]) -> None:
    runs, _ = gather([make_run("a", seed=1), make_run("b", seed=2, skill=0.2), make_run("c", seed=3, kind="text")])
    first = next(run for run in runs if run.name == "a")
    assert wording.differing_settings(first, runs) == [
        ("training.learning_rate", "0.0005", "0.001"),
        ("training.mixup_alpha", "0.2", "0.0"),
    ]
    alone = next(run for run in runs if run.name == "c")
    assert wording.differing_settings(alone, runs) == []


def test_runs_tested_on_different_utterances_are_no_comparison(make_run: Callable[..., Path]) -> None:
    first, second = make_run("a"), make_run("b")
    metrics = json.loads((second / "metrics.json").read_text())
    metrics["splits"]["test"]["n"] -= 1
    (second / "metrics.json").write_text(json.dumps(metrics))
    runs, _ = gather([first, second])
    assert (
        "The runs were tested on different utterances, so their ranks are no comparison."
        in wording.headline(runs, [])[2]
    )


def test_the_commands_make_the_run_again(make_run: Callable[..., Path]) -> None:
    folder = make_run("with space")
    runs, _ = gather([folder])
    assert wording.commands(runs[0]) == [
        "emokit train audio experiments/audio/emodb_quick.yaml --data prepared --run 'runs/a b'",
        "# or from its resolved settings:",
        f"emokit train audio '{folder}/settings.yaml' --data prepared --run '{folder}-again'",
    ]


def test_what_the_run_took_stands_in_a_line(make_run: Callable[..., Path]) -> None:
    runs, _ = gather([make_run("a")])
    best = runs[0].metrics.best_epoch
    assert wording.outline(runs[0]) == (
        f"acrnn · audio · 1,234,567 parameters · best epoch {best} of 24 · trained in 1 min 28 s on cpu · "
        f"{runs[0].folder}"
    )
    assert wording.circumstances(runs[0]) == [
        "seed 1 · device cpu · Linux-6.1-x86_64 · started 2025-01-31T12:00:00+00:00 · emokit 0.1.0 · "
        "revision 0123456789ab+ · Python 3.11.7",
        "torch 2.12.1 · transformers 5.1.0 · librosa not installed",
    ]


def test_few_speakers_are_called_few(make_run: Callable[..., Path]) -> None:
    runs, _ = gather([make_run("few", num_clusters=2), make_run("many", num_clusters=40)])
    assert {run.name: wording.clusters(run.test) for run in runs if run.test} == {
        "few": "only 2 speakers",
        "many": "40 speakers",
    }
