"""Arguments of the Python functions become options of the commands."""

from pathlib import Path

import pandas
import pytest

from emokit.api.arguments import (
    check_flags,
    corpus_names,
    dotted,
    label_names,
    pairs,
    path,
    policies,
    read_settings,
    required_path,
)
from emokit.audio.settings import AudioSettings
from emokit.errors import UsageError


def test_corpora_are_named_one_by_one_or_with_their_data():
    assert corpus_names("emodb") == ["emodb"]
    assert corpus_names(("emodb", "calls=a.csv")) == ["emodb", "calls=a.csv"]
    assert corpus_names(Path("hf:data")) == ["hf:data"]
    own = {"calls": "labels.csv", "notes": [Path("train.csv"), "test.csv"]}
    assert corpus_names(own) == ["calls=labels.csv", "notes=train.csv,test.csv"]


def test_dictionaries_become_pairs_and_lists_names():
    assert pairs({"joy": "happy", "love": None}, "map", "…") == ["joy=happy", "love=null"]
    assert pairs(None, "map", "…") == []
    assert policies(None) == []
    assert policies("speaker") == ["speaker"]
    assert policies({"emodb": Path("mine.csv")}) == ["emodb=mine.csv"]
    assert (label_names(None), label_names("all"), label_names(["joy", "fear"])) == (None, "all", "joy,fear")


def test_settings_may_be_dotted_grouped_or_both():
    assert dotted({"training.lr": 1, "model": {"kind": "acrnn", "tiny": {"size": 2}}, "name": "x"}) == {
        "training.lr": 1,
        "model.kind": "acrnn",
        "model.tiny.size": 2,
        "name": "x",
    }


def test_settings_change_those_of_a_file(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: mine\ntraining: {lr: 0.1, batch_size: 4}")
    made = read_settings(AudioSettings, tmp_path / "mine.yaml", {"training.lr": 0.2})
    assert (made.name, made.training.lr, made.training.batch_size) == ("mine", 0.2, 4)
    with pytest.raises(UsageError) as error:
        read_settings(AudioSettings, tmp_path / "mine.yaml", {"training.rl": 0.2})
    assert str(error.value) == (
        f"{tmp_path / 'mine.yaml'} (with settings={{…}}) has the unknown key training.rl; did you mean training.lr?"
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: path(3, "run"), "run is an int where a path was expected; give a str or a pathlib.Path."),
        (lambda: path("", "run"), "run is an empty path; name a file or a folder."),
        (
            lambda: required_path(None, "out"),
            "out is None where a path was expected; give a str or a pathlib.Path.",
        ),
        (lambda: check_flags(force="no"), "force is 'no' where True or False was expected; correct it."),
        (
            lambda: corpus_names({}),
            'No corpus was named; name one or more, such as "emodb" or {"calls": "labels.csv"}.',
        ),
        (
            lambda: corpus_names(pandas.DataFrame({"text": ["Hi"]})),
            "corpora is a DataFrame where names were expected; write it first, such as with to_csv, and give "
            '{"calls": "labels.csv"}.',
        ),
    ],
)
def test_arguments_of_another_type_are_refused(call, sentence):
    with pytest.raises(UsageError) as error:
        call()
    assert str(error.value) == sentence
    assert path(None, "run") is None
    check_flags(force=True, resume=False)
