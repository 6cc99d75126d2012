"""Small run folders, written by the writers of emokit from invented predictions."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import yaml

from emokit import predictions, runs
from emokit.data.catalogue import read_catalogue
from emokit.data.ledger import Ledger
from emokit.errors import EmokitError
from emokit.files import read_json, write_json
from emokit.fusion.late.run import fuse
from emokit.fusion.late.settings import FusionSettings
from emokit.labels import DEFAULT_LABELS
from emokit.model_card import CardFacts
from emokit.predictions import Predictions
from emokit.report.page.build import build
from emokit.training.run import Baseline, complete

MakeRun = Callable[..., Path]
FINGERPRINT = "ab" * 32
NUM_CLASSES = len(DEFAULT_LABELS)
CLASS_SHARES = [0.28, 0.1, 0.15, 0.15, 0.17, 0.1, 0.05]
SPLIT_SIZES = {"dev": 324, "test": 330}
# corpus -> expected, number of sentences, label -> number, split -> (number, speakers)
CORPORA: dict[str, tuple[int, int, list[int], dict[str, tuple[int, list[str]]]]] = {
    "emodb": (
        535,
        10,
        [127, 46, 69, 71, 79, 62, 0],
        {"train": (280, ["03", "08", "09", "10", "11", "12"]), "dev": (84, ["13", "14"]), "test": (90, ["15", "16"])},
    ),
    "ravdess": (
        1440,
        2,
        [206, 206, 206, 205, 205, 205, 205],
        {
            "train": (958, [f"{i:02d}" for i in range(1, 17)]),
            "dev": (240, ["17", "18", "19", "20"]),
            "test": (240, ["21", "22", "23", "24"]),
        },
    ),
}


def predictions_of(
    rows: list[tuple[str, str, str]], *, confidence: float = 0.7, corpus: str = "emodb", split: str = "test"
) -> Predictions:
    """Predictions of (speaker, label, predicted label), in this order; each predicted label has the same probability."""
    table = pandas.DataFrame(
        {
            "utterance_id": [f"{corpus}/{number:03d}" for number in range(len(rows))],
            "corpus": corpus,
            "speaker": [speaker for speaker, _, _ in rows],
            "dialogue": None,
            "split": split,
            "label": [label for _, label, _ in rows],
        }
    )
    predicted = DEFAULT_LABELS.targets(label for _, _, label in rows)
    probabilities = np.full((len(rows), NUM_CLASSES), (1 - confidence) / (NUM_CLASSES - 1))
    probabilities[np.arange(len(rows)), predicted] = confidence
    return make(table, probabilities)


def make(table: pandas.DataFrame, probabilities: np.ndarray) -> Predictions:
    return predictions.make(table, probabilities, labels=DEFAULT_LABELS, model="acrnn", fingerprint=FINGERPRINT)


def random_predictions(seed: int, skill: float, n: int = 140, num_speakers: int = 14) -> Predictions:
    """Predictions of n utterances whose labels are the same for every seed; `skill` is the share of certain hits."""
    truth = np.random.default_rng(0).integers(0, NUM_CLASSES, n)
    random = np.random.default_rng(seed)
    predicted = np.where(random.random(n) < skill, truth, random.integers(0, NUM_CLASSES, n))
    rows = [(f"{i % num_speakers:02d}", DEFAULT_LABELS[truth[i]], DEFAULT_LABELS[predicted[i]]) for i in range(n)]
    table_of = predictions_of(rows)
    powers = table_of.probabilities ** random.uniform(0.5, 3, (n, 1))
    return make(table_of.table, powers / powers.sum(axis=1, keepdims=True))


def split_predictions(
    random: np.random.Generator, split: str, skill: float, num_clusters: int
) -> tuple[Predictions, np.ndarray]:
    """Predictions of a split of two corpora, and the targets that a weaker baseline predicts."""
    n = SPLIT_SIZES[split]
    truth = random.choice(NUM_CLASSES, n, p=CLASS_SHARES)
    truth[:NUM_CLASSES] = np.arange(NUM_CLASSES)
    predicted = np.where(random.random(n) < skill, truth, random.choice(NUM_CLASSES, n))
    simple = np.where(random.random(n) < skill * 0.6, truth, random.choice(NUM_CLASSES, n))
    speakers = [i * num_clusters // n for i in range(n)]
    rows = [(f"{speakers[i]:02d}", DEFAULT_LABELS[truth[i]], DEFAULT_LABELS[predicted[i]]) for i in range(n)]
    tested = predictions_of(rows, split=split)
    corpus = np.where(np.array(speakers) < num_clusters / 2, "emodb", "ravdess")
    ids = [f"{name}/{split}/{number:03d}" for number, name in enumerate(corpus)]
    return make(tested.table.assign(corpus=corpus, utterance_id=ids), tested.probabilities), simple


@cache
def ledger() -> dict[str, Any]:
    """The ledger of two prepared corpora."""
    catalogue, book, tables = read_catalogue(), Ledger(), []
    for corpus, (expected, num_sentences, counts, splits) in CORPORA.items():
        size = sum(counts)
        split = np.repeat(list(splits), [number for number, _ in splits.values()])
        speakers = [name for number, names in splits.values() for name in np.resize(names, number)]
        sentences = [f"{corpus} {i % num_sentences}" for i in range(size)]
        columns = {"split": split, "speaker": speakers, "sentence": sentences, "text": sentences, "sample_rate": 16_000}
        ids = [f"{corpus}/{i:04d}" for i in range(size)]
        table = pandas.DataFrame({"utterance_id": ids, "path": ids, "recording": ids, "corpus": corpus, **columns})
        tables.append(table.assign(label=np.repeat(DEFAULT_LABELS, counts)))
        catalogue[corpus] = catalogue[corpus].model_copy(update={"expected": expected})
    for number in range(81):
        book.drop("emodb", f"emodb/03a01L{number}", "boredom is left out")
    book.note("emodb", "Surprise does not occur.")
    book.drop("ravdess", "ravdess/03-01-05-01-01-01-02", "truncated")
    for name in "abc":
        book.drop("ravdess", name, "silent")
    for name in ("ravdess/03-01-02-01-01-02-01", "ravdess/03-01-03-01-02-01-05"):
        book.repair("ravdess", name, "stereo, averaged")
    book.flag("ravdess", "ravdess/03-01-04-01-01-02-01", "the same recording as another utterance")
    described = {
        "emodb": {"title": "Berlin Database of Emotional Speech", "licence": "free for research, cite the paper"},
        "ravdess": {"title": "Ryerson Audio-Visual Database of Emotional Speech and Song"},
    }
    for (corpus, texts), table in zip(described.items(), tables, strict=True):
        book.close(catalogue[corpus].model_copy(update=texts), table)
    return book.as_dict(pandas.concat(tables, ignore_index=True))


@cache
def environment() -> dict[str, Any]:
    """The environment of a run on another machine."""
    return runs.environment(seed=0, device="cpu", data=Path("prepared"), fingerprint=FINGERPRINT) | {
        "started": "2025-01-31T12:00:00+00:00",
        "emokit": "0.1.0",
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "packages": {"torch": "2.12.1", "transformers": "5.1.0", "librosa": None},
        "git_revision": "0123456789ab+",
    }


def write_run(
    run: Path,
    *,
    skill: float = 0.6,
    seed: int = 1,
    num_clusters: int = 2,
    epochs: int = 24,
    modality: str = "audio",
    fingerprint: str = FINGERPRINT,
    test: Predictions | None = None,
) -> Path:
    """Write a complete run folder; its `predictions/` hold `test`, and are missing without it."""
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    random = np.random.default_rng(seed)
    best_epoch, best_uar = 0, -1.0
    for epoch in range(1, epochs + 1):
        uar = skill * (1 - float(np.exp(-epoch / 5))) + 0.05 * float(random.random())
        line = {
            "epoch": epoch,
            "train_loss": 2 * float(np.exp(-epoch / 12)),
            "dev_loss": 1.1 + float(np.exp(-epoch / 6)) + 0.1 * float(random.random()),
            "dev_uar": uar,
            "learning_rate": 0.0005,
            "seconds": 1.2,
        }
        runs.append_log(run, line)
        best_epoch, best_uar = max((best_epoch, best_uar), (epoch, uar), key=lambda pair: pair[1])
    settings = {
        "data": {"corpora": ["emodb", "ravdess"], "split": "speaker"},
        "features": {"n_mels": 128, "num_frames": 130},
        "model": {"channels": [32, 64, 128], "dropout": 0.3},
        "training": {"learning_rate": 0.0005 * seed, "mixup_alpha": 0.2 if seed % 2 else 0.0, "max_epochs": epochs},
    }
    (run / runs.SETTINGS).write_text(yaml.safe_dump(settings, sort_keys=False))
    experiment = "experiments/audio/emodb_quick.yaml"
    command = ["/usr/bin/emokit", "train", modality, experiment, "--data", "prepared", "--run", "runs/a b"]
    made = {"command": command, "seed": seed, "data_fingerprint": fingerprint}
    write_json(run / runs.ENVIRONMENT, environment() | made)
    write_json(run / runs.LEDGER, ledger())
    dev, simple_dev = split_predictions(random, "dev", skill, num_clusters + 4)
    drawn, simple_test = split_predictions(random, "test", skill, num_clusters)
    simple = {"dev": simple_dev, "test": simple_test if test is None else test.targets}
    about = {"name": "emodb_quick", "modality": modality, "model": "acrnn", "parameters": 1234567}
    complete(
        run,
        about | {"epochs": epochs, "best_epoch": best_epoch},
        ledger(),
        {"dev": dev, "test": test or drawn},
        dev.table["label"],
        Baseline("logistic regression on mean and deviation of the log-mel bands", simple),
        CardFacts("a recording", "a.wav", "It is in `model/`."),
    )
    if test is None:
        shutil.rmtree(run / runs.PREDICTIONS)
    return run


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes one complete run folder without tables of predictions; `skill` is the share of certain hits."""
    return lambda name="emodb", **options: write_run(tmp_path / "runs" / name, **options)


