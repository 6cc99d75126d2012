"""Whisper from a folder: what it writes, the language that it notices, and folders that are none."""

import json
import shutil

import numpy
import pytest
import soundfile

from emokit.data.transcripts import NotTranscribed, Transcript
from emokit.errors import DataError, UsageError
from emokit.transcription.whisper import WhisperTranscriber, folder_hash
from tests.audio.conftest import write_encoder
from tests.transcription.conftest import SPOKEN, sound


@pytest.fixture(scope="module")
def transcriber(whisper):
    return WhisperTranscriber(str(whisper), "cpu")


def test_texts_and_languages_are_those_that_the_model_learnt(transcriber):
    results = transcriber.transcribe([sound(name) for name in SPOKEN], [None] * 3)
    assert results == [Transcript(text, language) for text, language in SPOKEN.values()]


def test_a_recording_alone_has_the_transcript_that_it_has_in_a_batch(transcriber):
    sounds = [sound(name) for name in SPOKEN]
    together = transcriber.transcribe(sounds, [None] * 3)
    assert [transcriber.transcribe([waveform], [None])[0] for waveform in sounds] == together


def test_a_long_recording_is_transcribed_window_by_window(transcriber):
    long = numpy.concatenate([sound("low"), sound("high"), sound("middle")])
    (result,) = transcriber.transcribe([long], [None])
    assert result == Transcript("good morning a red door guten morgen", "en")


def test_a_given_language_is_used(transcriber):
    (result,) = transcriber.transcribe([sound("low")], ["de"])
    assert result.language == "de"


def test_a_recording_without_speech_has_no_transcript(transcriber):
    (result,) = transcriber.transcribe([sound("hush")], [None])
    assert isinstance(result, NotTranscribed)
    assert result.reason == "has no speech to transcribe"


def test_languages_are_given_by_code_or_name(transcriber):
    assert transcriber.code("German") == "de"


@pytest.mark.parametrize("language", ["fr", "klingon"])
def test_a_language_that_the_model_does_not_know_is_refused(transcriber, language):
    with pytest.raises(UsageError) as refused:
        transcriber.code(language)
    assert str(refused.value) == (
        f"small-whisper knows the 2 languages de, en and not the language {language}; name one of them, or another model."
    )


def test_a_model_of_english_only_refuses_others_and_needs_no_detection(english_whisper):
    transcriber = WhisperTranscriber(str(english_whisper), "cpu")
    assert transcriber.transcribe([sound("high")], [None]) == [Transcript("a red door", "en")]
    with pytest.raises(UsageError) as refused:
        transcriber.code("de")
    assert str(refused.value) == (
        "small-whisper.en knows English only and not the language de; name a multilingual model."
    )


def test_the_identity_follows_the_files_and_not_the_place(whisper, tmp_path):
    copy = shutil.copytree(whisper, tmp_path / "copy")
    assert folder_hash(copy) == folder_hash(whisper)
    (copy / "generation_config.json").write_text("{}")
    assert folder_hash(copy) != folder_hash(whisper)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("config.json", "{folder} has no config.json, so it holds no model; name a folder that has one."),
        (
            "model.safetensors",
            "{folder} has no weights as safetensors or pytorch_model.bin, and emokit reads no others; convert them or choose "
            "others.",
        ),
        (
            "preprocessor_config.json",
            "{folder} has no feature extractor (preprocessor_config.json or processor_config.json), without which Whisper cannot "
            "transcribe; copy the file from where the weights came from.",
        ),
        (
            "tokenizer.json",
            "{folder} has no tokenizer (tokenizer.json or vocab.json), without which Whisper cannot transcribe; copy the file "
            "from where the weights came from.",
        ),
    ],
)
def test_a_folder_that_lacks_a_part_is_refused(whisper, tmp_path, missing, sentence):
    folder = shutil.copytree(whisper, tmp_path / "copy")
    (folder / missing).unlink()
    with pytest.raises(DataError) as refused:
        WhisperTranscriber(str(folder))
    assert str(refused.value) == sentence.format(folder=folder)


def test_a_model_of_another_architecture_is_refused(tmp_path):
    folder = write_encoder("wav2vec2", tmp_path / "encoder")
    with pytest.raises(UsageError) as refused:
        WhisperTranscriber(str(folder))
    assert str(refused.value) == (
        f"{folder} is a model of the type wav2vec2, and Whisper is the one that transcribes here; name a folder of Whisper with "
        "--transcribe, or the URL of an OpenAI-compatible API."
    )


def test_an_encoder_without_its_decoder_is_refused(whisper, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(whisper, tmp_path / "copy")
    tensors = load_file(folder / "model.safetensors")
    remaining = {name: tensor for name, tensor in tensors.items() if ".decoder.layers." not in name}
    save_file(remaining, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError) as refused:
        WhisperTranscriber(str(folder))
    assert str(refused.value) == (
        f"{folder} has no complete model (model.decoder.layers.0.encoder_attn.k_proj.weight is missing); fetch it again."
    )


def test_weights_of_more_layers_than_the_config_states_are_refused(whisper, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(whisper, tmp_path / "longer")
    weights = load_file(folder / "model.safetensors")
    upper = {
        name.replace("decoder.layers.", "decoder.layers.9"): value.clone()
        for name, value in weights.items()
        if "decoder.layers." in name
    }
    save_file(weights | upper, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(DataError) as error:
        WhisperTranscriber(str(folder), "cpu")
    assert str(error.value) == (
        f"{folder} has a damaged model ({min(upper)} has no place in the model of its config.json); fetch it again."
    )
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"decoder_layers": 0}))
    with pytest.raises(DataError) as error:
        WhisperTranscriber(str(folder), "cpu")
    assert str(error.value) == (
        f"{folder / 'config.json'} has decoder_layers = 0 where a whole number above 0 was expected; fetch it again."
    )


def test_a_name_that_is_no_folder_and_no_name_is_refused_with_the_option(tmp_path):
    with pytest.raises(DataError) as refused:
        WhisperTranscriber(str(tmp_path / "nowhere"), option="--model")
    assert str(refused.value) == (
        f"{tmp_path / 'nowhere'} is no folder and no valid name of a model on the hub; correct --model."
    )


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["whisper-tiny.en", "whisper-base"])
def test_a_real_model_transcribes_a_real_recording(real_model, corpora, name):
    path = next(corpora.rglob("03-01-01-01-01-01-01.wav"))
    waveform, sample_rate = soundfile.read(path, dtype="float32")
    from emokit.data.audio_io.read import resample

    (result,) = WhisperTranscriber(str(real_model(name)), "cpu").transcribe(
        [resample(waveform, sample_rate, 16_000)], [None]
    )
    assert result == Transcript("Kids are talking by the door.", "en")


@pytest.mark.corpus
def test_a_real_model_writes_no_words_for_clicks(real_model):
    clicks = (numpy.random.default_rng(0).random(48_000) > 0.9997).astype(numpy.float32) * 0.5
    (result,) = WhisperTranscriber(str(real_model("whisper-tiny.en")), "cpu").transcribe([clicks], [None])
    assert isinstance(result, NotTranscribed)


def test_the_vocabulary_has_a_token_per_language(whisper):
    vocabulary = json.loads((whisper / "tokenizer.json").read_text())["model"]["vocab"]
    assert WhisperTranscriber(str(whisper), "cpu").languages == {
        code: vocabulary[f"<|{code}|>"] for code in ("en", "de")
    }
