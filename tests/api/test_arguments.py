"""Arguments of the Python functions become options of the commands."""

from pathlib import Path

import pytest

from emokit.api.arguments import corpus_names, dotted, label_names, pairs, policies, read_settings
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
