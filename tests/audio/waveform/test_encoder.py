"""Pretrained encoders with a head: padding changes nothing, layers are weighted, and a saved model is the same model."""

import numpy
import pytest
import torch
from transformers import AutoFeatureExtractor, Wav2Vec2Model

from emokit.audio.settings import AudioSettings
from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.audio.waveform.hidden_states import MaskedGroupNorm
from emokit.audio.waveform.pretrained import pretrained
from emokit.labels import DEFAULT_LABELS
from tests.audio.conftest import KINDS, write_encoder

RANDOM = numpy.random.default_rng(0)
SHORT, LONG, LONGER = (RANDOM.normal(0, 0.1, length).astype(numpy.float32) for length in (5000, 12_345, 20_000))


def new_model(folder, **model):
    values = {"model": {"name": str(folder)} | model, "data": {"window_seconds": 2.0}}
    return pretrained(AudioSettings.make(values), DEFAULT_LABELS).eval()


def probabilities(model, waveforms):
    with torch.inference_mode():
        return model(**model.processor(waveforms)).logits.softmax(1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_waveform_alone_and_with_longer_ones_has_the_same_probabilities(encoder_of, kind):
    model = new_model(encoder_of(kind))
    together = probabilities(model, [LONG, SHORT, LONGER])
    for row, waveform in enumerate([LONG, SHORT, LONGER]):
        assert (probabilities(model, [waveform])[0] - together[row]).abs().max() <= 1e-5
    assert (together[0] - together[1]).abs().max() > 1e-4  # the waveforms themselves differ


def test_encoders_that_normalise_each_frame_ignore_padding_too(tmp_path):
    model = new_model(write_encoder("wav2vec2", tmp_path, feat_extract_norm="layer", do_stable_layer_norm=True))
    together = probabilities(model, [SHORT, LONGER])
    assert (probabilities(model, [SHORT])[0] - together[0]).abs().max() <= 1e-5


def test_an_encoder_without_a_mask_in_its_layers_does_not_ignore_padding(tmp_path):
    model = new_model(write_encoder("wav2vec2-conformer", tmp_path))
    assert (probabilities(model, [SHORT])[0] - probabilities(model, [SHORT, LONGER])[0]).abs().max() > 1e-5


def test_the_masked_norm_equals_torchs_over_each_waveform():
    torch.manual_seed(0)
    original = torch.nn.GroupNorm(3, 3)
    with torch.no_grad():
        original.weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
        original.bias.copy_(torch.tensor([0.5, 0.0, -0.5]))
    masked = MaskedGroupNorm(original)
    masked.load_state_dict(original.state_dict())
    hidden = torch.randn(2, 3, 9)
    assert torch.equal(masked(hidden), original(hidden))
    masked.lengths = torch.tensor([4, 9])
    assert torch.allclose(masked(hidden)[:1, :, :4], original(hidden[:1, :, :4]), atol=1e-6)
    assert torch.allclose(masked(hidden)[1:], original(hidden[1:]), atol=1e-6)


def test_the_head_gets_the_weighted_layers_averaged_over_the_frames(encoder_of):
    model = new_model(encoder_of("wav2vec2"))
    with torch.no_grad():
        model.layer_weights.copy_(torch.tensor([0.0, 1.0, 2.0]).log1p())  # shares 1/6, 2/6, 3/6
    inputs = model.processor([SHORT])
    alone = Wav2Vec2Model.from_pretrained(encoder_of("wav2vec2")).eval()
    with torch.inference_mode():
        layers = alone(inputs["input_values"], output_hidden_states=True).hidden_states
        expected = model.head((layers[0] / 6 + layers[1] / 3 + layers[2] / 2).mean(1))
        assert torch.allclose(model(**inputs).logits, expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_is_the_same_model_and_has_its_feature_extractor(encoder_of, kind, tmp_path):
    model = new_model(encoder_of(kind))
    model.save_pretrained(tmp_path)
    model.processor.extractor.save_pretrained(tmp_path)
    loaded = SpeechForAudioClassification.from_pretrained(tmp_path).eval()
    extractor = AutoFeatureExtractor.from_pretrained(tmp_path)
    with torch.inference_mode():
        inputs = extractor(LONG, sampling_rate=16_000, return_tensors="pt", return_attention_mask=True)
        assert torch.allclose(loaded(**inputs).logits, model(**model.processor([LONG])).logits, atol=1e-5)
    assert [loaded.config.id2label[target] for target in range(7)] == list(DEFAULT_LABELS)
    assert loaded.config.encoder["model_type"] == kind


def test_a_frozen_encoder_is_neither_trained_nor_has_it_dropout(encoder_of):
    model = new_model(encoder_of("wavlm"), frozen=True).train()
    assert not model.encoder.training
    assert model.head.training
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad} == {"head", "layer_weights"}
    tuned = new_model(encoder_of("wavlm")).train()
    frozen = {name.split(".")[1] for name, p in tuned.named_parameters() if not p.requires_grad}
    assert frozen == {"feature_extractor", "masked_spec_embed"}
