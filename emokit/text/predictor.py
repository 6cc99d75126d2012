"""The predictor of text runs: sentences, files of sentences, standard input, or a prepared split."""

import itertools
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from emokit import predictions, runs
from emokit.data.prepared import Prepared
from emokit.data.utterance import SPLITS
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.modality.predictor import Arguments, Input, Prediction, Predictor
from emokit.predictions import Predictions
from emokit.runtime import choose_device
from emokit.text.classifier import Classifier, load_classifier
from emokit.text.passages import Passage, check_texts
from emokit.text.settings import TextSettings
from emokit.text.splits import SplitData, rows_with_text, split_data

STDIN = "-"
CHUNK = 4096  # texts that are sorted by length together


class TextPredictor(Predictor):
    """A classifier of text with the settings and the label set of its run."""

    columns = (("number",), ("text",))

    def __init__(self, classifier: Classifier, settings: TextSettings, labels: LabelSet) -> None:
        self.classifier, self.settings, self.labels = classifier, settings, labels
        self.num_texts = self.num_cut = 0

    def predict_split(self, prepared: Prepared, split: str) -> tuple[Predictions, dict[str, int]]:
        """Predict a split of a prepared folder, of the run's corpora and with its context.

        Raises:
            UsageError: the split is unknown, or a corpus is not in the folder.
            DataError: the split has no utterance with text of these corpora, or a text is empty or not Unicode.
        """
        if split not in SPLITS:
            raise UsageError(f"--split {split} is unknown; choose one of {', '.join(SPLITS)}.")
        data = split_data(rows_with_text(self.settings, prepared), split, self.settings, prepared)
        if data.table.empty:
            raise DataError(
                f"{prepared.folder} has no {split} utterances of the run's corpora; choose another --split."
            )
        return self.predict_data(data, prepared.fingerprint), {}

    def predict_data(self, data: SplitData, fingerprint: str) -> Predictions:
        """Predict the utterances of a split, of data with this fingerprint."""
        return predictions.make(
            data.table,
            self.classifier.predict(data.passages).probabilities,
            labels=self.labels,
            model=self.settings.name,
            fingerprint=fingerprint,
        )

    @contextmanager
    def inputs(self, arguments: Arguments) -> Iterator[Iterable[Input]]:
        """Sentences, or the lines of `file` or of standard input, which are read as they are predicted.

        Raises:
            UsageError: neither sentences nor a file were named, or both.
            DataError: the file cannot be read, or while it is read: a line is not UTF-8, or there is no line.
        """
        file: Path | None = arguments.options.get("file")
        if bool(arguments.inputs) == (file is not None):
            raise UsageError(
                "Name sentences, a file of sentences with --file, or a prepared folder with --data: exactly one of them."
            )
        if file is not None:
            with _open(file) as lines:
                yield _lines(lines, str(file))
        elif arguments.inputs == (STDIN,):
            yield _lines(sys.stdin.buffer, "Standard input")
        else:
            yield [_as_input(text, number) for number, text in enumerate(arguments.inputs, start=1)]

    def accepts(self, item: Input) -> bool:
        """Whether an input has a text."""
        return item.text is not None

    def predict(self, inputs: Iterable[Input | Path | str]) -> Iterator[Prediction | DataError]:
        """Predict texts in their order; a `str` is a text.

        Raises:
            DataError: a text is missing, empty or not Unicode.
        """
        numbered = (_as_input(item, number) for number, item in enumerate(inputs, start=1))
        number = 0
        while chunk := list(itertools.islice(numbered, CHUNK)):
            texts = [item.text or "" for item in chunk]
            check_texts(texts, (item.name for item in chunk))
            classified = self.classifier.predict([Passage(text) for text in texts])
            for text, probabilities, is_cut in zip(
                texts, classified.probabilities, classified.is_cut.tolist(), strict=True
            ):
                number += 1
                self.num_texts += 1
                self.num_cut += is_cut
                try:
                    prediction: Prediction | DataError = Prediction(
                        self.labels,
                        probabilities,
                        given={"number": number, "text": text},
                        cells=((str(number),), (" ".join(text.split()),)),
                        details={"cut": is_cut},
                    )
                except DataError as error:
                    prediction = error
                yield prediction

    def closing_note(self) -> str | None:
        """How many texts were truncated; None if none was."""
        if not self.num_cut:
            return None
        return f"truncated {self.num_cut} of {self.num_texts} texts to {self.settings.features.max_length} tokens"


def load(run: Path, device: str = "auto", *, trust_remote_code: bool = False) -> TextPredictor:
    """Load the model of a complete run.

    Raises:
        UsageError: the device is unknown, or the model needs remote code that was not allowed.
        DataError: the run is incomplete or its model is damaged.
    """
    runs.check_complete(run)
    settings = TextSettings.make(runs.read_settings(run), str(run / runs.SETTINGS))
    labels = runs.read_labels(run)
    classifier = load_classifier(
        run, settings.model, labels, choose_device(device), trust_remote_code=trust_remote_code
    )
    return TextPredictor(classifier, settings, labels)


def _as_input(item: Input | Path | str, number: int) -> Input:
    if isinstance(item, str):
        return Input(f"Sentence {number}", text=item)
    if isinstance(item, Path):
        item = Input(str(item), path=item)
    if item.text is None:
        raise DataError(f"{item.name} has no text, and the model reads only text; add its text or leave it out.")
    return item


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise _unreadable(str(file), error) from error


def _lines(file: BinaryIO, name: str) -> Iterator[Input]:
    """The lines of a file. Only a line feed ends one: a sentence may contain other characters that Unicode calls line breaks."""
    lines, number = enumerate(file, start=1), 0
    while True:
        try:
            number, line = next(lines)
        except StopIteration:
            break
        except OSError as error:
            raise _unreadable(name, error) from error
        where = f"{name}, line {number},"
        try:
            yield Input(where, text=line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n"))
        except UnicodeDecodeError as error:
            wrong = f"byte {error.object[error.start]:#04x} at {error.start}"
            raise DataError(f"{where} is not UTF-8 ({wrong}); save it as UTF-8 text.") from error
    if not number:
        raise DataError(f"{name} has no text; write one sentence per line.")


def _unreadable(name: str, error: OSError) -> DataError:
    return DataError(f"{name} cannot be read ({error.strerror}); name a file with one sentence per line.")
