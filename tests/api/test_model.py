"""`emokit.load(run).predict(x)`: every form of an input gives the probabilities of `emokit predict`."""

import json
import warnings

import numpy
import pandas
import pytest
import soundfile
import torch
from typer.testing import CliRunner

import emokit
from emokit.api.model import Model
from emokit.api.results import Result, Results
from emokit.audio.functionals.model import NUM_FUNCTIONALS
from emokit.cli.app import app
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.modality.predictor import Input, Prediction, Predictor


@pytest.fixture(scope="module")
def audio(audio_run):
    return emokit.load(audio_run, "cpu")


@pytest.fixture(scope="module")
def text(text_run):
    return emokit.load(str(text_run.path), "cpu")


def printed(run, *inputs):
    """What `emokit predict --json` prints."""
    result = CliRunner().invoke(app, ["predict", str(run.path), *map(str, inputs), "--json", "--device", "cpu"])
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_recording_has_the_probabilities_of_the_command_in_every_form(audio, audio_run, recordings):
    path = recordings[0]
    (expected,) = printed(audio_run, path)
    waveform, rate = soundfile.read(path, dtype="float32")
    stored, _ = soundfile.read(path, dtype="int16")
    first = audio.predict(path)
    assert isinstance(first, Result)
    assert (first.name, first.label) == (str(path), expected["label"])
    assert first.probabilities == pytest.approx(expected["probabilities"], abs=1e-6)
    assert len(first.windows) == len(expected["windows"])
    assert first.windows[0].probabilities == pytest.approx(expected["windows"][0]["probabilities"], abs=1e-6)
    forms = (
        str(path),
        path.read_bytes(),
        bytearray(path.read_bytes()),
        (waveform, rate),
        (waveform.astype(numpy.float64), float(rate)),
        (stored, numpy.int64(rate)),
        (torch.from_numpy(waveform), rate),
        {"path": str(path)},
        {"path": (waveform, rate), "text": None},
        Input("x", path),
    )
    for form in forms:
        assert audio.predict(form).probabilities == first.probabilities, type(form)


def test_several_inputs_keep_their_order_and_a_bad_one_does_not_stop_the_others(audio, recordings, tmp_path):
    (tmp_path / "cut.wav").write_bytes(recordings[0].read_bytes()[:100])
    waveform, rate = soundfile.read(recordings[1])
    broken = waveform.copy()
    broken[3:5] = numpy.nan
    results = audio.predict(
        [recordings[0], tmp_path / "cut.wav", (waveform, rate), (broken, rate), waveform, None, recordings[2]]
    )
    assert isinstance(results, Results)
    alone = [audio.predict(path) for path in recordings[:3]]
    assert [results[i].probabilities for i in (0, 2, 6)] == [result.probabilities for result in alone]
    assert (results[2].name, results[0].name) == ("inputs[2]", str(recordings[0]))
    assert [str(results[i]) for i in (3, 4)] == [
        "inputs[3] has 2 samples that are no finite numbers; repair the waveform or leave it out.",
        "inputs[4] is an array without its sample rate; give (array, sample_rate).",
    ]
    assert str(results[1]).startswith(f"{tmp_path / 'cut.wav'} is truncated")
    assert str(results[5]).startswith("inputs[5] is a NoneType where a path, bytes,")
    assert [type(error) for error in results.errors] == [DataError, DataError, UsageError, UsageError]
    assert audio.predict([]) == []
    assert audio.predict(iter(recordings[:1]))[0].probabilities == alone[0].probabilities


def test_a_single_bad_input_is_raised_with_a_name_and_no_temporary_path(audio):
    with pytest.raises(DataError) as error:
        audio.predict(b"no audio at all")
    assert str(error.value).startswith("The input is undecodable (")
    with pytest.raises(DataError) as error:
        audio.predict((numpy.zeros(16_000, numpy.float32), 16_000))
    assert str(error.value).startswith("The input is silent (")
    with pytest.raises(UsageError) as error:
        audio.predict(7)
    assert str(error.value) == (
        "The input is an int where a path, bytes, (array, sample_rate), a sentence or a dictionary with path and text was "
        "expected; give one of these."
    )


def test_the_rows_of_a_data_frame_are_predicted(audio, text, recordings, tmp_path):
    frame = pandas.DataFrame(
        {"text": ["what a day", None], "path": [str(recordings[0]), str(tmp_path / "none.wav")], "id": [1, 2]},
        index=["a", "b"],
    )
    of_audio, of_text = audio.predict(frame), text.predict(frame)
    assert of_audio[0].probabilities == audio.predict(recordings[0]).probabilities
    assert str(of_audio[1]).startswith(f"{tmp_path / 'none.wav'} is unreadable")
    assert of_text[0].probabilities == text.predict("what a day").probabilities
    assert str(of_text[1]) == "Row b of the data frame has neither a path nor a text; add one or leave it out."
    joined = frame.join(of_text.to_frame())
    assert joined.loc["a", "label"] == of_text[0].label
    assert text.predict(frame["text"].dropna())[0].probabilities == of_text[0].probabilities

    with pytest.raises(UsageError) as error:
        text.predict(frame.rename(columns={"text": "Texts"}))
    assert str(error.value) == (
        "The data frame has the columns Texts, path, id and no column text; "
        "rename the one that holds it with frame.rename(columns={'Texts': 'text'})."
    )
    with pytest.raises(UsageError) as error:
        audio.predict(pandas.DataFrame({"zzz": [1]}))
    assert str(error.value) == (
        "The data frame has the columns zzz and no column path; rename the one that holds it with "
        "frame.rename(columns={'…': 'path'})."
    )


