"""The predictor of text runs: sentences, files of sentences, standard input, or a prepared split."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy

from emokit import runs
from emokit.data.sources.tree import Skipped
from emokit.engines.exports import open_engine
from emokit.errors import DataError, UsageError
from emokit.files import kind_of
from emokit.labels import LabelSet
from emokit.modality.predictor import Arguments, Embedding, Input, Prediction, Predictor
from emokit.modality.recordings import audio_inputs, skipped_note
from emokit.modality.transcribing import Transcribed, recogniser_of, transcribed
from emokit.names import escaped
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

if TYPE_CHECKING:
    from emokit.transcription.recogniser import SpeechRecogniser

NO_ENGINE = "a bag of words is computed with neither torch nor ONNX Runtime, so --engine changes nothing"
CHUNK = 4096  # texts that are sorted by length together
Result = TypeVar("Result", Prediction, Embedding)


class TextPredictor(Predictor):
    """A classifier of text with the settings and the label set of its run."""

    columns = (("number",), ("text",))

    def __init__(
        self,
        classifier: Classifier,
        settings: TextSettings,
        labels: LabelSet,
        recogniser: "SpeechRecogniser | None" = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.classifier, self.settings, self.labels, self.recogniser = classifier, settings, labels, recogniser
        self.notes = notes
        if recogniser:
            self.columns = (("file",), ("text",))
        self.num_texts = self.num_cut = 0
        self.blank = Blank()
        self._skipped: list[Skipped] = []

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

    def predict_data(
        self, data: "SplitData", fingerprint: str, probabilities: numpy.ndarray | None = None
    ) -> "Predictions":
        """The predictions of a split, of data with this fingerprint; its probabilities are computed where they are not given."""
        from emokit import predictions

        if probabilities is None:
            probabilities = self.classifier.predict(data.passages).probabilities
        return predictions.make(
            data.table,
            probabilities,
            labels=self.labels,
            model=self.settings.name,
            fingerprint=fingerprint,
        )

    def inputs(self, arguments: Arguments) -> AbstractContextManager[Iterable[Input]]:
        """As `Predictor.inputs`: sentences, or the texts of `file` or of standard input, read as they are predicted.

        With a recogniser, they are audio files, folders of them, or `-` for the audio of standard input.
        """
        self.blank, self._skipped = Blank(), []
        if self.recogniser:
            return audio_inputs(arguments.inputs, self._skipped)
        return text_inputs(arguments, self.blank)

    def accepts(self, item: Input) -> bool:
        """Whether an input has a text, or a recording that can be transcribed."""
        return item.text is not None or (self.recogniser is not None and item.path is not None)

    def predict(self, inputs: Iterable[Input | Path | str]) -> Iterator[Prediction | DataError]:
        """Predict texts in their order; a `str` is a text. One that is missing, empty or not Unicode yields its `DataError`.

        With a recogniser, a `str` that names a file is that recording.
        """
        return self._each(inputs, self._classified, self._prediction)

    def embed(self, inputs: Iterable[Input | Path | str], steps: int = 1) -> Iterator[Embedding | DataError]:
        """As `Predictor.embed`; texts, transcripts and errors as in `predict`."""

        def embeddings(texts: list[str]) -> Iterator[numpy.ndarray]:
            return iter(self.classifier.embed([Passage(text) for text in texts], steps) if texts else ())

        def embedding(entry: Transcribed, vectors: numpy.ndarray) -> Embedding:
            name = entry.item.name if entry.item.path else entry.item.text or ""
            return Embedding(name, vectors, entry.flags)

        return self._each(inputs, embeddings, embedding)

    def _each(
        self,
        inputs: Iterable[Input | Path | str],
        compute: Callable[[list[str]], Iterator[Any]],
        output: Callable[[Transcribed, Any], Result],
    ) -> Iterator[Result | DataError]:
        """The output for each input, of what `compute` yields for the texts of a chunk; or the input's error."""
        numbered = (self._as_input(item, number) for number, item in enumerate(inputs, start=1))
        size = self.recogniser.batch_size if self.recogniser else CHUNK
        while chunk := list(itertools.islice(numbered, size)):
            checked = [_checked(entry) for entry in transcribed(chunk, self.recogniser)]
            rows = compute([entry.item.text or "" for entry in checked if not entry.error])
            for entry in checked:
                if entry.error:
                    yield entry.error
                    continue
                try:
                    result: Result | DataError = output(entry, next(rows))
                except DataError as error:
                    result = error
                yield result

    def _prediction(self, entry: Transcribed, classified: tuple[numpy.ndarray, bool]) -> Prediction:
        probabilities, is_cut = classified
        self.num_texts += 1
        self.num_cut += is_cut
        item, text = entry.item, entry.item.text or ""
        on_one_line = " ".join(text.split())
        if not self.recogniser:
            given: dict[str, Any] = {"number": item.number, "text": text}
            return Prediction(self.labels, probabilities, given, ((str(item.number),), (on_one_line,)), {"cut": is_cut})
        return Prediction(
            self.labels,
            probabilities,
            {"file": item.name if item.path else None, "text": text},
            ((item.name,), (on_one_line,)),
            {"cut": is_cut, **entry.details},
            flags=entry.flags,
        )

    def _as_input(self, item: Input | Path | str, number: int) -> Input:
        if isinstance(item, str) and self.recogniser and kind_of(item) == "file":
            item = Path(item)
        if isinstance(item, str):
            return Input(f"Sentence {number}", text=item, number=number)
        if isinstance(item, Path):
            item = Input(escaped(str(item)), path=item)
        return item if item.number is not None else replace(item, number=number)

    def _classified(self, texts: list[str]) -> Iterator[tuple[numpy.ndarray, bool]]:
        """The probabilities of each text and whether it was cut; a classifier is given one text at least."""
        if not texts:
            return
        classified = self.classifier.predict([Passage(text) for text in texts])
        yield from zip(classified.probabilities, classified.is_cut.tolist(), strict=True)

    def closing_note(self) -> str | None:
        """How many texts were truncated, and which lines were blank; None if there are none of both."""
        notes = [note for note in (self.blank.note(), skipped_note(self._skipped)) if note]
        if self.num_cut:
            notes.append(
                f"truncated {self.num_cut} of {self.num_texts} texts to {self.settings.features.max_length} tokens"
            )
        return "; ".join(notes) or None


