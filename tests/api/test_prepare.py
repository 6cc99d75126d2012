"""The plan that the options of `emokit prepare` describe, and the split policies of corpora."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emokit.api.prepare import corpora_of, plan_of, read_policies
from emokit.cli.app import app
from emokit.data.catalogue import read_catalogue
from emokit.errors import UsageError


def test_a_policy_without_a_corpus_is_for_all_and_one_with_a_name_for_it() -> None:
    assert read_policies(["emodb", "tess"], ["speaker", "tess=train"]) == {"emodb": "speaker", "tess": "train"}


def test_a_policy_of_a_corpus_that_is_not_prepared_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        read_policies(["emodb"], ["tess=train"])
    assert str(error.value) == "--split tess=train names a corpus that is not prepared; name one of emodb."


def test_options_change_the_labels_splits_and_features_of_the_plan(tmp_path: Path) -> None:
    emodb = read_catalogue()["emodb"].model_copy(update={"root": tmp_path})
    plan = plan_of(
        [emodb],
        labels="angry,boredom",
        maps=["neutral=null"],
        policies={"emodb": "train"},
        fold=2,
        seed=7,
        overrides=["features.n_mels=32"],
    )
    (corpus,) = plan.corpora
    assert plan.labels.labels == ("angry", "boredom")
    assert corpus.labels["boredom"] == "boredom"
    assert corpus.labels["anger"] == "angry"
    assert corpus.labels["neutral"] is None
    assert corpus.split == "train"
    assert (plan.split.seed, plan.split.fold) == (7, 2)
    assert plan.features.as_dict()["n_mels"] == 32
    assert plan.sources == [tmp_path]


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "calls.csv").write_text("text,label\nHi,joy\nNo,anger\n")
    return tmp_path / "calls.csv"


def test_own_data_are_corpora_beside_those_of_the_catalogue(tmp_path: Path, calls: Path) -> None:
    (tmp_path / "my.yaml").write_text(f"notes: {{tables: {calls}}}\nemodb: {{root: {tmp_path}}}\n")
    chosen = corpora_of(["emodb", f"calls={calls}", "notes"], datasets=tmp_path / "my.yaml", columns={"text": "text"})
    assert [(corpus.name, corpus.reader, corpus.root) for corpus in chosen] == [
        ("emodb", None, tmp_path),
        ("calls", "table", tmp_path),
        ("notes", "table", tmp_path),
    ]
    assert [corpus.options["columns"] for corpus in chosen[1:]] == [{"label": ["label"], "text": "text"}] * 2


def test_the_name_of_a_corpus_is_not_free(calls: Path) -> None:
    for names, sentence in (
        ([f"tess={calls}"], "which is that of a corpus that emokit knows; choose another name"),
        (
            [f"a={calls}", f"a={calls}x"],
            "a was named twice; join its tables as a=FILE,FILE, or give the other data another",
        ),
    ):
        with pytest.raises(UsageError, match=sentence):
            corpora_of(names)


@pytest.mark.parametrize(
    ("options", "option"),
    [({"columns": {"label": "x"}}, "--columns label=x"), ({"audio_root": Path("a")}, "--audio-root a")],
)
def test_options_of_own_data_are_refused_without_some(tmp_path: Path, options: dict[str, Any], option: str) -> None:
    with pytest.raises(UsageError) as error:
        corpora_of(["emodb"], roots=[f"emodb={tmp_path}"], **options)
    assert str(error.value) == (
        f"{option} is for data of your own, and none are named; name them, such as calls=labels.csv."
    )


def test_own_data_that_cannot_be_read_are_collected(tmp_path: Path, calls: Path) -> None:
    (tmp_path / "empty.csv").write_text("text,label\n")
    missing: dict[str, str] = {}
    names = [f"a={tmp_path}/none.csv", f"b={tmp_path}/empty.csv", f"calls={calls}"]
    assert [corpus.name for corpus in corpora_of(names, missing=missing)] == ["calls"]
    assert missing == {
        "a": f"{tmp_path}/none.csv of a={tmp_path}/none.csv is not there; name a .csv, .tsv, .jsonl, .json or .parquet table, "
        "or a folder with a folder per label.",
        "b": f"{tmp_path}/empty.csv has no rows; write one utterance per row.",
    }


def test_options_change_the_entry_of_a_users_file(tmp_path: Path, calls: Path) -> None:
    (tmp_path / "my.yaml").write_text(f"notes: {{tables: {calls}, columns: {{label: text}}}}\n")
    (corpus,) = corpora_of(
        ["notes"], datasets=tmp_path / "my.yaml", columns={"label": "label", "text": "text"}, audio_root=tmp_path
    )
    assert corpus.options["columns"] == {"label": ["label"], "text": "text"}


def test_options_that_own_data_do_not_take_are_refused(tmp_path: Path, calls: Path) -> None:
    for argument in (f"calls={calls}", f"calls={tmp_path}"):
        with pytest.raises(UsageError) as error:
            corpora_of([argument], roots=[f"calls={tmp_path}"])
        assert str(error.value) == (
            f"--root calls={tmp_path} was given for {argument}, which names its place; leave it out, or name the folder of a "
            "table's recordings with --audio-root."
        )
    with pytest.raises(UsageError) as error:
        plan_of(corpora_of([f"calls={calls}"]), folds=tmp_path)
    assert str(error.value) == (
        f"--folds {tmp_path} was given and no corpus is split by EmoBox's lists; add --split emobox, or leave it out."
    )
    result = CliRunner().invoke(app, ["prepare", f"calls={calls}", "--download", str(tmp_path), "--dry-run"])
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: --download {tmp_path} was given, and only your own data is named; leave it out.\n",
    )
