import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emokit.errors import DataError, UsageError
from emokit.report.read_runs import gather, read_run


def change(path: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    value = json.loads(path.read_text())
    edit(value)
    path.write_text(json.dumps(value))


def test_a_run_is_read_whole(make_run: Callable[..., Path]) -> None:
    folder = make_run()
    (folder / "predictions").mkdir()
    (folder / "predictions" / "test.parquet").touch()
    run = read_run(folder, "emodb")
    raw = json.loads((folder / "metrics.json").read_text())
    assert run.test is not None
    assert run.test.uar == raw["splits"]["test"]["uar"]
    assert run.test.interval["uar"] == tuple(raw["splits"]["test"]["interval"]["uar"])
    assert [epoch["epoch"] for epoch in run.epochs] == list(range(1, 25))
    assert run.predictions == {"test": folder / "predictions" / "test.parquet"}
    assert run.ledger is not None
    assert run.ledger.corpora["emodb"].num_kept == 454


def test_runs_are_ranked_by_test_uar_and_one_without_a_test_split_comes_last(make_run: Callable[..., Path]) -> None:
    untested = make_run("untested", skill=0.9)
    change(untested / "metrics.json", lambda metrics: metrics["splits"].pop("test"))
    runs, unread = gather([untested, make_run("weak", skill=0.1), make_run("strong", skill=0.9)])
    assert [run.name for run in runs] == ["strong", "weak", "untested"]
    assert unread == []


def test_a_folder_named_twice_counts_once_and_namesakes_keep_their_figures_apart(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
    one, other = make_run("a/Same name"), make_run("b/same-name")
    runs, _ = gather([one, tmp_path / "runs" / "a" / ".." / "a" / "Same name", other])
    assert sorted(run.slug for run in runs) == ["same-name", "same-name-2"]


def test_each_broken_folder_becomes_its_sentence(make_run: Callable[..., Path], tmp_path: Path) -> None:
    good, unfinished, damaged, odd, misshapen = (make_run(f"run{number}") for number in range(5))
    (unfinished / "metrics.json").unlink()
    (damaged / "metrics.json").write_text('{"splits": {"te')
    change(odd / "metrics.json", lambda metrics: metrics["splits"]["test"].update(uar="much"))
    change(misshapen / "metrics.json", lambda metrics: metrics["splits"]["test"]["confusion"].pop())
    no_run = tmp_path / "holiday"
    no_run.mkdir()
    file = tmp_path / "a.log"
    file.touch()
    runs, unread = gather([good, unfinished, damaged, odd, misshapen, no_run, tmp_path / "nowhere", file])
    assert [run.folder for run in runs] == [good]
    sentences = [folder.sentence for folder in unread]
    again = "make the run again, or leave it out."
    assert sentences[0] == (
        f"{unfinished} has no metrics.json, so its training did not end; go on with it by adding --resume."
    )
    assert sentences[1].startswith(f"{damaged}/metrics.json is damaged (Unterminated string")
    assert sentences[2] == (
        f"{odd}/metrics.json has splits.test.uar = 'much', but it should be a valid number, unable to parse string "
        f"as a number; {again}"
    )
    assert sentences[3] == (
        f"{misshapen}/metrics.json has splits.test.confusion in another shape than its 7 labels; {again}"
    )
    assert sentences[4] == f"{no_run} has no settings.yaml, so it is no run folder; name one that `emokit train` made."
    assert sentences[6] == f"{file} is a file; name a run folder, as `emokit train` makes it with --run."
    assert sentences[5] == (
        f"{tmp_path}/nowhere is not there; name a run folder, as `emokit train` makes it with --run."
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("metrics.json", "[1, 2]", "metrics.json holds a list where a mapping was expected"),
        ("metrics.json", '{"labels": ["angry"]}', "metrics.json has no splits"),
        ("environment.json", "3", "environment.json holds no mapping"),
        ("ledger.json", '{"corpora": {"emodb": {"found": 1}}}', "ledger.json has no corpora.emodb.kept"),
        ("settings.yaml", "a: [", "settings.yaml is not valid YAML at line 1"),
        ("log.jsonl", b"\xff\xfe", "cannot be read ('utf-8' codec can't decode"),
    ],
)
def test_a_damaged_file_is_named(make_run: Callable[..., Path], name: str, content: str | bytes, words: str) -> None:
    run = make_run()
    (run / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    _, unread = gather([run, make_run("good")])
    assert words in unread[0].sentence


def test_a_run_of_other_classes_costs_its_own_row_a_sentence(make_run: Callable[..., Path]) -> None:
    first, other = make_run("first"), make_run("other")
    text = (other / "metrics.json").read_text()
    (other / "metrics.json").write_text(text.replace("surprise", "boredom"))
    runs, unread = gather([first, other])
    assert [run.name for run in runs] == ["first"]
    assert unread[0].sentence == (
        f"{other} tells angry, disgust, fear, happy, neutral, sad, boredom apart and {first} angry, disgust, fear, happy, "
        "neutral, sad, surprise; report runs of other classes on a page of their own."
    )


def test_a_score_that_is_no_number_is_refused(make_run: Callable[..., Path]) -> None:
    run = make_run()
    change(run / "metrics.json", lambda metrics: metrics["splits"]["dev"].update(nll=float("nan")))
    with pytest.raises(DataError, match=r"splits\.dev\.nll = nan, but it should be a finite number"):
        gather([run])


def test_a_log_that_a_kill_cut_short_is_read_up_to_there(make_run: Callable[..., Path]) -> None:
    run = make_run(epochs=3)
    with (run / "log.jsonl").open("a") as log:
        log.write('{"epoch": 4, "train_l')
    assert [epoch["epoch"] for epoch in read_run(run, "run").epochs] == [1, 2, 3]


def test_no_run_at_all_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as named_none:
        gather([])
    assert str(named_none.value) == (
        "No run folder was named; name one or more, as `emokit train` makes them with --run."
    )
    with pytest.raises(DataError) as read_none:
        gather([tmp_path / "a", tmp_path / "b"])
    assert str(read_none.value) == (
        f"None of 2 folders could be read; the first: {tmp_path}/a is not there; "
        "name a run folder, as `emokit train` makes it with --run."
    )
