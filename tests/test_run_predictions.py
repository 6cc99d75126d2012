"""Predictions of a run folder that are not those its scores were computed from: the words of each refusal."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.errors import DataError
from emokit.run_predictions import read_split
from tests.report.conftest import random_predictions, write_run

runner = CliRunner()
Change = Callable[[pandas.DataFrame], pandas.DataFrame]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", epochs=1, test=random_predictions(1, 0.6))


def rewrite(run: Path, change: Change, split: str = "test") -> None:
    """Change the rows of a table and keep its metadata."""
    path = run / "predictions" / f"{split}.parquet"
    metadata = pyarrow.parquet.read_schema(path).metadata
    changed = pyarrow.Table.from_pandas(change(pandas.read_parquet(path)), preserve_index=False)
    pyarrow.parquet.write_table(changed.replace_schema_metadata(metadata), path)


def another_label(table: pandas.DataFrame) -> pandas.DataFrame:
    return table.assign(label=["angry" if label == "sad" else label for label in table["label"]])


@pytest.fixture(
    params=[
        (lambda table: table[:50], "has 50 utterances where metrics.json has the scores of 140; make the run again."),
        (lambda table: table[:0], "has 0 utterances where metrics.json has the scores of 140; make the run again."),
        (
            lambda table: pandas.concat([table, table.assign(utterance_id=table["utterance_id"] + "b")]),
            "has 280 utterances where metrics.json has the scores of 140; make the run again.",
        ),
        (
            lambda table: pandas.concat([table, table[:1]]),
            "has emodb/000 twice; each utterance_id must be unique.",
        ),
        (
            lambda table: table.assign(split="dev"),
            "has emodb/000 of the split dev; expected test only, so make the run again.",
        ),
        (
            another_label,
            "has other labels or predictions than the confusion matrix of test in metrics.json; make the run again.",
        ),
    ],
    ids=["half", "empty", "doubled", "a row twice", "dev as test", "another label"],
)
def changed(run: Path, request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A run whose table was changed, and the sentence that refuses it."""
    change, words = request.param
    assert len(read_split(run, "test").table) == 140
    rewrite(run, change)
    return run, f"{run}/predictions/test.parquet {words}"


def test_a_table_that_the_scores_were_not_computed_from_is_refused(changed: tuple[Path, str]) -> None:
    run, sentence = changed
    with pytest.raises(DataError) as refused:
        read_split(run, "test")
    assert str(refused.value) == sentence


def test_compare_refuses_it(changed: tuple[Path, str], tmp_path: Path) -> None:
    run, sentence = changed
    other = write_run(tmp_path / "other", epochs=1, seed=2, test=random_predictions(2, 0.6))
    result = runner.invoke(app, ["report", "--compare", str(other), str(run)])
    assert (result.exit_code, result.stderr.strip()) == (3, f"error: {sentence}")


def test_fuse_search_refuses_it(changed: tuple[Path, str], tmp_path: Path) -> None:
    run, sentence = changed
    shutil.copytree(run, tmp_path / "copy")
    result = runner.invoke(app, ["fuse-search", f"a={run}", f"b={tmp_path / 'copy'}", "--run", str(tmp_path / "fused")])
    assert (result.exit_code, result.stderr.strip()) == (3, f"error: {sentence}")
    assert not (tmp_path / "fused").exists()


def test_a_run_of_other_labels_is_refused(run: Path) -> None:
    text = (run / "metrics.json").read_text()
    (run / "metrics.json").write_text(text.replace("surprise", "boredom"))
    with pytest.raises(DataError) as refused:
        read_split(run, "test")
    assert str(refused.value) == (
        f"{run}/predictions/test.parquet has the labels angry, disgust, fear, happy, neutral, sad, surprise where "
        "metrics.json has angry, disgust, fear, happy, neutral, sad, boredom; make the run again."
    )


def test_the_report_says_it_on_the_page_and_on_the_terminal(run: Path, tmp_path: Path) -> None:
    rewrite(run, lambda table: table[:50])
    missing = tmp_path / "missing"
    result = runner.invoke(app, ["report", str(run), str(missing), "--out", str(tmp_path / "report")])
    assert result.exit_code == 0, result.output
    sentences = [
        f"{missing} does not exist; name a run folder, as `emokit train` makes it with --run.",
        f"{run}/predictions/test.parquet has 50 utterances where metrics.json has the scores of 140; make the run again.",
    ]
    assert result.stderr.strip().splitlines()[:2] == sentences
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert all(sentence in page for sentence in sentences)