@pytest.fixture
def make_tested(tmp_path: Path) -> MakeRun:
    """Writes one complete run folder with its test predictions."""

    def make_one(
        name: str,
        *,
        test: Predictions | None = None,
        skill: float = 0.6,
        seed: int = 1,
        training_seed: int | None = None,
        **options: Any,
    ) -> Path:
        tested = test or random_predictions(seed, skill)
        run = write_run(tmp_path / "runs" / name, skill=skill, test=tested, **options)
        if training_seed is not None:
            settings = yaml.safe_load((run / runs.SETTINGS).read_text())
            settings["name"] = f"named-after-{name}"
            settings["training"] |= {"seed": training_seed}
            (run / runs.SETTINGS).write_text(yaml.safe_dump(settings))
        return run

    return make_one


@pytest.fixture(scope="session")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fused run of two modalities, `strong` and `weak`; read it, do not write to it."""
    folder = tmp_path_factory.mktemp("fused")
    paths: dict[str, list[Path]] = {}
    for name, skill in (("strong", 0.7), ("weak", 0.3)):
        for split in SPLIT_SIZES:
            tested, _ = split_predictions(np.random.default_rng(0), split, skill, num_clusters=6)
            paths.setdefault(name, []).append(folder / f"{name}-{split}.parquet")
            predictions.write(tested, paths[name][-1])
    settings = FusionSettings.make({"name": "both", "fusion": {"step": 0.5, "resamples": 100, "folds": 2}})
    fuse(settings, paths, folder / "both")
    return folder / "both"


@pytest.fixture
def edit() -> Callable[..., None]:
    """Edits a JSON file: `edit(path, change)` calls `change` with its content."""

    def edit_file(path: Path, change: Callable[[Any], Any]) -> None:
        content = read_json(path)
        change(content)
        write_json(path, content)

    return edit_file


@pytest.fixture
def refusal() -> Callable[[Path], str]:
    """The sentence on a folder that is not a complete run; the tests of `runs` compare its words."""

    def sentence(folder: Path) -> str:
        with pytest.raises(EmokitError) as refused:
            runs.check_complete(folder)
        return str(refused.value)

    return sentence


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a report on two runs, with its figures; read it, do not write to it."""
    folder = tmp_path_factory.mktemp("built")
    folders = [write_run(folder / "runs" / "one"), write_run(folder / "runs" / "two", seed=2, skill=0.3)]
    return build(folders, folder / "report")


@pytest.fixture
def predict() -> Callable[..., Predictions]:
    """As `predictions_of`: predictions of (speaker, label, predicted label)."""
    return predictions_of


@pytest.fixture
def draw() -> Callable[..., Predictions]:
    """As `random_predictions`: predictions of a seed and a skill."""
    return random_predictions
