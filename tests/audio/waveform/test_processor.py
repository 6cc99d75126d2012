"""The processor of an encoder: padding, masks, normalisation, lengths, and the types that emokit supports."""

import json
import shutil

import numpy
import pytest
import soundfile
import torch
import transformers
from transformers import (
    BertConfig,
    BertModel,
    SeamlessM4TFeatureExtractor,
    Wav2Vec2FeatureExtractor,
    WhisperFeatureExtractor,
)

import emokit.hf  # noqa: F401  registers the models
from emokit.audio.settings import AudioSettings
from emokit.audio.waveform.family import PretrainedFamily
from emokit.audio.waveform.pretrained import pretrained
from emokit.audio.waveform.processor import SpeechProcessor, read_processor
from emokit.errors import DataError, UsageError
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.training.model_checks import OF_RUN
from tests.audio.conftest import KINDS

PROCESSOR = SpeechProcessor(Wav2Vec2FeatureExtractor(do_normalize=False))
WHISPER = SpeechProcessor(WhisperFeatureExtractor(feature_size=16, chunk_length=2))
RANDOM = numpy.random.default_rng(0)
FIRST, SECOND = (RANDOM.normal(0, 0.1, length).astype(numpy.float16) for length in (34_783, 27_293))


def test_waveforms_are_padded_on_the_right_and_the_mask_marks_the_padding():
    inputs = PROCESSOR([numpy.full(5000, 0.5), numpy.full(7000, 0.25)])
    assert inputs["input_values"].shape == (2, 7000)
    assert inputs["input_values"][0, 4999:5001].tolist() == [0.5, 0.0]
    assert inputs["attention_mask"].sum(1).tolist() == [5000, 7000]


def test_each_waveform_is_normalised_by_itself():
    processor = SpeechProcessor(Wav2Vec2FeatureExtractor())
    together = processor([FIRST, SECOND])["input_values"]
    alone = processor([FIRST])["input_values"][0]
    assert torch.allclose(together[0, : len(alone)], alone, atol=1e-6)
    assert (float(alone.mean()), float(alone.std())) == pytest.approx((0, 1), abs=1e-3)


@pytest.mark.parametrize("processor", [PROCESSOR, WHISPER])
def test_a_waveform_shorter_than_one_frame_is_padded_with_silence(processor):
    inputs = processor([numpy.full(10, 0.5)])
    samples_per_position = 1 if processor is PROCESSOR else 160
    assert int(inputs["attention_mask"].sum()) == 4000 // samples_per_position


def test_whisper_gets_the_frames_that_are_there_as_if_padded_with_silence():
    inputs = WHISPER([FIRST[:16_000], SECOND[:7_990]])
    assert inputs["input_features"].shape == (2, 16, 100)
    assert inputs["attention_mask"].sum(1).tolist() == [100, 50]
    assert inputs["input_features"][1, :, 50:].abs().max() == 0
    extractor = WHISPER.extractor
    for row, (waveform, length) in enumerate([(FIRST[:16_000], 100), (SECOND[:7_990], 50)]):
        padded = extractor(waveform.astype(numpy.float32), sampling_rate=16_000, return_tensors="pt")["input_features"]
        assert padded.shape == (1, 16, 200)
        assert torch.allclose(inputs["input_features"][row, :, :length], padded[0, :, :length], atol=1e-6)


@pytest.mark.parametrize("processor", [PROCESSOR, WHISPER])
def test_encoders_have_no_fixed_length_but_a_shortest(processor):
    assert (PROCESSOR.max_seconds, WHISPER.max_seconds) == (None, 2.0)
    assert processor.lengths(numpy.array([100, 9000])).tolist() == [4_000, 9_000]


def test_the_processor_of_a_folder_is_read(encoder_of):
    assert read_processor(encoder_of("whisper"), "x").max_seconds == 2.0
    assert read_processor(encoder_of("wavlm"), "x").sample_rate == 16_000


def test_a_model_that_is_no_speech_encoder_is_refused(encoder_of, tmp_path):
    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    BertModel(BertConfig(vocab_size=9, **shape)).save_pretrained(tmp_path / "bert")
    with pytest.raises(DataError) as missing:
        read_processor(tmp_path / "bert", "bert")
    assert str(missing.value) == (
        f"{tmp_path / 'bert'} has no preprocessor_config.json, so it is no speech encoder; correct model.name."
    )
    folder = shutil.copytree(encoder_of("wav2vec2"), tmp_path / "copy")
    SeamlessM4TFeatureExtractor().save_pretrained(folder)
    with pytest.raises(UsageError) as unsupported:
        read_processor(folder, "some/encoder")
    assert str(unsupported.value) == (
        "some/encoder has a SeamlessM4TFeatureExtractor, and emokit supports those of wav2vec 2.0, HuBERT, WavLM and Whisper; "
        "choose another model.name."
    )


