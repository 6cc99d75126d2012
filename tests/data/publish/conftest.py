"""Prepared folders to publish: own recordings, own texts with votes, and two corpora."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.api.prepare import corpora_of, plan_of
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.prepare import prepare
from emokit.data.prepared import Prepared

SMALL = ("features.sample_rate=16000", "features.n_fft=512", "features.hop_length=320", "features.n_mels=32")


@pytest.fixture(scope="session")
def make() -> Callable[..., Prepared]:
    """Prepares what a command line names: `make(out, "calls=labels.csv", labels="a,b", columns={"label": "emotion"})`."""

    def prepared(
        out: Path, *names: str, roots: tuple[str, ...] = (), labels: str | None = None, **more: object
    ) -> Prepared:
        corpora = corpora_of(names, roots=roots, **more)
        plan = plan_of(corpora, labels=labels, overrides=SMALL)
        assert isinstance(plan.features, FeatureSettings)
        return prepare(plan, out, LogMel(plan.features))

    return prepared


@pytest.fixture(scope="session")
def calls(tmp_path_factory: pytest.TempPathFactory, make: Callable[..., Prepared]) -> Prepared:
    """Recordings of a user: three speakers, awkward ids and texts, own splits."""
    folder = tmp_path_factory.mktemp("own data")
    rows = ["utterance_id,path,emotion,speaker,text,gender,language,sentence_id,dialogue,turn,split"]
    random = numpy.random.default_rng(7)
    texts = ("=1+1", "'quoted", '"so", he said', "two\nlines", "NA", " outer ")
    for number, (split, speaker) in enumerate([("train", "03"), ("dev", "3"), ("test", "x y")]):
        for index, text in enumerate(texts):
            (folder / "wav" / speaker).mkdir(parents=True, exist_ok=True)
            path = f"wav/{speaker}/{index}.wav"
            soundfile.write(folder / path, random.uniform(-0.5, 0.5, 1600 + 16 * number), (16_000, 8_000)[index % 2])
            cell = text.replace('"', '""')
            name = f"{'a b' if index == 1 else 'a_b'}/{split}-{index // 2 if index > 1 else ''}{index}"
            rows.append(
                f'{name},{path},{("joy", "anger")[index % 2]},{speaker},"{cell} {number}",f,de,s{index},d{number},{index},{split}'
            )
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return make(folder / "prepared", f"calls={folder / 'labels.csv'}", labels="joy,anger,fear")


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory, make: Callable[..., Prepared]) -> Prepared:
    """Texts without speakers, each with the votes of three annotators."""
    folder = tmp_path_factory.mktemp("texts")
    votes = ("joy,joy,anger", "anger,anger,anger", "joy,joy,joy", "anger,joy,anger")
    lines = [
        f"text {index},{votes[index % 4]},{split}"
        for index, split in enumerate(["train"] * 8 + ["dev"] * 4 + ["test"] * 4)
    ]
    (folder / "labels.csv").write_text("\n".join(["text,a,b,c,split", *lines]) + "\n")
    return make(folder / "prepared", f"notes={folder / 'labels.csv'}", columns={"label": "a,b,c"})


@pytest.fixture(scope="session")
def two_corpora(tmp_path_factory: pytest.TempPathFactory, make: Callable[..., Prepared]) -> Prepared:
    """Synthesised EmoDB and comments, in one prepared folder."""
    from emokit.data.synthesis.corpora import write_corpus

    folder = tmp_path_factory.mktemp("two")
    write_corpus("emodb", folder / "emodb", size=0.2)
    write_corpus("goemotions", folder / "goemotions", size=0.05)
    roots = (f"emodb={folder / 'emodb'}", f"goemotions={folder / 'goemotions'}")
    return make(folder / "prepared", "emodb", "goemotions", roots=roots)
