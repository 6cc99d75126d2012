"""Every command is killed before each of its file operations; after the next command nothing differs and nothing is left.

With EMOKIT_ALL_KILLS set, before each of them (of the demo's, whose steps are other commands, before one in twelve); else before
a sample at a fixed stride, which takes a minute or two.
"""

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from emokit.cli import demo
from emokit.sweep import run as sweeps
from emokit.sweep.space import read_space
from tests.kills.conftest import contents, emokit, in_a_child, leftovers, remove, resumed

log = logging.getLogger(__name__)  # shown with --log-cli-level=INFO
pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1800)]
Work = Callable[[], None]
QUICK = ["--step", "0.25", "--resamples", "100", "--set", "fusion.folds=2"]


def survives(out: Path, first: Work, following: Work, samples: int = 8, at_most: int | None = None) -> None:
    """Kill `first` before its file operations below `out.parent`, do what follows, and compare with an unkilled `first`.

    Args:
        out: what both make.
        first, following: the command, and the one that is documented for what a kill leaves.
        samples: roughly the number of operations, or with EMOKIT_ALL_KILLS `at_most`; None for all.
    """
    folder = out.parent
    folder.mkdir()
    first()  # in this process, which has then loaded all that the children need
    expected = contents(out) if out.is_dir() else out.read_bytes()
    assert expected
    assert leftovers(folder) == []
    remove(out)
    total = in_a_child(first, folder)
    assert total
    kills = at_most or total if os.environ.get("EMOKIT_ALL_KILLS") else samples
    stride = max(1, total // kills)
    log.info(f"{len(range(0, total, stride))} kills before {total} file operations")
    for stop in range(0, total, stride):
        remove(out)
        assert in_a_child(first, folder, stop) is None, f"operation {stop} of {total} was not reached"
        in_a_child(following, folder)
        actual = contents(out) if out.is_dir() else out.read_bytes()
        assert actual == expected, f"after a kill before operation {stop} of {total}"
        assert leftovers(folder) == [], f"after a kill before operation {stop} of {total}"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """What a command makes, in a folder with nothing else in it."""
    return tmp_path / "made" / "out"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, text_prepared: Path) -> Path:
    """A folder with two runs of text on MELD."""
    folder = tmp_path_factory.mktemp("trained")
    for name in ("one", "two"):
        emokit(
            "train", "text", "tfidf", *CPU, *MELD, "--data", text_prepared, "--run", folder / name, "--seed", len(name)
        )
    return folder


CPU = ("--device", "cpu")  # a forked process cannot use a GPU
MELD = ("--set", "data.corpora=[meld]")
TINY = [
    *("--set", "model.kind=tiny", "--set", "model.tiny.vocab_size=300", "--set", "model.tiny.hidden_size=8"),
    *("--set", "model.tiny.num_hidden_layers=1", "--set", "model.tiny.num_attention_heads=2", "--epochs", "2"),
]


def test_prepare(tmp_path: Path, out: Path, write_emodb: Callable[..., list[Path]]) -> None:
    write_emodb(tmp_path / "emodb")
    work = partial(emokit, "prepare", "emodb", "--root", f"emodb={tmp_path / 'emodb'}", "--out", out, "--workers", 1)
    survives(out, work, work)


def test_train_audio_without_epochs(out: Path, small_prepared: Path) -> None:
    command = (
        "train",
        "audio",
        *CPU,
        "--data",
        small_prepared,
        "--run",
        out,
        "--set",
        "model.kind=functionals",
        *FEATURES,
    )
    survives(out, partial(emokit, *command), partial(resumed, *command, run=out))


FEATURES = [
    *("--set", "features.n_mels=32", "--set", "features.n_fft=512", "--set", "features.hop_length=320"),
    *("--set", "data.window_seconds=1.5", "--set", "features.sample_rate=16000"),
]


def test_train_text_without_epochs_by_force(out: Path, text_prepared: Path) -> None:
    command = ("train", "text", "tfidf", *CPU, "--data", text_prepared, "--run", out, *MELD)
    survives(out, partial(emokit, *command), partial(emokit, *command, "--force"))


def test_train_text(out: Path, text_prepared: Path) -> None:
    command = ("train", "text", *CPU, "--data", text_prepared, "--run", out, *MELD, *TINY)
    survives(out, partial(emokit, *command), partial(resumed, *command, run=out))


