"""A run's model that contradicts its run is refused; damaged weights of each family are tested beside it."""

import pytest
from transformers import BertConfig

from emokit.errors import DataError
from emokit.training.model_checks import check_agrees, check_config


def test_the_first_difference_from_the_runs_settings_is_named(tmp_path):
    of_run = {"window": 3, "features": {"fmax": None, "hop": 320}}
    check_agrees(tmp_path / "a.json", {**of_run, "more": 1}, of_run)
    for of_model, words in (
        ({"window": 4, "features": of_run["features"]}, "window = 4 and its run has 3"),
        ({"window": 3, "features": {"fmax": 10, "hop": 320}}, "features.fmax = 10 and its run has None"),
        ({"window": 3, "features": {}}, "features.hop = None and its run has 320"),
    ):
        with pytest.raises(DataError) as error:
            check_agrees(tmp_path / "a.json", of_model, of_run)
        assert str(error.value) == f"{tmp_path / 'a.json'} has {words}; train the run again with --force."


def test_a_config_of_another_type_than_its_model_is_refused(tmp_path):
    config = BertConfig(num_attention_heads=2)
    check_config(config, {"num_attention_heads": 2}, tmp_path)
    config.model_type = "berty"
    with pytest.raises(DataError) as error:
        check_config(config, {}, tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'config.json'} has model_type = 'berty' and its run has 'bert'; train the run again with --force."
    )
