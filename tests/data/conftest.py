"""Fixtures of the tests of `emokit/data`: fast features, and plans without a command line."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy
import pytest

from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.label_choice import LabelChoice
from emokit.data.plan import Plan
from emokit.data.splits.draw import SplitSettings
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.settings import Settings

MELD_HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"


class PeakSettings(Settings):
    """Features of one frame and two bins."""

    num_bins: int = 2
    """Bins of a frame."""


class Peak:
    """An extractor of one frame, the loudest and the quietest sample; it counts its calls."""

    sample_rate = 16_000

    def __init__(self) -> None:
        self.num_calls = 0

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        self.num_calls += 1
        return numpy.array([[waveform.max(), waveform.min()]], numpy.float32)


@pytest.fixture
def extractor() -> Peak:
    return Peak()


@pytest.fixture
def features() -> Settings:
    return PeakSettings()


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """Makes a plan: `plan({"emodb": root}, {"emodb": "train"}, seed=1)`."""

    def make(
        roots: Mapping[str, Path],
        policies: Mapping[str, str] | None = None,
        num_bins: int = 2,
        seed: int = 0,
        labels: LabelSet = DEFAULT_LABELS,
    ) -> Plan:
        given = [f"{name}={root}" for name, root in roots.items()]
        corpora = with_roots(read_catalogue(), roots, given)
        chosen = [c.model_copy(update={"split": (policies or {}).get(c.name, c.split)}) for c in corpora]
        return Plan(
            tuple(chosen), PeakSettings(num_bins=num_bins), SplitSettings(seed=seed), labels=LabelChoice(labels)
        )

    return make


@pytest.fixture
def write_meld_text() -> Callable[[Path, Mapping[str, list[str]]], None]:
    """Writes a MELD without clips: the lines of each split, all in one dialogue."""

    def write(root: Path, lines: Mapping[str, list[str]]) -> None:
        root.mkdir()
        for split, texts in lines.items():
            rows = "".join(f"{n},{text},Ross,joy,positive,0,{n},1,1,,\n" for n, text in enumerate(texts))
            (root / f"{split}_sent_emo.csv").write_text(MELD_HEADER + rows)

    return write


@pytest.fixture
def write_emobox() -> Callable[..., Path]:
    """Writes a clone of EmoBox with the lists of one corpus: `write_emobox(root, "emodb", {"1": ["03a01Fa"]}, every)`."""

    def write(root: Path, name: str, tested: Mapping[str, Sequence[str]], every: Iterable[str]) -> Path:
        for fold, stems in tested.items():
            folder = root / "data" / name / f"fold_{fold}"
            folder.mkdir(parents=True)
            stems_of = {"test": stems, "train": sorted(set(every).difference(stems))}
            for split, names in stems_of.items():
                entries = [{"key": f"{name}-{stem}", "wav": f"downloads/{name}/{stem}.wav"} for stem in names]
                lines = "".join(json.dumps(entry) + "\n" for entry in entries)
                (folder / f"{name}_{split}_fold_{fold}.jsonl").write_text(lines)
        return root

    return write
