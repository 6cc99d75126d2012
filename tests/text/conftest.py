"""A small prepared folder of comments and dialogues, and an experiment that trains on it in seconds."""

import csv
from pathlib import Path

import pytest

from emokit.audio.features import LogMel
from emokit.audio.settings import FeatureSettings
from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.prepare import Plan, prepare
from emokit.data.splits import SplitSettings
from emokit.data.synth import write_corpus

LINES = {
    "neutral": ("the bus leaves at {}", "we met at {} as planned", "room {} is upstairs"),
    "joy": ("I love number {}", "great, {} made my day"),
    "surprise": ("wow, {} came out of nowhere", "what, {} again?"),
    "anger": ("I hate {} so much", "{} makes me furious"),
    "sadness": ("I cried over {}", "so sad about {}"),
    "disgust": ("{} is disgusting", "gross, {} smells"),
    "fear": ("{} terrifies me", "I am afraid of {}"),
}
DIALOGUES = {"train": 12, "dev": 4, "test": 4}
TURNS = 7


def write_meld(root: Path) -> None:
    """MELD's annotations without clips: dialogues of seven turns between Ann and Bo, every label in each."""
    root.mkdir(parents=True)
    for split, count in DIALOGUES.items():
        with (root / f"{split}_sent_emo.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID"])
            for dialogue in range(count):
                for turn, (emotion, lines) in enumerate(LINES.items()):
                    text = lines[dialogue % len(lines)].format(f"{split} {dialogue} {turn}")
                    rows.writerow([text, ("Ann", "Bo")[turn % 2], emotion, dialogue, turn])


@pytest.fixture(scope="session")
def text_prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of about 500 invented comments and 140 turns of dialogue; read it, do not write to it."""
    folder = tmp_path_factory.mktemp("text")
    write_corpus("goemotions", folder / "goemotions", size=0.3)
    write_meld(folder / "meld")
    features = FeatureSettings()
    roots = [f"{name}={folder / name}" for name in ("goemotions", "meld")]
    corpora = with_roots(read_catalogue(), ["goemotions", "meld"], roots)
    prepare(Plan(tuple(corpora), features, SplitSettings()), folder / "prepared", LogMel(features))
    return folder / "prepared"


@pytest.fixture
def text_settings() -> dict:
    """A text experiment that trains on `text_prepared` in a second or two; make `TextSettings` of it."""
    return {
        "name": "small",
        "features": {"max_length": 24},
        "model": {
            "kind": "tiny",
            "tiny": {"vocabulary": 400, "hidden_size": 16, "layers": 1, "heads": 2},
        },
        "training": {"max_epochs": 3, "batch_size": 32, "lr": 0.01, "class_weights": "inverse"},
    }
