"""Exports in the cache folder: made once, found by what decides a prediction, refused where they are not what was compared."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

from emokit.engines import exports
from emokit.engines.exports import key_of, open_engine, stored
from emokit.errors import DataError, UsageError, WorkError

LABELS = ("low", "high")
Export = Callable[[Path], None]


def refused(*_: object) -> None:
    raise AssertionError("the export was made again")


def test_an_export_is_made_once_and_stored_in_the_cache_folder(export: Export, run: Path, cache: Path) -> None:
    before = sorted(run.rglob("*"))
    engine, notes = open_engine("onnx", "auto", run, LABELS, export)
    assert engine is not None
    assert engine({"inputs": numpy.array([[1.0, 2.0]], numpy.float32)}).tolist() == [[2.0, 1.0]]
    assert notes == ()
    again, _ = open_engine("onnx", "cpu", run, LABELS, refused)
    assert again is not None
    folder = cache / "onnx" / key_of(run, LABELS)
    assert [path.name for path in (cache / "onnx").iterdir()] == [folder.name]
    assert sorted(path.name for path in folder.iterdir()) == ["emokit.json", "export.json", "model.onnx"]
    assert sorted(run.rglob("*")) == before


def test_auto_takes_a_stored_export_on_the_cpu_and_makes_none(export: Export, run: Path, cache: Path) -> None:
    assert open_engine("auto", "cpu", run, LABELS, refused) == (None, ())
    open_engine("onnx", "cpu", run, LABELS, export)
    assert open_engine("auto", "cpu", run, LABELS, refused)[0] is not None
    assert open_engine("auto", "cuda", run, LABELS, refused) == (None, ())
    assert open_engine("torch", "cpu", run, LABELS, refused) == (None, ())


def test_auto_leaves_a_machine_that_may_have_a_gpu_to_torch(
    export: Export, run: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_engine("onnx", "cpu", run, LABELS, export)
    monkeypatch.setattr(exports, "GPU_FILES", (str(tmp_path / "driver"),))
    monkeypatch.setattr(exports.sys, "platform", "linux")
    assert open_engine("auto", "auto", run, LABELS, refused)[0] is not None
    (tmp_path / "driver").touch()
    assert open_engine("auto", "auto", run, LABELS, refused) == (None, ())


@pytest.mark.parametrize("changed", ["settings.yaml", "model/model.safetensors", "model/config.json", "labels"])
def test_another_model_other_settings_and_other_labels_have_another_export(run: Path, changed: str) -> None:
    before, labels = key_of(run, LABELS), LABELS
    if changed == "labels":
        labels = LABELS[::-1]
    else:
        (run / changed).write_text("other")
    assert key_of(run, labels) != before


def test_an_export_with_other_bytes_than_were_compared_is_made_again(export: Export, run: Path, cache: Path) -> None:
    open_engine("onnx", "cpu", run, LABELS, export)
    folder = cache / "onnx" / key_of(run, LABELS)
    other = (folder / "model.onnx").read_bytes().replace(b"MatMul", b"MatSub")
    (folder / "model.onnx").write_bytes(other)
    assert stored(folder) is None
    assert open_engine("auto", "cpu", run, LABELS, refused) == (None, ())
    engine, _ = open_engine("onnx", "cpu", run, LABELS, export)
    assert engine is not None
    (folder / "emokit.json").write_text("{")
    assert stored(folder) is None


def test_an_export_that_differs_from_its_model_is_refused_and_torch_taken(run: Path, cache: Path) -> None:
    def differing(out: Path) -> None:
        out.mkdir()
        (out / "model.onnx").touch()
        raise WorkError("The export differs from the model by 0.3; export with another torch or onnx.")

    expected = "The export differs from the model by 0.3; torch computes the predictions"
    assert open_engine("onnx", "cpu", run, LABELS, differing) == (None, (expected,))
    assert list((cache / "onnx").iterdir()) == []


def test_a_model_that_cannot_be_exported_is_computed_by_torch(run: Path, cache: Path) -> None:
    def failing(out: Path) -> None:
        raise RuntimeError("no such operator")

    expected = "The model cannot be exported to ONNX (no such operator); torch computes the predictions"
    assert open_engine("onnx", "cpu", run, LABELS, failing) == (None, (expected,))
    kind = open_engine("onnx", "cpu", run, LABELS, refused, without="model.kind probe has no ONNX engine")
    assert kind == (None, ("model.kind probe has no ONNX engine; torch computes the predictions",))


def test_what_is_wrong_with_the_run_itself_is_raised(run: Path, cache: Path) -> None:
    def damaged(out: Path) -> None:
        raise DataError("the run is damaged")

    with pytest.raises(DataError, match="the run is damaged"):
        open_engine("onnx", "cpu", run, LABELS, damaged)


def test_a_file_in_place_of_the_cache_folder_is_named(export: Export, run: Path, cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(UsageError) as error:
        open_engine("onnx", "cpu", run, LABELS, export)
    assert str(error.value).startswith(f"{cache / 'onnx' / key_of(run, LABELS)} cannot be written (")


@pytest.mark.parametrize(
    ("engine", "device", "sentence"),
    [
        ("tensorrt", "auto", "--engine tensorrt is unknown; choose one of auto, torch, onnx."),
        ("onnx", "cuda", "--engine onnx computes on the CPU and --device cuda was given; leave one of them out."),
        ("onnx", "gpu", "--device gpu is unknown; choose one of auto, cuda, mps, cpu."),
    ],
)
def test_what_no_engine_can_do_is_refused(run: Path, engine: str, device: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        open_engine(engine, device, run, LABELS, refused)
    assert str(error.value) == sentence


def test_without_onnx_runtime_the_engine_is_refused_and_auto_is_torch(
    export: Export, run: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_engine("onnx", "cpu", run, LABELS, export)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as error:
        open_engine("onnx", "auto", run, LABELS, refused)
    assert str(error.value) == (
        "--engine onnx was given and onnxruntime is not installed; install it with `pip install '.[onnx]'` in a clone of emokit, "
        "or leave --engine out."
    )
    assert error.value.exit_code == 2
    assert open_engine("auto", "cpu", run, LABELS, refused) == (None, ())


def test_what_a_killed_process_left_is_removed(export: Export, run: Path, cache: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (cache / f"onnx/.left.{ended.pid}.part").mkdir(parents=True)
    (cache / f"onnx/.left.{ended.pid}.part/model.onnx").touch()
    open_engine("onnx", "cpu", run, LABELS, export)
    assert [path.name for path in (cache / "onnx").iterdir()] == [key_of(run, LABELS)]
    assert json.loads((cache / "onnx" / key_of(run, LABELS) / "export.json").read_text()).keys() == {"sha256"}
