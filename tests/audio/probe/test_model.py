"""The model of a probe: stored whole, and refused without what it needs."""

import pytest
import torch

from emokit.audio.probe.family import ProbeFamily
from emokit.audio.probe.model import ProbeForAudioClassification
from emokit.audio.settings import AudioSettings
from emokit.labels import DEFAULT_LABELS


def new(folder, **model):
    values = {"model": {"kind": "probe", "name": str(folder)} | model, "data": {"window_seconds": 1.0}}
    return ProbeFamily().new_model(AudioSettings.make(values), None, DEFAULT_LABELS)


def test_a_saved_probe_is_the_same_probe(encoder_of, tmp_path):
    model = new(encoder_of("whisper"), layers=[1, 2])
    with torch.no_grad():
        model.linear.weight.normal_()
        model.deviation.fill_(2.0)
    inputs = model.processor([torch.randn(9_000).numpy(), torch.randn(5_000).numpy()])
    model.save_pretrained(tmp_path)
    again = ProbeForAudioClassification.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        assert torch.equal(again(**inputs).logits, model(**inputs).logits)


def test_a_probe_with_functionals_needs_them(encoder_of):
    model = new(encoder_of("wav2vec2"), functionals=True)
    with pytest.raises(ValueError, match="the probe takes functionals of the log-mels beside the encoder's input"):
        model(**model.processor([torch.randn(9_000).numpy()]))
