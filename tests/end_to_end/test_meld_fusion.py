"""Fusion on the real dev and test of MELD: two text runs trained here; audio and vision are seeded stand-ins, not models."""

import json
import re

import numpy
import pandas
import pytest
from typer.testing import CliRunner

from emokit import predictions
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.cli.app import app
from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.prepared import open_prepared
from emokit.data.splits.draw import SplitSettings
from emokit.text.modality import TEXT
from emokit.text.settings import TextSettings

pytestmark = [pytest.mark.corpus, pytest.mark.end_to_end]
TINY = {
    "features": {"max_length": 32},
    "model": {"kind": "tiny", "tiny": {"vocab_size": 1000, "hidden_size": 32, "num_hidden_layers": 1}},
    "training": {"max_epochs": 1, "lr": 0.003},
}
QUICK = ["--step", "0.1", "--resamples", "100", "--set", "fusion.folds=2"]


def stand_in(prepared, name, strength, coverage, seed):
    """Random predictions that favour the true label by `strength`, for a share `coverage` of the utterances."""
    table = prepared.table[prepared.table["split"].isin(["dev", "test"])]
    random = numpy.random.default_rng(seed)
    table = table[random.random(len(table)) < coverage]
    scores = random.normal(size=(len(table), len(prepared.labels)))
    scores[numpy.arange(len(table)), prepared.labels.targets(table["label"])] += strength
    exponentials = numpy.exp(scores)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return predictions.make(
        table,
        probabilities,
        labels=prepared.labels,
        model=f"{name}, a seeded stand-in",
        fingerprint=prepared.fingerprint,
    )


@pytest.fixture(scope="module")
def sources(corpora, tmp_path_factory):
    """Name -> path of the bag of words, the tiny encoder, and the stand-ins."""
    folder = tmp_path_factory.mktemp("meld")
    features = FeatureSettings()
    corpus = with_roots(read_catalogue(), ["meld"], [f"meld={corpora / 'meld'}"])
    prepare(Plan(tuple(corpus), features, SplitSettings()), folder / "prepared", LogMel(features))
    prepared = open_prepared(folder / "prepared")
    for name, values in (("tfidf", {"model": {"kind": "tfidf"}}), ("tiny", TINY)):
        TEXT.train(TextSettings.make({"name": name, **values}), prepared, folder / name, device="cpu")
    for name, strength, coverage, seed in (("audio", 0.6, 1.0, 1), ("vision", 0.4, 0.8, 2)):
        predictions.write(stand_in(prepared, name, strength, coverage, seed), folder / f"{name}.parquet")
    return {
        "tfidf": folder / "tfidf", "tiny": folder / "tiny",
        "audio": folder / "audio.parquet", "vision": folder / "vision.parquet",
    }  # fmt: skip


def fuse(sources, run, *options):
    named = [f"{name}={path}" for name, path in sources.items()]
    result = CliRunner().invoke(app, ["fuse-search", *named, "--run", str(run), *QUICK, *options])
    assert result.exit_code == 0, result.output
    return json.loads((run / "fusion.json").read_text())


def test_two_text_runs_and_two_stand_ins_are_fused_and_reported(sources, tmp_path):
    fusion = fuse(sources, tmp_path / "fused", "--missing", "renormalise")
    assert fusion["modalities"] == ["tfidf", "tiny", "audio", "vision"]
    assert {split: counts["used"] for split, counts in fusion["joined"].items()} == {"dev": 1109, "test": 2610}
    assert fusion["joined"]["test"]["lacking tfidf"] == 0 < fusion["joined"]["test"]["lacking vision"]
    assert (fusion["cluster"], fusion["clusters"]["test"]) == ("dialogue", 280)
    assert fusion["sources"]["vision"]["model"] == "vision, a seeded stand-in"
    assert fusion["best_single"] == "tfidf"
    assert fusion["fusion_methods"][0]["test"]["weighted_f1"]["score"] > 0.5
    result = CliRunner().invoke(app, ["report", str(tmp_path / "fused"), "--out", str(tmp_path / "report")])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert fusion["verdict"] in page
    assert re.search(r'"fusion/fused/equal/test/difference">[+−]\d+\.\d</data>', page)
    assert "Weights of tfidf, tiny, audio and vision" in page


def test_the_order_of_the_rows_changes_no_bit(sources, tmp_path):
    sources = {name: sources[name] for name in ("tfidf", "tiny", "audio")}
    shuffled = dict(sources)
    for number, name in enumerate(("tfidf", "tiny")):
        tables = [predictions.read(sources[name] / "predictions" / f"{split}.parquet") for split in ("dev", "test")]
        table = pandas.concat([entry.table for entry in tables]).sample(frac=1, random_state=number)
        # Nine decimal digits restore every float32 exactly.
        shuffled[name] = tmp_path / f"{name}.csv"
        table.to_csv(shuffled[name], index=False, float_format="%.9g")
    before = fuse(sources, tmp_path / "before")
    after = fuse(shuffled, tmp_path / "after")
    for fusion in (before, after):
        del fusion["sources"]
    assert before == after
    for split in ("dev", "test"):
        first, second = (
            predictions.read(tmp_path / side / "predictions" / f"{split}.parquet") for side in ("before", "after")
        )
        assert first.table.equals(second.table)
