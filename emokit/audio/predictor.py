"""The predictor of audio runs: audio files, or a split of a prepared folder, to probabilities."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from emokit import predictions, runs
from emokit.audio.family import RecordingEmbedding, RecordingPredictions, family
from emokit.audio.settings import AudioSettings
from emokit.data.prepared import Prepared
from emokit.data.sources.tree import Skipped
from emokit.data.utterance import SPLITS
from emokit.errors import DataError, UsageError
from emokit.modality.arguments import STDIN
from emokit.modality.predictor import Arguments, Embedding, Input, Prediction, Predictor, Window
from emokit.modality.recordings import audio_inputs, skipped_note
from emokit.modality.transcribing import STDIN_NAME
from emokit.names import escaped
from emokit.predictions import Predictions
from emokit.runtime import choose_device
from emokit.training.hub import check_config, check_labels

SECONDS_DECIMALS = 3
Result = TypeVar("Result", Prediction, Embedding)


class AudioPredictor(Predictor):
    """The model of a complete audio run."""

    columns = (("file",), ())

    def __init__(self, run: Path, device: str = "auto") -> None:
        """Load it.

        Raises:
            UsageError: the device is not on this machine.
            DataError: the run's settings or model are damaged.
        """
        self.settings = AudioSettings.resolved(runs.read_settings(run), str(run / runs.SETTINGS))
        self.family = family(self.settings.model.kind)
        self.model: Any = self.family.load_model(run / runs.MODEL).to(choose_device(device))
        self.labels = runs.read_labels(run)
        check_labels(self.model.config, self.labels, run / runs.MODEL)
        check_config(self.model.config, self.family.config_of(self.settings), run / runs.MODEL)
        self._skipped: list[Skipped] = []
        self._run = run

    def _fingerprint(self) -> str | None:
        """Of the data that the run was trained on."""
        fingerprint: str | None = runs.read_environment(self._run).get("data_fingerprint")
        return fingerprint

    def predict_split(self, prepared: Prepared, split: str) -> tuple[Predictions, dict[str, int]]:
        """As `Predictor.predict_split`."""
        if split not in SPLITS:
            raise UsageError(f"--split {split} is unknown; choose one of {', '.join(SPLITS)}.")
        if split == "dev" and self.settings.data.train_on_dev and prepared.fingerprint == self._fingerprint():
            raise UsageError(
                f"The run was trained on the dev split of {prepared.folder} (data.train_on_dev); "
                "its predictions/dev.parquet has those of models that were not trained on the utterance."
            )
        table, corpora = prepared.table, self.settings.data.corpora
        # A folder need not have all corpora that the model was trained on.
        chosen = (table["split"] == split) & table["path"].notna()
        rows = table[chosen & table["corpus"].isin(corpora or table["corpus"])].reset_index(drop=True)
        if rows.empty:
            raise DataError(
                f"{prepared.folder} has no {split} utterances of the run's corpora; choose another --split."
            )
        probabilities = self.family.predict_rows(self.model, self.settings, prepared, rows)
        return predictions.make(
            rows,
            probabilities,
            labels=self.labels,
            model=self.settings.name,
            fingerprint=prepared.fingerprint,
        ), {}

    def inputs(self, arguments: Arguments) -> AbstractContextManager[Iterable[Input]]:
        """As `Predictor.inputs`: files, folders of them, or `-` for standard input."""
        self._skipped = []
        return audio_inputs(arguments.inputs, self._skipped)

    def accepts(self, item: Input) -> bool:
        """As `Predictor.accepts`: whether there is a file."""
        return item.path is not None

    def predict(self, inputs: Iterable[Input | Path | str]) -> Iterator[Prediction | DataError]:
        """As `Predictor.predict`; with `data.speaker_normalisation` all inputs count as one speaker's."""
        return _each(inputs, partial(self.family.predict_recordings, self.model), self._prediction)

    def embed(self, inputs: Iterable[Input | Path | str], steps: int = 1) -> Iterator[Embedding | DataError]:
        """As `Predictor.embed`: time steps of an ACRNN, frames of an encoder, functionals by window; speakers as in `predict`."""

        def embedding(name: str, result: RecordingEmbedding) -> Embedding:
            return Embedding(name, result.vectors, result.flags)

        return _each(inputs, partial(self.family.embed_recordings, self.model, steps=steps), embedding)

    def header(self, options: Mapping[str, Any]) -> list[str]:
        """As `Predictor.header`; with `timestamps`, where a window starts and ends."""
        return ["file", *(["start", "end"] if options.get("timestamps") else []), "label", *self.labels]

    def rows(self, prediction: Prediction, options: Mapping[str, Any]) -> list[list[str]]:
        """As `Predictor.rows`; with `timestamps`, one row per window."""
        if not options.get("timestamps"):
            return super().rows(prediction, options)
        return [
            [
                *prediction.cells[0],
                f"{window.start_seconds:.2f}",
                f"{window.end_seconds:.2f}",
                self.labels[int(window.probabilities.argmax())],
                *[f"{p:.3f}" for p in window.probabilities],
            ]
            for window in prediction.windows
        ]

    def closing_note(self) -> str | None:
        """As `Predictor.closing_note`: what was skipped in the folders named."""
        return skipped_note(self._skipped)

    def _prediction(self, name: str, result: RecordingPredictions) -> Prediction:
        windows = tuple(
            Window(round(float(start), SECONDS_DECIMALS), round(float(end), SECONDS_DECIMALS), probabilities)
            for (start, end), probabilities in zip(result.seconds, result.by_window, strict=True)
        )
        return Prediction(
            self.labels, result.probabilities, {"file": name}, ((name,), ()), windows=windows, flags=result.flags
        )


def _each(
    inputs: Iterable[Input | Path | str],
    read: Callable[[Sequence[Path]], Iterator[Any]],
    wrapped: Callable[[str, Any], Result],
) -> Iterator[Result | DataError]:
    """What `read` yields for the files of the inputs, wrapped with the name of its input; or the input's error."""
    items = [item if isinstance(item, Input) else Input(escaped(str(item)), Path(item)) for item in inputs]
    results = read([item.path for item in items if item.path is not None])
    for item in items:
        if item.path is None:
            yield DataError(
                f"{item.name} has no file, and the model reads only audio; add its audio file or leave it out."
            )
            continue
        result = next(results)
        if isinstance(result, DataError):
            name = STDIN_NAME if item.name == STDIN else item.name
            yield DataError(str(result).replace(str(item.path), name))
            continue
        try:
            output: Result | DataError = wrapped(item.name, result)
        except DataError as error:
            output = error
        yield output