def load(
    run: Path, device: str = "auto", *, trust_remote_code: bool = False, engine: str = "auto", **options: Any
) -> TextPredictor:
    """Load the model of a complete run.

    Args:
        run: the run folder.
        device: auto, cuda, mps or cpu.
        trust_remote_code: run the code that comes with a pretrained model.
        engine: auto, torch or onnx.
        options: of `transcribing.recogniser_of`.

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

    recogniser = recogniser_of(**options, device=device)
    onnx, notes = open_engine(engine, device, run, labels, export, without_onnx(settings))
    if settings.model.kind == "tfidf":
        notes = (NO_ENGINE,) if engine == "onnx" else ()
        return TextPredictor(_bag_of_words(run, settings, labels, device), settings, labels, recogniser, notes)
    return TextPredictor(OnnxClassifier(onnx, encoder) if onnx else encoder(), settings, labels, recogniser, notes)


def _bag_of_words(run: Path, settings: TextSettings, labels: LabelSet, device: str) -> BagOfWordsClassifier:
    """It computes on the CPU, without torch, whatever the engine."""
    from emokit.text import bag_of_words

    def training_texts() -> list[str]:
        from emokit.text.splits import training_texts

        return training_texts(run, settings)

    if device not in ("auto", "cpu"):
        choose_device(device)  # refuses a device that is not there
    return BagOfWordsClassifier(bag_of_words.load(runs.model_folder(run), labels), training_texts)


def _checked(entry: Transcribed) -> Transcribed:
    """An input with its text, or with the reason why no model can read it."""
    item = entry.item
    if entry.error:
        return entry
    try:
        if item.text is None:
            raise DataError(
                f"{item.name} has no text, and the model reads only text; add its text, transcribe it with --transcribe MODEL, "
                "or leave it out."
            )
        check_texts([item.text], [item.name])
    except DataError as error:
        return replace(entry, error=error)
    return entry
