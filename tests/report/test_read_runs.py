import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from emokit.errors import DataError, UsageError
from emokit.report.read_runs import gather, read_run

MakeRun = Callable[..., Path]
Edit = Callable[..., None]
Refusal = Callable[[Path], str]


def test_a_complete_run_is_read(make_run: MakeRun) -> None:
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


def test_a_fused_run_is_read_with_its_methods(fused: Path) -> None:
    run = read_run(fused, "both")
    assert run.fusion is not None
    assert run.fusion.modalities == ["strong", "weak"]
    assert run.fusion.best_single == "strong"
    assert {method.name for method in run.fusion.fusion_methods} >= {"single", "equal", run.fusion.choice}
    assert run.fusion.sources["weak"].model == "acrnn"
    assert run.metrics.verdict == run.fusion.verdict
    assert set(run.predictions) == {"dev", "test"}


def test_runs_are_ranked_by_test_uar_and_one_without_a_test_split_comes_last(make_run: MakeRun, edit: Edit) -> None:
    untested = make_run("untested", skill=0.9)
    edit(untested / "metrics.json", lambda metrics: metrics["splits"].pop("test"))
    complete, unread = gather([untested, make_run("weak", skill=0.1), make_run("strong", skill=0.9)])
    assert [run.name for run in complete] == ["strong", "weak", "untested"]
    assert unread == []


def test_a_folder_named_twice_counts_once_and_equal_names_get_different_slugs(
    make_run: MakeRun, tmp_path: Path
) -> None:
    first, second = make_run("a/Same name"), make_run("b/same-name")
    complete, _ = gather([first, tmp_path / "runs" / "a" / ".." / "a" / "Same name", second])
    assert sorted(run.slug for run in complete) == ["same-name", "same-name-2"]


@pytest.mark.parametrize("name", ["../other", "a\tb", "a\x1b[2J", "", 7, ["a"]])
def test_a_name_that_no_settings_can_have_is_refused(make_run: MakeRun, name: object) -> None:
    folder = make_run()
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"name": name}))
    with pytest.raises(DataError) as error:
        read_run(folder, "run")
    assert str(error.value) == (
        f"{path} has name = {name!r}, but it should have only the letters a to z, digits, '_', '.' and '-', and begin with a "
        "letter or digit; make the run again, or leave it out."
    )


def test_each_unreadable_folder_gets_a_sentence(
    make_run: MakeRun, edit: Edit, refusal: Refusal, tmp_path: Path
) -> None:
    good, unfinished, damaged, odd, misshapen = (make_run(f"run{number}") for number in range(5))
    (unfinished / "metrics.json").unlink()
    (damaged / "metrics.json").write_text('{"splits": {"te')
    edit(odd / "metrics.json", lambda metrics: metrics["splits"]["test"].update(uar="much"))
    edit(misshapen / "metrics.json", lambda metrics: metrics["splits"]["test"]["confusion"].pop())
    no_run = tmp_path / "holiday"
    no_run.mkdir()
    file = tmp_path / "a.log"
    file.touch()
    missing = tmp_path / "nowhere"
    complete, unread = gather([good, unfinished, damaged, odd, misshapen, no_run, missing, file])
    assert [run.folder for run in complete] == [good]
    sentences = [folder.sentence for folder in unread]
    again = "make the run again, or leave it out."
    assert sentences[0] == refusal(unfinished)
    assert sentences[1].startswith(f"{damaged}/metrics.json is damaged (it is no JSON from line 1 column 13 on); ")
    assert sentences[2] == (
        f"{odd}/metrics.json has splits.test.uar = 'much', but it should be a valid number; {again}"
    )
    assert sentences[3] == (
        f"{misshapen}/metrics.json has splits.test.confusion in another shape than its 7 labels; {again}"
    )
    assert sentences[4:] == [refusal(folder) for folder in (no_run, missing, file)]
    assert len(set(sentences)) == 7


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("metrics.json", "[1, 2]", "metrics.json holds a list where a mapping was expected"),
        ("metrics.json", '{"labels": ["angry"]}', "metrics.json has no splits"),
        ("environment.json", "3", "environment.json holds a int where a mapping was expected"),
        ("ledger.json", '{"corpora": {"emodb": {"found": 1}}}', "ledger.json has no corpora.emodb.kept"),
        ("settings.yaml", "a: [", "settings.yaml is not valid YAML at line 1"),
        ("log.jsonl", b"\xff\xfe", "log.jsonl is not UTF-8 text"),
    ],
)
def test_a_damaged_file_is_named(make_run: MakeRun, name: str, content: str | bytes, words: str) -> None:
    run = make_run()
    (run / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    _, unread = gather([run, make_run("good")])
    assert words in unread[0].sentence


def test_a_run_with_another_label_set_is_left_out_with_a_sentence(make_run: MakeRun) -> None:
    first, other = make_run("first"), make_run("other")
    text = (other / "metrics.json").read_text()
    (other / "metrics.json").write_text(text.replace("surprise", "boredom"))
    complete, unread = gather([first, other])
    assert [run.name for run in complete] == ["first"]
    assert unread[0].sentence == (
        f"{other} has the labels angry, disgust, fear, happy, neutral, sad, boredom, but {first} has angry, disgust, fear, "
        "happy, neutral, sad, surprise; report runs with different label sets separately, "
        "or compare two with --compare --map OLD=NEW."
    )


def test_a_score_that_is_not_a_number_is_refused(make_run: MakeRun) -> None:
    run = make_run()
    text = (run / "metrics.json").read_text()
    metrics = json.loads(text)
    metrics["splits"]["dev"]["nll"] = float("nan")
    (run / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(DataError, match=r"splits\.dev\.nll = nan, but it should be a finite number"):
        gather([run])


def test_a_truncated_log_is_read_up_to_its_last_complete_line(make_run: MakeRun) -> None:
    run = make_run(epochs=3)
    with (run / "log.jsonl").open("a") as log:
        log.write('{"epoch": 4, "train_l')
    assert [epoch["epoch"] for epoch in read_run(run, "run").epochs] == [1, 2, 3]


def test_without_a_readable_run_there_is_an_error(refusal: Refusal, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as named_none:
        gather([])
    assert str(named_none.value) == (
        "No run folder was named; name one or more, as `emokit train` makes them with --run."
    )
    with pytest.raises(DataError) as read_none:
        gather([tmp_path / "a", tmp_path / "b"])
    assert str(read_none.value) == f"None of 2 folders could be read; the first: {refusal(tmp_path / 'a')}"
