"""Prediction with a fused run: each branch predicts an utterance, and its predictions are fused as on dev.

A branch that cannot predict an utterance, such as a text model without a text, is left out; the weights are renormalised over the
others.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pandas

from emokit import predictions, runs
from emokit.data.prepared import Prepared
from emokit.errors import DataError, UsageError
from emokit.files import kind_of
from emokit.fusion.late.combine import Weighted
from emokit.fusion.late.inputs import Panel, check_labels, join_split
from emokit.fusion.late.settings import MODALITY, FusionSettings
from emokit.labels import LabelSet
from emokit.modality.arguments import check_names, check_sentences
from emokit.modality.predictor import Arguments, Input, NothingToPredict, Prediction, Predictor
from emokit.modality.registry import MODALITIES, modality, modality_of
from emokit.modality.registry import load as load_run
from emokit.modality.transcribing import recogniser_of, transcribed
from emokit.predictions import Predictions, relabelled
from emokit.schema.base import read_checked
from emokit.schema.fusion import FUSION, SUM_TOLERANCE, Fusion

if TYPE_CHECKING:
    from emokit.transcription.recogniser import SpeechRecogniser


@dataclass(frozen=True)
class LoadedBranch:
    """A branch that can predict new utterances: its name in the fused run, the name of its modality, its model."""

    name: str
    modality: str
    predictor: Predictor


@dataclass
class LateFusionPredictor(Predictor):
    """A fused run with its branches loaded."""

    settings: FusionSettings
    labels: LabelSet
    weighted: Weighted
    branches: tuple[LoadedBranch, ...]
    notes: tuple[str, ...]
    """A line for each branch that cannot predict new utterances, with the reason."""
    recogniser: "SpeechRecogniser | None" = None
    """Transcribes clips without a text, for the branches that read text."""

    columns = (("utterance",), ())

    def __post_init__(self) -> None:
        """Refuse a recogniser where no branch reads text.

        Raises:
            UsageError: that is so.
        """
        if self.recogniser and not self._reads_text("a"):
            raise UsageError("--transcribe was given, and no branch that can predict reads text; leave it out.")

    def header(self, options: Mapping[str, Any]) -> list[str]:
        """As `Predictor.header`; with a recogniser, the transcript comes last."""
        return [*super().header(options), *(["text"] if self.recogniser else [])]

    @property
    def names(self) -> tuple[str, ...]:
        """All branches, in the order of the weights."""
        return tuple(self.settings.branches)

    def inputs(self, arguments: Arguments) -> AbstractContextManager[Iterable[Input]]:
        """Clips (`inputs`), texts (the option `text`), or clips with their texts."""
        clips, texts = arguments.inputs, tuple(arguments.options.get("text") or ())
        if not clips and not texts:
            raise UsageError(
                "Nothing to predict was named; name clips, sentences with --text, or a prepared folder with --data."
            )
        if clips and texts and len(clips) != len(texts):
            raise UsageError(
                f"{len(clips)} clips and {len(texts)} sentences were given; give --text once for each clip."
            )
        if texts and not any(map(self._reads_text, texts)):
            raise UsageError("--text was given, and no branch that can predict reads text; leave it out.")
        check_names(clips, "clips")
        check_sentences(texts, "give the sentence itself to --text")
        if not clips:
            return nullcontext([Input(text, text=text) for text in texts])
        paired = zip(clips, texts or [None] * len(clips), strict=True)
        return nullcontext([Input(clip, Path(clip), text) for clip, text in paired])

    def accepts(self, item: Input) -> bool:
        """Whether any branch can predict the input."""
        return any(branch.predictor.accepts(item) for branch in self.branches)

    def predict(self, inputs: Iterable[Input | Path | str]) -> Iterator[Prediction | DataError]:
        """Predict inputs in their order; a `Path` is a clip, a `str` a text and so never the name of a file."""
        for given in inputs:
            if isinstance(given, Input):
                yield self._predict(given)
            elif isinstance(given, Path):
                yield self._predict(Input(str(given), path=given))
            elif kind_of(given) == "file":
                yield DataError(f"{given} is a file where a sentence was expected; give a clip as a Path.")
            else:
                yield self._predict(Input(given, text=given))

    def predict_split(self, prepared: Prepared, split: str) -> tuple[Predictions, dict[str, int]]:
        """Predict a split with each branch and fuse; the counts are those of `inputs.join_split`."""
        tables = {}
        for branch in self.branches:
            table, _ = branch.predictor.predict_split(prepared, split)
            tables[branch.name] = replace(relabelled(table, self.settings.fusion.label_map), labels=self.labels)
        panel, counts = join_split(tables, split, self.settings.fusion.missing)
        probabilities = dict(zip(panel.names, panel.probabilities, strict=True))
        present = dict(zip(panel.names, panel.present, strict=True))
        pooled = self._fuse(panel.table, probabilities, present)
        fused = predictions.make(
            panel.table, pooled, labels=self.labels, model=self.settings.name, fingerprint=prepared.fingerprint
        )
        return fused, counts

    def _reads_text(self, text: str) -> bool:
        return any(branch.predictor.accepts(Input("--text", text=text)) for branch in self.branches)

    def _predict(self, given: Input) -> Prediction | DataError:
        (entry,) = transcribed([given], self.recogniser)
        item = entry.item
        probabilities: dict[str, numpy.ndarray] = {}
        flags = [str(entry.error)] if entry.error else list(entry.flags)
        nothing: NothingToPredict | None = None
        for branch in self.branches:
            if not branch.predictor.accepts(item):
                continue
            prediction = _first(branch.predictor, item)
            if isinstance(prediction, NothingToPredict):
                nothing = prediction
            elif isinstance(prediction, DataError):
                return prediction
            else:
                merged, shares = prediction.labels.merged(self.settings.fusion.label_map)
                order = [merged.index(label) for label in self.labels]
                probabilities[branch.name] = (prediction.probabilities @ shares)[None, order]
                flags += [flag for flag in prediction.flags if flag not in flags]
        if not probabilities:
            if failure := nothing or entry.error:
                return failure
            known = ", ".join(f"{branch.name} ({branch.modality})" for branch in self.branches)
            return DataError(
                f"No branch can predict {item.name}; the branches are {known}: name a clip, or a sentence with --text, or "
                "transcribe the clip with --transcribe MODEL."
            )
        present = {name: numpy.array([True]) for name in probabilities}
        fused = self._fuse(pandas.DataFrame(index=[0]), probabilities, present)[0]
        try:
            return Prediction(
                self.labels,
                fused,
                given={"file": str(item.path) if item.path else None, "text": item.text},
                cells=((str(item.path or item.text),), (item.text or "",) if self.recogniser else ()),
                details={"modalities": list(probabilities), **(entry.details if self.recogniser else {})},
                flags=tuple(flags),
            )
        except DataError as error:
            return error

    def _fuse(
        self, table: pandas.DataFrame, probabilities: Mapping[str, numpy.ndarray], present: Mapping[str, numpy.ndarray]
    ) -> numpy.ndarray:
        """(utterances, classes) fused probabilities; branches without an entry are missing for all utterances.

        Args:
            table: the utterances.
            probabilities: per branch (utterances, classes).
            present: per branch (utterances,) whether it has the utterance.
        """
        values = numpy.full((len(self.names), len(table), len(self.labels)), 1 / len(self.labels))
        mask = numpy.zeros(values.shape[:2], dtype=bool)
        for name, rows in probabilities.items():
            position = self.names.index(name)
            values[position], mask[position] = rows, present[name]
        return self.weighted.pooled(Panel(self.names, self.labels, table, values, mask))


def load(run: Path, device: str = "auto", **options: Any) -> LateFusionPredictor:
    """Load a complete fused run and those of its branches that can predict new utterances.

    Args:
        run: the run folder.
        device: auto, cuda, mps or cpu.
        options: of `transcribing.recogniser_of`.

    Raises:
        DataError: the run is not complete, or none of its branches can be loaded.
    """
    labels = runs.read_labels(run)
    settings = FusionSettings.resolved(runs.read_settings(run), str(run / runs.SETTINGS))
    if settings.result is None:
        raise DataError(f"{run / runs.SETTINGS} has no result; make the run again with `emokit fuse-search … --force`.")
    fusion = read_checked(Fusion, run / FUSION)
    _check_agreement(fusion, settings, labels, run)
    sources = fusion.get("sources", {})
    branches, reasons, changed = [], {}, []
    for name, paths in settings.branches.items():
        source = (run / paths[0]).resolve()
        try:
            branch = _load_branch(name, source, sources.get(name, {}).get("model", ""), device)
            merged, _ = branch.predictor.labels.merged(settings.fusion.label_map)
            check_labels(merged, labels, f"{name} ({source})", str(run))
            branches.append(branch)
            changed += _changed(name, source, sources.get(name, {}))
        except (DataError, UsageError) as error:
            reasons[name] = str(error)
    if not branches:
        raise DataError(f"No branch of {run} can predict; the first: {next(iter(reasons.values()))}")
    weighted = Weighted.from_result(settings.result, tuple(settings.branches))
    notes = (*(f"without {name}: {reason}" for name, reason in reasons.items()), *changed)
    recogniser = recogniser_of(**options, device=device)
    return LateFusionPredictor(settings, labels, weighted, tuple(branches), notes, recogniser)


def _changed(name: str, source: Path, recorded: Mapping[str, Any]) -> list[str]:
    """A note on a branch whose run was replaced by another one since the weights were searched; none on the same run."""
    if not source.is_dir() or not recorded:
        return []
    model, data = runs.read_settings(source).get("name"), runs.read_environment(source).get("data_fingerprint")
    for what, before, now in (("run", recorded["model"], model), ("data", recorded["fingerprint"], data)):
        if before != now:
            return [
                f"{name}: {source} is now a run of the {what} {now}, and the weights were searched with {before}; search them "
                "again with `emokit fuse-search`"
            ]
    return []


def _check_agreement(fusion: Mapping[str, Any], settings: FusionSettings, labels: LabelSet, run: Path) -> None:
    """Refuse a fused run whose files name other labels, modalities or weights: one of them was changed since."""
    in_settings = dict(settings.result.weights) if settings.result else {}
    chosen: dict[str, Any] = next(
        (method for method in fusion["fusion_methods"] if method["name"] == fusion["choice"]), {}
    )
    weights = dict(zip(fusion["modalities"], chosen.get("weights", []), strict=False))
    for what, agrees in (
        ("labels", fusion["labels"] == list(labels)),
        ("modalities", set(fusion["modalities"]) == set(settings.branches)),
        (
            "weights",
            weights.keys() == in_settings.keys()
            and all(abs(weights[name] - value) <= SUM_TOLERANCE for name, value in in_settings.items()),
        ),
    ):
        if not agrees:
            other = runs.METRICS if what == "labels" else runs.SETTINGS
            raise DataError(
                f"{run / FUSION} has other {what} than {other}; make the run again with `emokit fuse-search … --force`."
            )


def _first(predictor: Predictor, item: Input) -> Prediction | DataError:
    """The prediction of one input, or the error that it yields or raises."""
    try:
        return next(iter(predictor.predict([item])))
    except DataError as error:
        return error


def _load_branch(name: str, source: Path, model: str, device: str) -> LoadedBranch:
    """Load the run folder of a branch, or the pretrained model that made its table.

    Args:
        name: of the branch.
        source: its run folder or table.
        model: the name of the model that made its predictions.
        device: as in `load`.
    """
    if source.is_dir():
        branch_modality = modality_of(source)
        if branch_modality.name == MODALITY:
            raise DataError(
                f"{name} comes from {source}, which is a fused run; fused runs cannot be nested, so fuse its branches instead."
            )
        return LoadedBranch(name, branch_modality.name, load_run(source, device))
    pretrained = next((known for known in MODALITIES if model and modality(known).pretrained == model), None)
    if pretrained:
        return LoadedBranch(name, pretrained, modality(pretrained).load(None, device))
    if not source.exists():
        raise DataError(f"{name} comes from {source}, which does not exist; move it back, or fuse again.")
    raise DataError(f"{name} comes from the table {source.name}, which cannot predict new utterances.")