@pytest.mark.parametrize(
    ("kind", "change", "fault"),
    [
        ("wav2vec2", {"do_normalize": "maybe"}, "do_normalize = 'maybe' where true or false was expected"),
        ("wav2vec2", {"feature_size": 7}, "feature_size = 7 where 1 was expected"),
        ("wav2vec2", {"sampling_rate": 0}, "sampling_rate = 0 where a whole number above 0 was expected"),
        ("wav2vec2", {"sampling_rate": "16k"}, "sampling_rate = '16k' where a whole number above 0 was expected"),
        ("whisper", {"hop_length": 160.5}, "hop_length = 160.5 where a whole number above 0 was expected"),
    ],
)
def test_values_that_an_extractor_takes_without_a_word_are_refused(encoder_of, tmp_path, kind, change, fault):
    folder = shutil.copytree(encoder_of(kind), tmp_path / "copy")
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError) as error:
        read_processor(folder, str(folder))
    assert str(error.value) == f"{path} has {fault}; correct it."


@pytest.mark.parametrize(
    ("kind", "extractor", "fault"),
    [
        ("whisper", Wav2Vec2FeatureExtractor(), "is a Wav2Vec2FeatureExtractor and its encoder is whisper"),
        ("wavlm", WHISPER.extractor, "is a WhisperFeatureExtractor and its encoder is wavlm"),
        (
            "whisper",
            WhisperFeatureExtractor(feature_size=20, chunk_length=2),
            "makes 20 mel bins and its encoder takes 16",
        ),
        (
            "whisper",
            WhisperFeatureExtractor(feature_size=16, chunk_length=3),
            "makes up to 300 frames and its encoder takes 200",
        ),
    ],
)
def test_a_processor_that_does_not_belong_to_its_encoder_is_refused(encoder_of, tmp_path, kind, extractor, fault):
    folder = shutil.copytree(encoder_of(kind), tmp_path / "copy")
    settings = AudioSettings.make({"model": {"name": str(folder)}, "data": {"window_seconds": 1}})
    model = pretrained(settings, DEFAULT_LABELS)
    model.save_pretrained(tmp_path / "run")
    extractor.save_pretrained(folder)
    extractor.save_pretrained(tmp_path / "run")
    for read, where, advice in (
        (lambda: pretrained(settings, DEFAULT_LABELS), folder, "make it again"),
        (lambda: PretrainedFamily().load_model(tmp_path / "run"), tmp_path / "run", OF_RUN),
    ):
        with pytest.raises(DataError) as error:
            read()
        path = where / "preprocessor_config.json"
        assert str(error.value) == f"{path} {fault}, so they do not belong together; {advice}."


@pytest.mark.parametrize("kind", KINDS)
def test_the_pipeline_of_transformers_has_the_probabilities_of_predict(encoder_of, tmp_path, kind):
    labels = LabelSet(("calm", "tense", "sad"))
    settings = AudioSettings.make({"data": {"window_seconds": 2.0}, "model": {"name": str(encoder_of(kind))}})
    model = pretrained(settings, labels)
    with torch.no_grad():
        model.head[3].weight.mul_(30)  # so that the probabilities of random weights differ
    model.save_pretrained(tmp_path)
    model.processor.extractor.save_pretrained(tmp_path)
    waveform = FIRST[:20_000].astype(numpy.float32)
    soundfile.write(tmp_path / "a.wav", waveform, 16_000, subtype="FLOAT")
    family = PretrainedFamily()
    (expected,) = family.predict_recordings(family.load_model(tmp_path), [tmp_path / "a.wav"])

    classify = transformers.pipeline("audio-classification", model=str(tmp_path), device="cpu", top_k=None)
    scores = {entry["label"]: entry["score"] for entry in classify({"array": waveform, "sampling_rate": 16_000})}
    assert [scores[label] for label in labels] == pytest.approx(expected.probabilities, abs=1e-6)
    assert max(scores.values()) - min(scores.values()) > 1e-3
