"""Panels of synthetic modalities, and tables with the same predictions."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pandas
import pytest

from emokit import predictions
from emokit.fusion.late.inputs import Panel
from emokit.labels import DEFAULT_LABELS

MakePanel = Callable[..., Panel]
WriteTables = Callable[..., dict[str, Path]]
NUM_LABELS = len(DEFAULT_LABELS)


def utterances(targets: numpy.ndarray, per_dialogue: int = 10, split: str = "dev") -> pandas.DataFrame:
    """One row per target, in dialogues of equal size."""
    numbers = numpy.arange(len(targets))
    return pandas.DataFrame(
        {
            "utterance_id": [f"meld/{split}/{number:05d}" for number in numbers],
            "corpus": "meld",
            "speaker": "Ross",
            "dialogue": [f"{split}/{number // per_dialogue}" for number in numbers],
            "split": split,
            "label": numpy.array(DEFAULT_LABELS)[targets],
        }
    )


def noisy_probabilities(random: numpy.random.Generator, targets: numpy.ndarray, strength: float) -> numpy.ndarray:
    """(utterances, classes) random probabilities that favour the truth."""
    scores = random.normal(size=(len(targets), NUM_LABELS))
    scores[numpy.arange(len(targets)), targets] += strength
    powers = numpy.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture(scope="session")
def make_panel() -> MakePanel:
    """Makes a panel of modalities a, b, c … that favour the truth by their strengths."""

    def make(
        strengths: tuple[float, ...] = (1.5, 1.0, 0.5),
        size: int = 300,
        seed: int = 0,
        lacking: float = 0,
        split: str = "dev",
    ) -> Panel:
        random = numpy.random.default_rng(seed)
        targets = random.choice(NUM_LABELS, size, p=[0.14, 0.02, 0.04, 0.15, 0.42, 0.1, 0.13])
        targets[:NUM_LABELS] = numpy.arange(NUM_LABELS)
        values = numpy.array([noisy_probabilities(random, targets, strength) for strength in strengths])
        present = random.random(values.shape[:2]) >= lacking
        present[0] |= ~present.any(axis=0)
        values[~present] = 1 / NUM_LABELS
        names = tuple("abcdef"[: len(strengths)])
        return Panel(names, DEFAULT_LABELS, utterances(targets, split=split), values, present)

    return make


@pytest.fixture(scope="session")
def write_tables(make_panel: MakePanel, tmp_path_factory: pytest.TempPathFactory) -> WriteTables:
    """Writes parquet tables of dev and test, one per modality, into a new folder."""

    def write(strengths: tuple[float, ...] = (1.5, 1.0), size: int = 120, **others: float) -> dict[str, Path]:
        panels = [make_panel(strengths, size, seed, split=split, **others) for seed, split in ((1, "dev"), (2, "test"))]
        folder, paths = tmp_path_factory.mktemp("tables"), {}
        for position, name in enumerate(panels[0].names):
            path = paths[name] = folder / f"{name}.parquet"
            tables = [
                predictions.make(
                    panel.table[panel.present[position]],
                    panel.probabilities[position][panel.present[position]],
                    labels=DEFAULT_LABELS,
                    model=name,
                    fingerprint="f" * 64,
                )
                for panel in panels
            ]
            both = pandas.concat([table.table for table in tables], ignore_index=True)
            predictions.write(predictions.Predictions(both, DEFAULT_LABELS, name, "f" * 64), path)
        return paths

    return write
