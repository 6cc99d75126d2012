"""Run folders of the contract, small and made by hand, with numbers that scikit-learn computed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import yaml
from sklearn import metrics as sk

from emokit import metrics as own_metrics
from emokit import predictions
from emokit.report.page.build import build

LABELS = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]


def scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    return {
        "accuracy": float(sk.accuracy_score(truth, predicted)),
        "uar": float(sk.recall_score(truth, predicted, average="macro", labels=np.unique(truth), zero_division=0)),
        "weighted_f1": float(sk.f1_score(truth, predicted, average="weighted", zero_division=0)),
        "macro_f1": float(sk.f1_score(truth, predicted, average="macro", labels=np.unique(truth), zero_division=0)),
    }


def split_metrics(rng: np.random.Generator, n: int, skill: float, num_clusters: int) -> dict[str, Any]:
    truth = rng.choice(7, n, p=[0.28, 0.1, 0.15, 0.15, 0.17, 0.1, 0.05])
    truth[:7] = np.arange(7)
    predicted = np.where(rng.random(n) < skill, truth, rng.choice(7, n))
    simple = np.where(rng.random(n) < skill * 0.6, truth, rng.choice(7, n))
    majority = np.full(n, np.bincount(truth).argmax())
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        truth, predicted, labels=range(7), zero_division=0
    )
    own = scores(truth, predicted)
    half = n // 2
    return {
        "n": n,
        "num_clusters": num_clusters,
        "cluster": "speaker",
        **own,
        "nll": 1.234567,
        "ece": 0.0876,
        "confusion": sk.confusion_matrix(truth, predicted, labels=range(7)).tolist(),
        "per_class": {
            label: {
                "precision": float(precision[target]),
                "recall": float(recall[target]),
                "f1": float(f1[target]),
                "support": int(support[target]),
            }
            for target, label in enumerate(LABELS)
        },
        "per_corpus": {
            "emodb": {"n": half, **scores(truth[:half], predicted[:half])},
            "ravdess": {"n": n - half, **scores(truth[half:], predicted[half:])},
        },
        "interval": {name: [value - 0.071, value + 0.062] for name, value in own.items()}
        | {"nll": [1.1, 1.4], "ece": [0.05, 0.12]},
        "baselines": {
            "majority": scores(truth, majority),
            "simple": {
                **scores(truth, simple),
                "description": "logistic regression on mean and deviation of the log-mel bands",
            },
        },
    }


def ledger() -> dict[str, Any]:
    return {
        "corpora": {
            "emodb": {
                "title": "Berlin Database of Emotional Speech",
                "licence": "free for research, cite the paper",
                "expected": 535,
                "found": 535,
                "kept": 454,
                "dropped": {"boredom is left out": [f"emodb/03a01L{i}" for i in range(81)]},
                "repaired": {},
                "flagged": {},
                "labels": {
                    "angry": 127,
                    "disgust": 46,
                    "fear": 69,
                    "happy": 71,
                    "neutral": 79,
                    "sad": 62,
                    "surprise": 0,
                },
                "splits": {
                    "train": {"utterances": 280, "speakers": ["03", "08", "09", "10", "11", "12"]},
                    "dev": {"utterances": 84, "speakers": ["13", "14"]},
                    "test": {"utterances": 90, "speakers": ["15", "16"]},
                },
                "notes": ["Surprise does not occur."],
            },
            "ravdess": {
                "title": "Ryerson Audio-Visual Database of Emotional Speech and Song",
                "licence": "CC BY-NC-SA 4.0",
                "expected": 1440,
                "found": 1442,
                "kept": 1438,
                "dropped": {"truncated": ["ravdess/03-01-05-01-01-01-02"], "silent": ["a", "b", "c"]},
                "repaired": {"stereo, averaged": ["ravdess/03-01-02-01-01-02-01", "ravdess/03-01-03-01-02-01-05"]},
                "flagged": {"the same recording as ravdess/03-01-04-01-01-01-01": ["ravdess/03-01-04-01-01-02-01"]},
                "labels": dict.fromkeys(LABELS, 192),
                "splits": {
                    "train": {"utterances": 958, "speakers": [f"{i:02d}" for i in range(1, 17)]},
                    "dev": {"utterances": 240, "speakers": ["17", "18", "19", "20"]},
                    "test": {"utterances": 240, "speakers": ["21", "22", "23", "24"]},
                },
                "notes": [],
            },
        },
        "leakage": {
            kind: dict.fromkeys(("train-dev", "train-test", "dev-test"), number)
            for kind, number in (("speakers", 0), ("recordings", 0), ("texts", 12), ("sentences", 12))
        },
    }


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write one complete run folder; `skill` is the share that it does not guess."""
    return lambda name="emodb", **kwargs: write_run(tmp_path / "runs" / name, **kwargs)