def test_sentences_have_the_probabilities_of_the_command(text, text_run):
    sentences = ["I did not expect that!", "leave me alone", "leave me alone"]
    expected = printed(text_run, *sentences)
    results = text.predict(sentences)
    for result, line in zip(results, expected, strict=True):
        assert result.probabilities == pytest.approx(line["probabilities"], abs=1e-6)
    assert results[0].details == {"cut": False}
    assert text.predict(sentences[0]).probabilities == results[0].probabilities
    bad = text.predict([sentences[0], "  ", (numpy.ones(9), 9), sentences[1]])
    assert [str(error) for error in bad.errors] == [
        "Sentence 2 has an empty text; write one or leave it out.",
        "inputs[2] has a recording and no text, which the model reads; add its text, load the model with transcribe=MODEL, "
        "or leave it out.",
    ]
    assert bad[3].probabilities == results[1].probabilities


def test_a_model_says_what_it_cannot_use(recordings, audio):
    with pytest.raises(DataError) as error:
        audio.predict({"text": "fine"})
    assert str(error.value) == (
        "The input has a text and no recording, which the model reads; add its path or leave it out."
    )
    assert repr(audio) == f"Model(AudioPredictor: {', '.join(audio.labels)})"

    class Both(Predictor):
        """Reads recordings and texts, and lacks a branch."""

        labels = LabelSet(("calm", "tense"))
        notes = ("without text: it is gone",)

        def accepts(self, item):
            return True

        def predict(self, inputs):
            for item in inputs:
                share = 0.5 + 0.3 * (item.path is not None) + 0.1 * (item.text is not None)
                yield Prediction(self.labels, numpy.array([share, 1 - share]), {"file": item.path, "text": item.text})

    with pytest.warns(UserWarning, match="without text: it is gone"):
        both = Model(Both())
    results = both.predict([{"path": recordings[0], "text": "fine"}, {"text": "fine"}])
    assert [round(result.probabilities["calm"], 3) for result in results] == [0.9, 0.6]
    frame = pandas.DataFrame({"path": [str(recordings[0]), None], "text": ["fine", "fine"]})
    assert [result.probabilities for result in both.predict(frame)] == [result.probabilities for result in results]


def test_a_model_without_notes_warns_of_nothing(audio_run):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        emokit.load(audio_run, "cpu")


def test_embeddings_are_an_array_for_one_input_and_a_list_for_several(audio, recordings, tmp_path):
    one = audio.embed(recordings[0])
    assert (one.shape, one.dtype) == ((NUM_FUNCTIONALS,), numpy.float32)
    first, bad, second = audio.embed([recordings[0], tmp_path / "none.wav", recordings[1]])
    assert (first == one).all()
    assert str(bad).startswith(f"{tmp_path / 'none.wav'} is unreadable")
    assert not (second == one).all()
    assert audio.embed(recordings[0], steps=3).shape == (len(audio.predict(recordings[0]).windows), NUM_FUNCTIONALS)
    with pytest.raises(DataError) as error:
        audio.embed(b"no audio at all")
    assert str(error.value).startswith("The input is undecodable (")


def test_steps_are_from_1_to_64(audio, recordings):
    for steps in (0, 65, True, 1.0):
        with pytest.raises(UsageError) as error:
            audio.embed(recordings[0], steps=steps)
        assert str(error.value) == f"steps is {steps!r} where a number from 1 to 64 was expected; correct it."


def test_a_text_is_embedded_too_and_a_model_without_embeddings_says_so(text):
    assert text.embed("what a day").shape == text.embed("leave me alone").shape

    class Plain(Predictor):
        """Has no embeddings."""

        labels = LabelSet(("calm", "tense"))

        def accepts(self, item):
            return True

    with pytest.raises(UsageError) as error:
        Model(Plain()).embed("fine")
    assert str(error.value) == "This model has no embeddings; load a run of audio or text."


def test_the_name_of_a_file_is_no_sentence_and_a_column_is_given_once(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.wav").touch()
    with pytest.raises(UsageError) as error:
        text.predict("one.wav")
    assert str(error.value) == (
        "one.wav is a file, and a str is a sentence for this model; give pathlib.Path('one.wav')."
    )
    assert text.predict("a very long sentence " * 300).label in text.labels
    with pytest.raises(UsageError) as error:
        text.predict(pandas.DataFrame([["Hi", "Ho"]], columns=["text", "text"]))
    assert str(error.value) == "The data frame has several columns text; keep one of them."
