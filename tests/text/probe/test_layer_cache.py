"""The layers of a frozen text encoder are computed once."""

import pytest

from emokit.data.prepared import open_prepared
from emokit.text.predictor import load
from emokit.text.train import train

pytestmark = pytest.mark.end_to_end


def test_layers_are_computed_once(run, data, tmp_path, probe_settings):
    computed = []
    train(
        probe_settings(),
        open_prepared(data),
        tmp_path / "again",
        device="cpu",
        progress=lambda *now: computed.append(now),
    )
    assert computed == []
    other = probe_settings(layers=[0, 2])
    train(other, open_prepared(data), tmp_path / "other", device="cpu", progress=lambda *now: computed.append(now))
    assert computed
    assert load(tmp_path / "other", "cpu").classifier.model.chosen == [0, 2]
