"""The family of functionals: no epochs and no cached features of its own."""

import pytest
import torch

from emokit.audio.functionals.family import FunctionalsFamily
from emokit.audio.functionals.model import FunctionalsForAudioClassification
from emokit.audio.settings import AudioSettings
from emokit.audio.splits import read_splits
from emokit.data.prepared import open_prepared
from emokit.errors import DataError
from emokit.training.model_checks import check_config


def test_it_is_fitted_at_once(small_prepared, small_settings):
    settings = AudioSettings.make(small_settings | {"model": {"kind": "functionals"}})
    prepared = open_prepared(small_prepared)
    splits, family = read_splits(settings, prepared), FunctionalsFamily()
    train = splits["train"]
    assert family.plan(settings, train.table) == {"steps_per_epoch": 0}
    before = {path.name for path in (small_prepared / "features").iterdir()}
    family.compute_features(settings, prepared, train.table)
    assert {path.name for path in (small_prepared / "features").iterdir()} == before
    model = family.new_model(settings, train, prepared.labels)
    assert isinstance(model, FunctionalsForAudioClassification)
    fitted = family.fit(settings, model, prepared, splits, torch.device("cpu"))
    assert fitted.model.linear.weight.abs().max() > 0
    assert {split: values.shape for split, values in fitted.probabilities.items()} == {
        split: (len(splits[split].table), len(prepared.labels)) for split in ("dev", "test")
    }


def test_the_config_of_a_model_is_that_of_its_settings(small_prepared, small_settings, tmp_path):
    settings = AudioSettings.make(small_settings | {"model": {"kind": "functionals"}})
    family = FunctionalsFamily()
    config = family.new_model(settings, None, open_prepared(small_prepared).labels).config
    check_config(config, family.config_of(settings), tmp_path)
    config.features["fmin"] = 5.0
    with pytest.raises(DataError, match=r"has features\.fmin = 5\.0 and its run has 0\.0; train the run again"):
        check_config(config, family.config_of(settings), tmp_path)
