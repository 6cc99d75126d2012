"""Text runs with ONNX Runtime: the probabilities of torch, without the time of its import."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

from emokit.data.prepared import open_prepared
from emokit.errors import DataError
from emokit.text.classified import in_batches, without_onnx
from emokit.text.features import Tokens
from emokit.text.modality import TEXT
from emokit.text.predictor import load
from emokit.text.settings import TextSettings
from tests.engines.conftest import IMPORTED

TEXTS = ["I need sleep", "a quiet evening " * 30, "stop that noise!", "😂 مرحبا"]
TINY = {
    "name": "tiny",
    "model": {"kind": "tiny", "tiny": {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}},
    "features": {"max_length": 32},
    "training": {"max_epochs": 2, "lr": 0.01},
}


@pytest.fixture(scope="module")
def run_of(mood_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder, prepared = tmp_path_factory.mktemp("runs"), open_prepared(mood_prepared)
    data = {"data": {"corpora": ["diary"]}}
    for name, settings in (("tiny", TINY), ("tfidf", {"name": "tfidf", "model": {"kind": "tfidf"}})):
        TEXT.train(TextSettings.make(settings | data), prepared, folder / name, device="cpu")
    return folder.__truediv__


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> "pytest.MonkeyPatch":
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield patch


def test_both_engines_give_the_same_probabilities(run_of: Callable[[str], Path], mood_prepared: Path) -> None:
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    by_torch, by_onnx = (load(run_of("tiny"), "cpu", engine=engine) for engine in ("torch", "onnx"))
    assert by_onnx.notes == ()
    for expected, result in zip(by_torch.predict(TEXTS), by_onnx.predict(TEXTS), strict=True):
        assert result.probabilities == pytest.approx(expected.probabilities, abs=1e-4)
        assert result.details == expected.details
    assert by_onnx.closing_note() == by_torch.closing_note() == "truncated 1 of 4 texts to 32 tokens"
    prepared = open_prepared(mood_prepared)
    (of_torch, _), (of_onnx, _) = (predictor.predict_split(prepared, "test") for predictor in (by_torch, by_onnx))
    columns = of_torch.labels.columns
    assert of_onnx.table[columns].to_numpy() == pytest.approx(of_torch.table[columns].to_numpy(), abs=1e-4)
    for expected, result in zip(by_torch.embed(TEXTS), by_onnx.embed(TEXTS), strict=True):
        assert numpy.array_equal(result.vectors, expected.vectors)


def test_a_bag_of_words_has_no_engine(run_of: Callable[[str], Path]) -> None:
    assert load(run_of("tfidf"), "cpu", engine="onnx").notes == (
        "a bag of words is computed with neither torch nor ONNX Runtime, so --engine changes nothing",
    )
    assert load(run_of("tfidf"), "cpu").notes == ()


@pytest.mark.parametrize(
    ("kind", "engine", "unneeded"),
    [
        ("tiny", "torch", "pandas sklearn librosa matplotlib"),
        ("tiny", "onnx", "torch transformers pandas sklearn librosa matplotlib scipy"),
        ("tfidf", "auto", "torch transformers pandas sklearn librosa matplotlib scipy"),
    ],
)
def test_a_prediction_imports_only_what_it_needs(
    run_of: Callable[[str], Path], kind: str, engine: str, unneeded: str
) -> None:
    if engine == "onnx":
        pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
        load(run_of(kind), "cpu", engine="onnx")  # the export is made, with torch
    words = ["predict", str(run_of(kind)), "a quiet evening", "--engine", engine]
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, unneeded, *words], env=surroundings, capture_output=True, text=True
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.count("\n") == 2


def test_a_kind_without_an_engine_says_so(run_of: Callable[[str], Path]) -> None:
    note = "model.kind tfidf has no ONNX engine; torch computes the predictions"
    assert without_onnx(TextSettings.make(TINY)) is None
    zero_shot = TextSettings.make(
        {"model": {"kind": "zero_shot", "name": "other/classifier", "labels": {"a": "happy"}}}
    )
    assert f"{without_onnx(zero_shot)}; torch computes the predictions" == note.replace("tfidf", "zero_shot")


def test_batches_do_not_depend_on_the_order_of_the_input() -> None:
    rows = [{"input_ids": list(range(length))} for length in (3, 1, 2)]
    seen: list[int] = []

    def compute(batch: list[dict[str, list[int]]]) -> list[numpy.ndarray]:
        seen.extend(len(row["input_ids"]) for row in batch)
        return [numpy.array(len(row["input_ids"])) for row in batch]

    assert [int(size) for size in in_batches(Tokens(rows, numpy.zeros(3, bool)), compute)] == [3, 1, 2]
    assert seen == [1, 2, 3]
    with pytest.raises(DataError, match="There is no text to predict"):
        in_batches(Tokens([], numpy.zeros(0, bool)), compute)
