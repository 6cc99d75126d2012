"""Shared fixtures: real corpora if available, small synthesised ones, small settings and a web server."""

import csv
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy
import pytest
import soundfile
import yaml


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """End-to-end tests first: with several test processes, the last tests should be short."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)


def is_running(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc").is_dir()  # it has just ended, or this system has no /proc
    return state != "Z"


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora that EMOKIT_CORPORA names; without it the test is skipped."""
    folder = os.environ.get("EMOKIT_CORPORA")
    if not folder:
        pytest.skip("EMOKIT_CORPORA names no folder of real corpora")
    path = Path(folder).resolve()
    if not path.is_dir():
        pytest.skip(f"EMOKIT_CORPORA names {folder}, which is not a folder")
    return path


@pytest.fixture(scope="session")
def write_emodb() -> Callable[..., list[Path]]:
    """Writes a small EmoDB: 0.2 s of noise for each combination of speakers, texts and emotions."""

    def write(
        root: Path, speakers: Sequence[str] = ("03", "08", "09"), texts: Sequence[str] = ("a01",), emotions: str = "WFN"
    ) -> list[Path]:
        random = numpy.random.default_rng(sum(map(int, speakers)))
        (root / "wav").mkdir(parents=True, exist_ok=True)
        paths = [
            root / "wav" / f"{speaker}{text}{emotion}a.wav"
            for speaker, text, emotion in itertools.product(speakers, texts, emotions)
        ]
        for path in paths:
            soundfile.write(path, random.uniform(-0.5, 0.5, 3200), 16_000, subtype="PCM_16")
        return paths

    return write


@pytest.fixture(scope="session")
def small_prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of a small synthesised EmoDB, with features of 32 mels; read-only for tests."""
    from emokit.audio.settings import FeatureSettings
    from emokit.audio.spectrogram.log_mel import LogMel
    from emokit.data.catalogue import read_catalogue, with_roots
    from emokit.data.plan import Plan
    from emokit.data.prepare import prepare
    from emokit.data.splits.draw import SplitSettings
    from emokit.data.synthesis.corpora import write_corpus

    folder = tmp_path_factory.mktemp("small")
    write_corpus("emodb", folder / "emodb", size=0.5)
    features = FeatureSettings.make(SMALL_FEATURES)
    corpora = with_roots(read_catalogue(), ["emodb"], [f"emodb={folder / 'emodb'}"])
    prepare(Plan(tuple(corpora), features, SplitSettings()), folder / "prepared", LogMel(features))
    return folder / "prepared"


@pytest.fixture
def small_settings() -> dict:
    """Values for `AudioSettings.make` that train on `small_prepared` in a second or two."""
    return {
        "name": "small",
        "data": {"window_seconds": 1.5},
        "features": dict(SMALL_FEATURES),
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
        "training": {"max_epochs": 3, "batch_size": 16, "lr": 0.005},
    }


SMALL_FEATURES = {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32}


class Server:
    """A local web server with files and faults set by the test: `served.files["a.zip"] = bytes`, `served.cut_at = 500`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        """Path and Range header of each request."""
        self.cut_at: int | None = None
        """The connection is cut after this many bytes of a body."""
        self.cuts = 0
        """The number of responses that are cut."""
        self.resumes = True
        """Whether it supports Range requests."""
        self.version = '"1"'
        self.busy = 0
        """The number of requests that it refuses with 503."""
        self.leads_to: str | None = None
        """The address that every request is redirected to."""
        self.url = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a GET request."""
        name, span = request.path.lstrip("/"), request.headers.get("Range")
        self.asked.append((name, span))
        if self.leads_to is not None:
            request.send_response(302)
            request.send_header("Location", self.leads_to)
            request.end_headers()
            return
        if self.busy or name not in self.files:
            request.send_error(503 if self.busy else 404)
            self.busy = max(0, self.busy - 1)
            return
        content, start = self.files[name], 0
        if span and self.resumes and request.headers.get("If-Range") == self.version:
            start = int(span.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(content)}")
            request.end_headers()
            return
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(content) - start))
        request.send_header("ETag", self.version)
        request.end_headers()
        cut = self.cut_at if self.cuts else None
        self.cuts -= cut is not None
        request.wfile.write(content[start:][:cut])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A web server that serves the test's `files`; downloads do not pause between tries."""
    from emokit.data.download import fetch

    monkeypatch.setattr(fetch, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield server
        http.shutdown()
        thread.join()


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
    """A prepared folder of about 500 synthesised comments and 140 turns of dialogue; read-only for tests."""
    from emokit.audio.settings import FeatureSettings
    from emokit.audio.spectrogram.log_mel import LogMel
    from emokit.data.catalogue import read_catalogue, with_roots
    from emokit.data.plan import Plan
    from emokit.data.prepare import prepare
    from emokit.data.splits.draw import SplitSettings
    from emokit.data.synthesis.corpora import write_corpus

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
    """Values for `TextSettings.make` that train on `text_prepared` in a second or two."""
    return {
        "name": "small",
        "features": {"max_length": 24},
        "model": {
            "kind": "tiny",
            "tiny": {"vocab_size": 400, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
        },
        "training": {"max_epochs": 3, "batch_size": 32, "lr": 0.01, "class_balancing": "inverse"},
    }


@pytest.fixture(scope="session")
def seal() -> Callable[[Path], None]:
    """Writes the fingerprint of a prepared folder that a test has changed, as if it had been prepared so."""

    def write(folder: Path) -> None:
        import pandas

        from emokit.data.prepared import FINGERPRINT, fingerprint_of, open_recordings
        from emokit.data.utterance import TABLE, typed

        settings = yaml.safe_load((folder / "settings.yaml").read_text())
        settings.pop("roots", None)
        table = typed(pandas.read_parquet(folder / TABLE))
        hashes = table["utterance_id"].map(open_recordings(folder, table).hashes).astype("string")
        recordings = hashes.where(table["path"].notna())
        (folder / FINGERPRINT).write_text(fingerprint_of(settings, table.assign(recording=recordings)) + "\n")

    return write


SMALL_EXPERIMENTS = {
    "audio": {
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
        "training": {"max_epochs": 1, "batch_size": 16},
    },
    "text": {
        "data": {"corpora": ["emodb"]},
        "features": {"max_length": 24},
        "model": {
            "kind": "tiny",
            "tiny": {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
        },
        "training": {"max_epochs": 1},
    },
}


@pytest.fixture(scope="session")
def modality_runs(small_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an audio run, a text run and the fusion of both; read-only for tests."""
    from emokit.data.prepared import open_prepared
    from emokit.fusion.late.run import fuse
    from emokit.fusion.late.settings import FusionSettings
    from emokit.modality.registry import modality

    folder = tmp_path_factory.mktemp("runs")
    for name, values in SMALL_EXPERIMENTS.items():
        settings = modality(name).settings().make(values)
        modality(name).train(settings, open_prepared(small_prepared), folder / name, device="cpu")
    fusion = FusionSettings.make({"fusion": {"step": 0.5, "resamples": 100, "folds": 2, "choice": "equal"}})
    fuse(fusion, {name: [folder / name] for name in SMALL_EXPERIMENTS}, folder / "late-fusion")
    return folder
