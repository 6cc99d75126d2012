"""Pretrained encoders with a head: padding changes nothing, layers are weighed, and it is a transformers model like any other."""

import numpy
import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, Wav2Vec2Model

from emokit.audio.settings import AudioSettings
from emokit.audio.waveform.encoder import NormOverSound
from emokit.audio.waveform.predict import probabilities
from emokit.audio.waveform.pretrained import pretrained
from emokit.labels import LABELS
from tests.audio.conftest import KINDS, write_encoder

RANDOM = numpy.random.default_rng(0)
SHORT, LONG, LONGER = (RANDOM.normal(0, 0.1, length).astype(numpy.float32) for length in (5000, 12_345, 20_000))


def made(folder, **model):
    values = {"model": {"name": str(folder)} | model, "data": {"window_seconds": 2.0}}
    return pretrained(AudioSettings.make(values)).eval()


def said(model, waveforms):
    with torch.inference_mode():
        return model(**model.ears(waveforms)).logits.softmax(1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_alone_and_with_longer_ones_gets_the_same_probabilities(encoder_of, kind):
    model = made(encoder_of(kind))
    together = said(model, [LONG, SHORT, LONGER])
    for row, waveform in enumerate([LONG, SHORT, LONGER]):
        assert (said(model, [waveform])[0] - together[row]).abs().max() <= 1e-5
    assert (together[0] - together[1]).abs().max() > 1e-4  # the clips themselves differ
    alone = numpy.concatenate([probabilities(model, [waveform]) for waveform in (SHORT, LONGER)])
    assert numpy.abs(probabilities(model, [SHORT, LONGER]) - alone).max() <= 1e-5


def test_encoders_that_normalise_each_frame_ignore_padding_too(tmp_path):
    model = made(write_encoder("wav2vec2", tmp_path, feat_extract_norm="layer", do_stable_layer_norm=True))
    together = said(model, [SHORT, LONGER])
    assert (said(model, [SHORT])[0] - together[0]).abs().max() <= 1e-5


def test_an_encoder_that_hears_padding_is_given_none_in_prediction(tmp_path):
    model = made(write_encoder("wav2vec2-conformer", tmp_path))
    assert (said(model, [SHORT])[0] - said(model, [SHORT, LONGER])[0]).abs().max() > 1e-5
    clips = [LONGER, SHORT, LONG, SHORT[::-1]]
    alone = numpy.concatenate([probabilities(model, [waveform]) for waveform in clips])
    assert numpy.abs(probabilities(model, clips) - alone).max() <= 1e-6


def test_the_norm_over_sound_is_torchs_own_over_each_clip():
    torch.manual_seed(0)
    theirs = torch.nn.GroupNorm(3, 3)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
        theirs.bias.copy_(torch.tensor([0.5, 0.0, -0.5]))
    ours = NormOverSound(theirs)
    ours.load_state_dict(theirs.state_dict())
    hidden = torch.randn(2, 3, 9)
    assert torch.equal(ours(hidden), theirs(hidden))
    ours.lengths = torch.tensor([4, 9])
    assert torch.allclose(ours(hidden)[:1, :, :4], theirs(hidden[:1, :, :4]), atol=1e-6)
    assert torch.allclose(ours(hidden)[1:], theirs(hidden[1:]), atol=1e-6)


def test_the_head_reads_the_weighed_layers_averaged_over_the_frames(encoder_of):
    model = made(encoder_of("wav2vec2"))
    with torch.no_grad():
        model.layer_weights.copy_(torch.tensor([0.0, 1.0, 2.0]).log1p())  # shares 1/6, 2/6, 3/6
    inputs = model.ears([SHORT])
    alone = Wav2Vec2Model.from_pretrained(encoder_of("wav2vec2")).eval()
    with torch.inference_mode():
        layers = alone(inputs["input_values"], output_hidden_states=True).hidden_states
        wanted = model.head((layers[0] / 6 + layers[1] / 3 + layers[2] / 2).mean(1))
        assert torch.allclose(model(**inputs).logits, wanted, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_loads_as_any_other_with_its_feature_extractor(encoder_of, kind, tmp_path):
    model = made(encoder_of(kind))
    model.save_pretrained(tmp_path)
    model.ears.extractor.save_pretrained(tmp_path)
    loaded = AutoModelForAudioClassification.from_pretrained(tmp_path).eval()
    extractor = AutoFeatureExtractor.from_pretrained(tmp_path)
    with torch.inference_mode():
        found = loaded(**extractor(LONG, sampling_rate=16_000, return_tensors="pt", return_attention_mask=True)).logits
        assert torch.allclose(found, model(**model.ears([LONG])).logits, atol=1e-5)
    assert [loaded.config.id2label[target] for target in range(7)] == list(LABELS)
    assert loaded.config.encoder["model_type"] == kind


def test_a_frozen_encoder_neither_learns_nor_drops(encoder_of):
    model = made(encoder_of("wavlm"), frozen=True).train()
    assert not model.encoder.training
    assert model.head.training
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad} == {"head", "layer_weights"}
    tuned = made(encoder_of("wavlm")).train()
    still = {name.split(".")[1] for name, p in tuned.named_parameters() if not p.requires_grad}
    assert still == {"feature_extractor", "masked_spec_embed"}
