"""The plan that the options of `emokit prepare` describe, and the split policies of corpora."""

from pathlib import Path

import pytest

from emokit.api.prepare import plan_of, read_policies
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
