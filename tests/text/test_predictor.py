"""The predictor: sentences, files and standard input in their order, and splits as at the end of training."""

import shutil
from pathlib import Path

import numpy
import pytest
import transformers

from emokit import predictions, runs
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.modality.predictor import Arguments, Input
from emokit.modality.transcribing import recogniser_of
from emokit.text import predictor
from emokit.text.classified import Classified
from emokit.text.predictor import TextPredictor, load
from emokit.text.settings import TextSettings
from emokit.text.train import train
from tests.transcription.conftest import sounds, whisper  # noqa: F401  fixtures

LABELS = LabelSet(("short", "long"))
ADVICE = "add its text, transcribe it with --transcribe MODEL, or leave it out."


class ByLength:
    """A classifier whose probabilities are of the length of a text, up to ten characters."""

    def __init__(self):
        self.batches = []

    def predict(self, passages):
        lengths = numpy.array([len(passage.text) for passage in passages])
        self.batches.append(len(passages))
        share = lengths.clip(0, 10) / 10
        return Classified(numpy.stack([1 - share, share], axis=1), lengths > 10)


@pytest.fixture
def by_length():
    return TextPredictor(ByLength(), TextSettings.make({"name": "x", "features": {"max_length": 8}}), LABELS)


def texts_of(loaded, *sentences, **options):
    with loaded.inputs(Arguments(sentences, options)) as inputs:
        return [prediction.given["text"] for prediction in loaded.predict(inputs)]


def test_a_prediction_has_a_number_a_text_and_whether_it_was_truncated(by_length):
    _, prediction = by_length.predict(["ab", "a\tlong  sentence"])
    assert prediction.as_dict() == {
        "number": 2,
        "text": "a\tlong  sentence",
        "label": "long",
        "probabilities": {"short": 0.0, "long": 1.0},
        "cut": True,
    }
    assert by_length.columns == (("number",), ("text",))
    assert prediction.cells == (("2",), ("a long sentence",))
    assert by_length.closing_note() == "truncated 1 of 2 texts to 8 tokens"


def test_without_truncated_texts_there_is_no_closing_note(by_length):
    assert len(list(by_length.predict(["ab"]))) == 1
    assert by_length.closing_note() is None


def test_no_inputs_give_no_predictions(by_length):
    assert list(by_length.predict([])) == []


def test_numbers_are_those_of_the_lines_and_blank_lines_are_in_the_closing_note(by_length, tmp_path):
    (tmp_path / "lines.txt").write_text("ab\n\n\nlonger than ten\n\nc\n")
    with by_length.inputs(Arguments((), {"file": tmp_path / "lines.txt"})) as inputs:
        assert [p.as_dict()["number"] for p in by_length.predict(inputs)] == [1, 4, 6]
    assert by_length.closing_note() == "skipped 3 blank lines: 2-3, 5; truncated 1 of 3 texts to 8 tokens"


def test_a_long_input_is_read_in_chunks(by_length, monkeypatch):
    monkeypatch.setattr(predictor, "CHUNK", 2)
    read = []

    def inputs():
        for number in range(5):
            read.append(number)
            yield Input(f"line {number}", text="word")

    stream = by_length.predict(inputs())
    assert next(stream).given["number"] == 1
    assert read == [0, 1]
    assert [prediction.given["number"] for prediction in stream] == [2, 3, 4, 5]
    assert by_length.classifier.batches == [2, 2, 1]


def test_a_line_that_no_model_reads_is_named(by_length, tmp_path):
    (tmp_path / "lines.txt").write_bytes(b"fine\nfi\0ne")
    with by_length.inputs(Arguments(options={"file": tmp_path / "lines.txt"})) as inputs:
        fine, error = by_length.predict(inputs)
    assert fine.given == {"number": 1, "text": "fine"}
    assert str(error) == f"{tmp_path / 'lines.txt'}, line 2, has a null character at 3; save it as UTF-8 text."


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("  ", "Sentence 2 has an empty text; write one or leave it out."),
        (Input("--text", text=""), "--text has an empty text; write one or leave it out."),
        (Path("a.wav"), "a.wav has no text, and the model reads only text; " + ADVICE),
        (Input("b", path=Path("b.wav")), "b has no text, and the model reads only text; " + ADVICE),
    ],
)
def test_an_input_without_text_is_named_and_does_not_stop_the_others(by_length, item, sentence):
    first, wrong, last = by_length.predict(["fox", item, "fine"])
    assert (first.given["text"], str(wrong), last.given["text"]) == ("fox", sentence, "fine")
    assert isinstance(wrong, DataError)
    assert [str(error) for error in by_length.predict([""])] == [
        "Sentence 1 has an empty text; write one or leave it out."
    ]


def test_only_inputs_with_text_are_accepted(by_length):
    assert by_length.accepts(Input("a", text=""))
    assert not by_length.accepts(Input("a", path=Path("a.wav")))


