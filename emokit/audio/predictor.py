"""The predictor of audio runs: audio files, or a split of a prepared folder, to probabilities."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from emokit import runs
from emokit.audio.readers import reader_of, without_onnx
from emokit.audio.recordings import RecordingEmbedding, RecordingPredictions
from emokit.audio.settings import AudioSettings
from emokit.data.sources.tree import Skipped
from emokit.engines.exports import open_engine
from emokit.errors import DataError, UsageError
from emokit.modality.arguments import STDIN
from emokit.modality.predictor import Arguments, Embedding, Input, Prediction, Predictor, Window
from emokit.modality.recordings import audio_inputs, skipped_note
from emokit.modality.transcribing import STDIN_NAME
from emokit.names import escaped
from emokit.runtime import choose_device

if TYPE_CHECKING:
    from emokit.audio.family import ModelFamily
    from emokit.data.prepared import Prepared
    from emokit.predictions import Predictions

SECONDS_DECIMALS = 3
Result = TypeVar("Result", Prediction, Embedding)


class AudioPredictor(Predictor):
    """The model of a complete audio run."""

    columns = (("file",), ())

    def __init__(self, run: Path, device: str = "auto", engine: str = "auto") -> None:
        """Load it.

        Args:
            run: the run folder.
            device: auto, cuda, mps or cpu.
            engine: auto, torch or onnx, as `engines.exports.open_engine` takes it.

        Raises:
            UsageError: the device is not on this machine, or the engine cannot be used.
            DataError: the run's settings or model are damaged.
        """
        self.settings = AudioSettings.resolved(runs.read_settings(run), str(run / runs.SETTINGS))
        self.labels = runs.read_labels(run)
        self._run, self._device = run, device
        self._skipped: list[Skipped] = []
        without = without_onnx(self.settings)
        self._onnx, self.notes = open_engine(engine, device, run, self.labels, self.export, without)
        if self._onnx is None:
            _ = self.model  # what is wrong with it is said now

    def _fingerprint(self) -> str | None:
        """Of the data that the run was trained on."""
        fingerprint: str | None = runs.read_environment(self._run).get("data_fingerprint")
        return fingerprint

    @cached_property
    def family(self) -> "ModelFamily":
        """The model's family; it imports torch."""
        from emokit.audio.family import family

        return family(self.settings.model.kind)

    @cached_property
    def model(self) -> Any:
        """The model as torch computes it; for embeddings with ONNX too."""
        from emokit.training.model_checks import check_config, check_labels

        folder = runs.model_folder(self._run)
        model: Any = self.family.load_model(folder).to(choose_device(self._device))
        check_labels(model.config, self.labels, folder)
        check_config(model.config, self.family.config_of(self.settings), folder)
        return model

    def export(self, out: Path, *, force: bool = False) -> float:
        """Write the model as ONNX into a new folder; as `Modality.export`."""
        from emokit.training.onnx import check_packages, write_onnx

        check_packages()
        inputs = self.family.onnx_inputs(self.model.to("cpu"))
        batches, beside = inputs.batches, inputs.save_beside
        return write_onnx(self.model, batches, inputs.dynamic, out, inputs.about, save_beside=beside, force=force)

    def predict_split(self, prepared: "Prepared", split: str) -> "tuple[Predictions, dict[str, int]]":
        """As `Predictor.predict_split`."""
        from emokit import predictions
        from emokit.data.utterance import SPLITS

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
        if table["path"].isna().all():
            raise DataError(f"{prepared.folder} has no recordings, only texts; name another folder with --data.")
        if rows.empty:
            raise DataError(
                f"{prepared.folder} has no {split} utterances of the run's corpora; choose another --split."
            )
        if self._onnx:
            reader, config = reader_of(self.settings), SimpleNamespace(**self._onnx.about)
            probabilities = reader.predict_rows(self._onnx, config, self.settings, prepared, rows)
        else:
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
        if self._onnx:
            config = SimpleNamespace(**self._onnx.about)
            return _each(
                inputs, partial(reader_of(self.settings).predict_recordings, self._onnx, config), self._prediction
            )
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