def write_run(
    run: Path, *, skill: float = 0.6, seed: int = 1, num_clusters: int = 2, epochs: int = 24, kind: str = "audio"
) -> Path:
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    log = []
    for epoch in range(1, epochs + 1):
        log.append(
            {
                "epoch": epoch,
                "train_loss": 2 * float(np.exp(-epoch / 12)),
                "dev_loss": 1.1 + float(np.exp(-epoch / 6)) + 0.1 * float(rng.random()),
                "dev_uar": skill * (1 - float(np.exp(-epoch / 5))) + 0.05 * float(rng.random()),
                "learning_rate": 0.0005,
                "seconds": 1.2,
            }
        )
    best = max(log, key=lambda line: line["dev_uar"])["epoch"]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    settings = {
        "data": {"corpora": ["emodb", "ravdess"], "split": "speaker"},
        "features": {"n_mels": 128, "num_frames": 130},
        "model": {"channels": [32, 64, 128], "dropout": 0.3},
        "training": {"learning_rate": 0.0005 * seed, "mixup_alpha": 0.2 if seed % 2 else 0.0, "max_epochs": epochs},
    }
    (run / "settings.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    command = [
        "/usr/bin/emokit",
        "train",
        kind,
        "experiments/audio/emodb_quick.yaml",
        "--data",
        "prepared",
        "--run",
        "runs/a b",
    ]
    environment = {
        "command": command,
        "started": "2025-01-31T12:00:00+00:00",
        "seed": seed,
        "device": "cpu",
        "data": "prepared",
        "data_fingerprint": "ab" * 32,
        "emokit": "0.1.0",
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "packages": {"torch": "2.12.1", "transformers": "5.1.0", "librosa": None},
        "git_revision": "0123456789ab+",
    }
    (run / "environment.json").write_text(json.dumps(environment))
    (run / "ledger.json").write_text(json.dumps(ledger()))
    metrics = {
        "name": "emodb_quick",
        "modality": kind,
        "model": "acrnn",
        "labels": LABELS,
        "parameters": 1234567,
        "epochs": epochs,
        "best_epoch": best,
        "seconds": 88.1,
        "device": "cpu",
        "splits": {
            "dev": split_metrics(rng, 324, skill, num_clusters + 4),
            "test": split_metrics(rng, 330, skill, num_clusters),
        },
    }
    (run / "metrics.json").write_text(json.dumps(metrics))
    return run


def said(rows: list[tuple[str, str, str]], *, sure: float = 0.7, corpus: str = "emodb") -> predictions.Predictions:
    """Predictions of (speaker, label, guess), in this order; each guess has the probability `sure`."""
    table = pandas.DataFrame(
        {
            "utterance_id": [f"{corpus}/{number:03d}" for number in range(len(rows))],
            "corpus": corpus,
            "speaker": [speaker for speaker, _, _ in rows],
            "dialogue": None,
            "split": "test",
            "label": [label for _, label, _ in rows],
        }
    )
    predicted = [LABELS.index(predicted) for _, _, predicted in rows]
    probabilities = np.full((len(rows), 7), (1 - sure) / 6)
    probabilities[np.arange(len(rows)), predicted] = sure
    return predictions.make(table, probabilities, model="acrnn", fingerprint="ab" * 32)


def drawn(seed: int, skill: float, n: int = 140, num_speakers: int = 14) -> predictions.Predictions:
    """Predictions of n utterances whose truth is the same for every seed; `skill` is the share that is not guessed."""
    truth = np.random.default_rng(0).integers(0, 7, n)
    random = np.random.default_rng(seed)
    predicted = np.where(random.random(n) < skill, truth, random.integers(0, 7, n))
    rows = [(f"{i % num_speakers:02d}", LABELS[truth[i]], LABELS[predicted[i]]) for i in range(n)]
    found = said(rows)
    powers = found.probabilities ** random.uniform(0.5, 3, (n, 1))
    return predictions.make(
        found.table, powers / powers.sum(axis=1, keepdims=True), model="acrnn", fingerprint=found.fingerprint
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a report on two runs, with its figures; read it, do not write to it."""
    folder = tmp_path_factory.mktemp("built")
    runs = [write_run(folder / "runs" / "one"), write_run(folder / "runs" / "two", seed=2, skill=0.3)]
    return build(runs, folder / "report")


@pytest.fixture
def say() -> Callable[..., predictions.Predictions]:
    """As `said`: predictions of (speaker, label, guess)."""
    return said


@pytest.fixture
def draw() -> Callable[..., predictions.Predictions]:
    """As `drawn`: predictions of a seed and a skill."""
    return drawn


@pytest.fixture
def make_tested(tmp_path: Path) -> MakeRun:
    """Write one complete run folder whose test scores are those of the predictions in it."""

    def make(
        name: str,
        *,
        found: predictions.Predictions | None = None,
        skill: float = 0.6,
        seed: int = 1,
        training_seed: int | None = None,
        fingerprint: str = "ab" * 32,
        **kwargs: Any,
    ) -> Path:
        run = write_run(tmp_path / "runs" / name, skill=skill, **kwargs)
        found = found or drawn(seed, skill)
        predictions.write(found, run / "predictions" / "test.parquet")
        metrics = json.loads((run / "metrics.json").read_text())
        baselines = metrics["splits"]["test"]["baselines"]
        metrics["splits"]["test"] = own_metrics.score(found, num_resamples=50) | {"baselines": baselines}
        (run / "metrics.json").write_text(json.dumps(metrics))
        if training_seed is not None:
            settings = yaml.safe_load((run / "settings.yaml").read_text())
            settings["name"] = f"named after {name}"
            settings["training"] |= {"seed": training_seed}
            (run / "settings.yaml").write_text(yaml.safe_dump(settings))
        environment = json.loads((run / "environment.json").read_text())
        (run / "environment.json").write_text(json.dumps(environment | {"data_fingerprint": fingerprint}))
        return run

    return make