def test_folds(tmp_path: Path, out: Path, write_emodb: Callable[..., list[Path]]) -> None:
    write_emodb(tmp_path / "emodb", texts=("a01", "a02"), emotions="WFN")
    data = tmp_path / "prepared"
    emokit("prepare", "emodb", "--root", f"emodb={tmp_path / 'emodb'}", "--out", data, *("--set", "features.n_mels=16"))
    command = ("train", "audio", *CPU, "--data", data, "--run", out, "--set", "model.kind=functionals")
    command = (*command, "--set", "features.n_mels=16", "--set", "data.window_seconds=0.2")
    command = (*command, "--folds", "leave-one-speaker-out", "--workers", 1)
    survives(out, partial(emokit, *command), partial(resumed, *command, run=out))


SWEEP = {
    "experiment": {
        "modality": "text",
        "settings": {"name": "bag", "data": {"corpora": ["meld"]}, "model": {"kind": "tfidf"}},
    },
    "space": {"training.lr": {"grid": [0.1]}},
    "confirm": {"best": 1, "seeds": 2},
}


def test_sweep(tmp_path: Path, out: Path, text_prepared: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(yaml.safe_dump(SWEEP))

    def begin() -> None:
        plan = sweeps.begin(read_space(path), text_prepared, out, device="cpu", force=out.exists())
        sweeps.work_here(plan, sweeps.order(plan, None, text_prepared, "cpu", "auto"))

    def follow() -> None:
        if not (out / sweeps.STORAGE).exists():
            begin()
            return
        plan, url, data = sweeps.resume(out)
        sweeps.work_here(plan, sweeps.order(plan, url, data, "cpu", "auto"))

    survives(out, begin, follow, samples=5)


def test_fuse_search(out: Path, trained: Path) -> None:
    command = ("fuse-search", f"one={trained / 'one'}", f"two={trained / 'two'}", "--run", out, *QUICK)
    survives(out, partial(emokit, *command), partial(emokit, *command, "--force"), samples=4)


def test_predict(tmp_path: Path, out: Path, trained: Path, text_prepared: Path) -> None:
    out = out.with_suffix(".parquet")

    def predict() -> None:
        if not out.exists():
            emokit("predict", trained / "one", "--data", text_prepared, "--split", "dev", "--out", out, *CPU)

    survives(out, predict, predict)


def test_report(out: Path, trained: Path) -> None:
    command = ("report", trained / "one", "--out", out)
    survives(out, partial(emokit, *command), partial(emokit, *command, "--force"), samples=4)


def test_export(tmp_path: Path, out: Path, text_prepared: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    run = tmp_path / "run"
    in_a_child(partial(emokit, "train", "text", *CPU, "--data", text_prepared, "--run", run, *MELD, *TINY), tmp_path)
    command = ("export", run, "--out", out)
    survives(out, partial(emokit, *command), partial(emokit, *command, "--force"), samples=4)


def test_demo(tmp_path: Path, out: Path) -> None:
    """The demo with one small corpus, models without epochs and a sweep of one point: its steps are the same."""
    experiments = {
        "audio/demo.yaml": {"name": "demo", "data": {"corpora": ["meld"]}, "model": {"kind": "functionals"}},
        "text/tfidf.yaml": {"name": "tfidf", "model": {"kind": "tfidf"}},
        "text/demo_sweep.yaml": {"name": "demo_sweep", **SWEEP},
    }
    for name, values in experiments.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(yaml.safe_dump(values))
    make = partial(demo.make, out, tmp_path, ["meld"], size=0.05, device="cpu")
    survives(out, make, partial(make, force=True), samples=2, at_most=60)


@pytest.mark.parametrize("form", ["datasets", "csv", "audiofolder"])
def test_export_of_data(out: Path, small_prepared: Path, form: str) -> None:
    command = ("export", small_prepared, "--format", form, "--out", out)
    survives(out, partial(emokit, *command), partial(emokit, *command, "--force"), samples=4)


def test_prepare_a_data_set(tmp_path: Path, out: Path, small_prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOKIT_CACHE", str(tmp_path / "cache"))
    emokit("export", small_prepared, "--format", "datasets", "--out", tmp_path / "data")
    work = partial(emokit, "prepare", f"mine=hf:{tmp_path / 'data'}", "--out", out, "--workers", 1)
    survives(out, work, work)