def test_a_recogniser_makes_texts_of_recordings_batch_by_batch(by_length, whisper, sounds):  # noqa: F811
    folder = sounds("low", "hush", "middle")
    recogniser = recogniser_of(whisper, device="cpu")
    predictor = TextPredictor(by_length.classifier, by_length.settings, by_length.labels, recogniser)
    assert predictor.accepts(Input("a", path=Path("a.wav")))
    with predictor.inputs(Arguments((str(folder),))) as inputs:
        hush, low, middle = predictor.predict(inputs)
    assert str(hush) == f"{folder}/hush.wav has no speech to transcribe; leave it out."
    assert low.given == {"file": f"{folder}/low.wav", "text": "good morning"}
    assert middle.details == {"cut": True, "text_source": "transcript", "language": "de"}
    assert predictor.header({})[0] == "file"
    assert predictor.rows(low, {})[0][-1] == "good morning"
    # In Python a path is a recording as a Path or a str, and anything else is a sentence.
    results = list(predictor.predict([folder / "low.wav", str(folder / "low.wav"), "good night"]))
    assert [result.given["text"] for result in results] == ["good morning", "good morning", "good night"]
    assert results[2].details == {"cut": False, "text_source": None, "language": None}


@pytest.mark.end_to_end
@pytest.mark.parametrize(("context_turns", "precision"), [(0, "bf16"), (2, "float32")])
def test_a_loaded_run_predicts_a_split_as_at_the_end_of_training(
    text_prepared, text_settings, tmp_path, context_turns, precision
):
    text_settings["training"] |= {"max_epochs": 2, "ema_decay": 0.9}
    text_settings["data"] = {"context_turns": context_turns}
    run, prepared = tmp_path / "run", open_prepared(text_prepared)
    train(TextSettings.make(text_settings), prepared, run, device="cpu", precision=precision)
    loaded = load(run, "cpu")
    assert loaded.labels == runs.read_labels(run) == prepared.labels
    for split in ("dev", "test"):
        again, counts = loaded.predict_split(prepared, split)
        predictions.write(again, tmp_path / "again.parquet")
        assert counts == {}
        assert (tmp_path / "again.parquet").read_bytes() == (run / "predictions" / f"{split}.parquet").read_bytes()
    assert set(again.table["corpus"]) == {"goemotions", "meld"}
    with pytest.raises(UsageError) as error:
        loaded.predict_split(prepared, "tset")
    assert str(error.value) == "--split tset is unknown; choose one of train, dev, test."

    classify = transformers.pipeline("text-classification", model=str(run / "model"), device="cpu", top_k=None)
    (sentence,) = loaded.predict(["I did not expect that!"])
    (entries,) = classify([sentence.given["text"]], truncation=True)
    scores = {entry["label"]: entry["score"] for entry in entries}
    assert scores == pytest.approx(dict(zip(loaded.labels, sentence.probabilities, strict=True)), abs=1e-6)

    (run / "model/model.safetensors").write_bytes(b"cut short")
    with pytest.raises(DataError) as damaged:
        load(run, "cpu")
    assert str(damaged.value).startswith(f"{run / 'model'} ")
    (run / "metrics.json").unlink()
    with pytest.raises(DataError) as incomplete:
        load(run, "cpu")
    assert str(incomplete.value) == (
        f"{run} has no metrics.json, so its training did not end; resume it by adding --resume."
    )


def test_a_split_without_utterances_of_the_runs_corpora_is_named(by_length, mood_prepared):
    prepared = open_prepared(mood_prepared)
    by_length.settings = TextSettings.make({"data": {"corpora": ["diary"]}})
    prepared.table.loc[prepared.table["split"] == "test", "split"] = "dev"
    with pytest.raises(DataError) as error:
        by_length.predict_split(prepared, "test")
    assert str(error.value) == (f"{mood_prepared} has no test utterances of the run's corpora; choose another --split.")


def test_probabilities_that_are_not_finite_are_the_error_of_the_text_only():
    class Broken(ByLength):
        def predict(self, passages):
            classified = super().predict(passages)
            classified.probabilities[0] = numpy.nan
            return classified

    loaded = TextPredictor(Broken(), TextSettings.make({"name": "x", "features": {"max_length": 8}}), LABELS)
    wrong, predicted = loaded.predict(["a sentence", "ab"])
    assert isinstance(wrong, DataError)
    assert str(wrong).startswith("a sentence got probabilities that are not finite numbers;")
    assert predicted.label == "short"


@pytest.fixture
def words(mood_prepared, tmp_path):
    """A bag of words, its run folder, and its prepared folder."""
    folder = shutil.copytree(mood_prepared, tmp_path / "prepared")
    settings = TextSettings.make({"model": {"kind": "tfidf"}, "data": {"corpora": ["diary"]}})
    train(settings, open_prepared(folder), tmp_path / "words", device="cpu")
    return load(tmp_path / "words", "cpu"), tmp_path / "words", folder


def test_a_bag_of_words_is_embedded_with_the_texts_that_it_was_trained_on(words):
    model, _, _ = words
    first, bad, second = model.embed(["I need sleep now", " ", "stop that noise"])
    assert (first.name, first.vectors.shape, second.vectors.shape) == ("I need sleep now", (1, 47), (1, 47))
    assert str(bad) == "Sentence 2 has an empty text; write one or leave it out."
    assert numpy.abs(first.vectors - second.vectors).max() > 0.1


def test_without_those_texts_it_is_not_embedded(words):
    model, run, folder = words
    shutil.rmtree(folder)
    with pytest.raises(DataError) as error:
        list(model.embed(["fine"]))
    assert str(error.value) == (
        f"{run} has a bag of words, whose embeddings need the texts that it was trained on, and {folder} is no longer there; "
        "prepare it again as it was, or train the run again."
    )
