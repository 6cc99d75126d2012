"""The predictor of text runs: sentences, files of sentences, standard input, or a prepared split."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy

from emokit import runs
from emokit.engines.exports import open_engine
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.modality.predictor import Arguments, Embedding, Input, Prediction, Predictor
from emokit.runtime import choose_device
from emokit.text.classified import BagOfWordsClassifier, Classifier, OnnxClassifier, without_onnx
from emokit.text.inputs import Blank, text_inputs
from emokit.text.passages import Passage, check_texts
from emokit.text.settings import TextSettings

if TYPE_CHECKING:
    from emokit.data.prepared import Prepared
    from emokit.predictions import Predictions
    from emokit.text.classifier import EncoderClassifier
    from emokit.text.splits import SplitData

CHUNK = 4096  # texts that are sorted by length together


class TextPredictor(Predictor):
    """A classifier of text with the settings and the label set of its run."""

    columns = (("number",), ("text",))

    def __init__(
        self, classifier: Classifier, settings: TextSettings, labels: LabelSet, notes: Sequence[str] = ()
    ) -> None:
        self.classifier, self.settings, self.labels, self.notes = classifier, settings, labels, notes
        self.num_texts = self.num_cut = 0
        self.blank = Blank()

    def predict_split(self, prepared: "Prepared", split: str) -> "tuple[Predictions, dict[str, int]]":
        """Predict a split of a prepared folder, of the run's corpora and with its context.

        Raises:
            UsageError: the split is unknown, or a corpus is not in the folder.
            DataError: the split has no utterance with text of these corpora, or a text is empty or not Unicode.
        """
        from emokit.data.utterance import SPLITS
        from emokit.text.splits import rows_with_text, split_data

        if split not in SPLITS:
            raise UsageError(f"--split {split} is unknown; choose one of {', '.join(SPLITS)}.")
        data = split_data(rows_with_text(self.settings, prepared), split, self.settings, prepared)
        if data.table.empty:
            raise DataError(
                f"{prepared.folder} has no {split} utterances of the run's corpora; choose another --split."
            )
        return self.predict_data(data, prepared.fingerprint), {}

    def predict_data(self, data: "SplitData", fingerprint: str) -> "Predictions":
        """Predict the utterances of a split, of data with this fingerprint."""
        from emokit import predictions

        return predictions.make(
            data.table,
            self.classifier.predict(data.passages).probabilities,
            labels=self.labels,
            model=self.settings.name,
            fingerprint=fingerprint,
        )

    def inputs(self, arguments: Arguments) -> AbstractContextManager[Iterable[Input]]:
        """As `Predictor.inputs`: sentences, or the texts of `file` or of standard input, read as they are predicted."""
        self.blank = Blank()
        return text_inputs(arguments, self.blank)

    def accepts(self, item: Input) -> bool:
        """Whether an input has a text."""
        return item.text is not None

    def predict(self, inputs: Iterable[Input | Path | str]) -> Iterator[Prediction | DataError]:
        """Predict texts in their order; a `str` is a text. One that is missing, empty or not Unicode yields its `DataError`."""
        numbered = (_readable(item, number) for number, item in enumerate(inputs, start=1))
        while chunk := list(itertools.islice(numbered, CHUNK)):
            texts = [item.text or "" for item in chunk if isinstance(item, Input)]
            rows = self._classified(texts)
            for item in chunk:
                if isinstance(item, DataError):
                    yield item
                    continue
                text, probabilities, is_cut = next(rows)
                self.num_texts += 1
                self.num_cut += is_cut
                try:
                    prediction: Prediction | DataError = Prediction(
                        self.labels,
                        probabilities,
                        given={"number": item.number, "text": text},
                        cells=((str(item.number),), (" ".join(text.split()),)),
                        details={"cut": is_cut},
                    )
                except DataError as error:
                    prediction = error
                yield prediction

    def embed(self, inputs: Iterable[Input | Path | str], steps: int = 1) -> Iterator[Embedding | DataError]:
        """As `Predictor.embed`; errors as in `predict`."""
        numbered = (_readable(item, number) for number, item in enumerate(inputs, start=1))
        while chunk := list(itertools.islice(numbered, CHUNK)):
            texts = [item.text or "" for item in chunk if isinstance(item, Input)]
            vectors = iter(self.classifier.embed([Passage(text) for text in texts], steps) if texts else ())
            for item in chunk:
                if isinstance(item, DataError):
                    yield item
                    continue
                try:
                    embedding: Embedding | DataError = Embedding(item.text or "", next(vectors))
                except DataError as error:
                    embedding = error
                yield embedding

    def _classified(self, texts: list[str]) -> Iterator[tuple[str, numpy.ndarray, bool]]:
        """Each text with its probabilities and whether it was cut; a classifier is given one text at least."""
        if not texts:
            return
        classified = self.classifier.predict([Passage(text) for text in texts])
        yield from zip(texts, classified.probabilities, classified.is_cut.tolist(), strict=True)

    def closing_note(self) -> str | None:
        """How many texts were truncated, and which lines were blank; None if there are none of both."""
        notes = [note] if (note := self.blank.note()) else []
        if self.num_cut:
            notes.append(
                f"truncated {self.num_cut} of {self.num_texts} texts to {self.settings.features.max_length} tokens"
            )
        return "; ".join(notes) or None


def load(run: Path, device: str = "auto", *, trust_remote_code: bool = False, engine: str = "auto") -> TextPredictor:
    """Load the model of a complete run.

    Raises:
        UsageError: the device is unknown, the engine cannot be used, or the model needs remote code that was not allowed.
        DataError: the run is incomplete or its model is damaged.
    """
    runs.check_complete(run)
    settings = TextSettings.resolved(runs.read_settings(run), str(run / runs.SETTINGS))
    labels = runs.read_labels(run)

    def encoder() -> "EncoderClassifier":
        from emokit.text.classifier import load_classifier

        return load_classifier(run, settings, labels, choose_device(device), trust_remote_code=trust_remote_code)

    def export(out: Path) -> None:
        from emokit.text.classifier import load_classifier
        from emokit.text.export import export_classifier

        on_cpu = load_classifier(run, settings, labels, choose_device("cpu"), trust_remote_code=trust_remote_code)
        export_classifier(on_cpu, labels, out)

    onnx, notes = open_engine(engine, device, run, labels, export, without_onnx(settings))
    if settings.model.kind == "tfidf":
        return TextPredictor(_bag_of_words(run, settings, labels, device), settings, labels)
    return TextPredictor(OnnxClassifier(onnx, encoder) if onnx else encoder(), settings, labels, notes)


def _bag_of_words(run: Path, settings: TextSettings, labels: LabelSet, device: str) -> BagOfWordsClassifier:
    """It computes on the CPU, without torch, whatever the engine."""
    from emokit.text import bag_of_words

    def training_texts() -> list[str]:
        from emokit.text.splits import training_texts

        return training_texts(run, settings)

    if device not in ("auto", "cpu"):
        choose_device(device)  # refuses a device that is not there
    return BagOfWordsClassifier(bag_of_words.load(run / runs.MODEL, labels), training_texts)


def _readable(item: Input | Path | str, number: int) -> Input | DataError:
    """An input with its number, or why no model can read it."""
    try:
        given = _as_input(item, number)
        check_texts([given.text or ""], [given.name])
    except DataError as error:
        return error
    return given


def _as_input(item: Input | Path | str, number: int) -> Input:
    if isinstance(item, str):
        return Input(f"Sentence {number}", text=item, number=number)
    if isinstance(item, Path):
        item = Input(str(item), path=item)
    if item.text is None:
        raise DataError(f"{item.name} has no text, and the model reads only text; add its text or leave it out.")
    return item if item.number is not None else replace(item, number=number)
