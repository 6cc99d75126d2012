"""A fused run on new utterances: its branches say what they can, and that is fused as it was on dev.

A branch that can say nothing of an utterance (no sound, no sentence, a table of somebody else's) is left out and the weights
are renormalised over the others.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas
import torch

from emokit import predictions, runs
from emokit.audio import predict as audio
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.files import read_json
from emokit.fusion.late.combine import Weighted
from emokit.fusion.late.inputs import Modality, Panel, join_split
from emokit.fusion.late.settings import FusionSettings
from emokit.labels import NUM_LABELS
from emokit.schema.fusion import FUSION
from emokit.text import predict as text
from emokit.vision import predict


@dataclass(frozen=True)
class Branch:
    """A modality that can be asked: `kind` is audio, text or vision; `run` its run folder, or None for vision."""

    name: str
    kind: str
    run: Path | None
    model: Any


@dataclass(frozen=True)
class FusedModel:
    """A fused run with its branches loaded.

    silent: the modalities that can say nothing of new utterances, and why
    """

    settings: FusionSettings
    weighted: Weighted
    branches: tuple[Branch, ...]
    silent: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """All modalities, in the order of the weights."""
        return tuple(self.settings.branches)


def load_model(run: Path, device: torch.device) -> FusedModel:
    """Load a complete fused run and those of its branches that are run folders or DeepFace.

    Raises:
        DataError: the run is not complete, or none of its branches can be asked.
    """
    runs.check_complete(run)
    settings = FusionSettings.make(runs.read_settings(run), str(run / runs.SETTINGS))
    result = settings.result
    if result is None:
        raise DataError(f"{run / runs.SETTINGS} has no result; make the run again with `emokit fuse-search … --force`.")
    sources = read_json(run / FUSION).get("sources", {})
    branches, silent = [], {}
    for name, paths in settings.branches.items():
        folder = (run / paths[0]).resolve()
        try:
            branches.append(_load_branch(name, folder, sources.get(name, {}).get("model", ""), device))
        except (DataError, UsageError) as error:
            silent[name] = str(error)
    if not branches:
        raise DataError(f"None of the branches of {run} can be asked; the first: {next(iter(silent.values()))}")
    return FusedModel(settings, Weighted.of(result, tuple(settings.branches)), tuple(branches), silent)


def predict_clip(
    model: FusedModel, clip: Path | None, sentence: str | None, device: torch.device
) -> tuple[numpy.ndarray, list[str]]:
    """(classes,) probabilities of one utterance, and the modalities that had a say.

    Raises:
        DataError: the clip cannot be read, or nothing was given that a branch can judge.
    """
    said: dict[str, numpy.ndarray] = {}
    for branch in model.branches:
        if branch.kind == "audio" and clip is not None:
            said[branch.name] = audio.hear(branch.model, clip, device).probabilities
        elif branch.kind == "text" and sentence is not None:
            said[branch.name] = next(text.predict_texts(branch.model, [("--text", sentence)]))[2]
        elif branch.kind == "vision" and clip is not None and clip.suffix.lower() in predict.VIDEO_ENDINGS:
            found = predict.clip_probabilities(clip, branch.model)
            if found is not None:
                said[branch.name] = found
    if not said:
        able = ", ".join(f"{branch.name} ({branch.kind})" for branch in model.branches)
        raise DataError(
            f"No branch can judge what was given; the run has {able}: name a clip, or a sentence with --text."
        )
    values = numpy.full((len(model.names), 1, NUM_LABELS), 1 / NUM_LABELS)
    for name, probabilities in said.items():
        values[model.names.index(name), 0] = probabilities
    present = numpy.array([[name in said] for name in model.names])
    return model.weighted.pooled(Panel(model.names, pandas.DataFrame(index=[0]), values, present))[0], list(said)


def predict_split(model: FusedModel, data: Path, split: str, out: Path, device: torch.device) -> dict[str, int]:
    """Write the fused predictions of a prepared split as parquet.

    Returns:
        The counts of `inputs.join_split`.

    Raises:
        UsageError: the split is unknown.
        DataError: the prepared folder is not complete or does not fit a branch.
    """
    prepared = open_prepared(data)
    modalities = []
    with tempfile.TemporaryDirectory() as folder:
        for branch in model.branches:
            path = Path(folder) / f"{branch.name}.parquet"
            if branch.run is None:
                predict.predict_split(data, split, path, branch.model)
            else:
                wing = audio if branch.kind == "audio" else text
                wing.predict_split(branch.model, branch.run, data, split, path, device)
            modalities.append(Modality(branch.name, (path,), predictions.read(path)))
    panel, counts = join_split(modalities, split, model.settings.fusion.missing)
    values = numpy.full((len(model.names), len(panel.table), NUM_LABELS), 1 / NUM_LABELS)
    present = numpy.zeros((len(model.names), len(panel.table)), dtype=bool)
    places = [model.names.index(branch.name) for branch in model.branches]
    values[places], present[places] = panel.probabilities, panel.present
    pooled = model.weighted.pooled(Panel(model.names, panel.table, values, present))
    found = predictions.make(panel.table, pooled, model=model.settings.name, fingerprint=prepared.fingerprint)
    predictions.write(found, out)
    return counts


def _load_branch(name: str, folder: Path, model: str, device: torch.device) -> Branch:
    if model == predict.NAME and not folder.is_dir():
        return Branch(name, "vision", None, predict.deepface())
    if not folder.is_dir():
        raise DataError(f"{name} comes from the table {folder.name}, which says nothing of new utterances.")
    kind = runs.read_settings(folder).get("kind")
    if kind == "audio":
        return Branch(name, kind, folder, audio.load_model(folder, device))
    if kind == "text":
        return Branch(name, kind, folder, text.load_classifier(folder, device))
    raise DataError(f"{name} comes from {folder}, a run of the kind {kind}, which cannot be a branch.")
