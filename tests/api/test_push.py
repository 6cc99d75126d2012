"""What of a run is uploaded, and what stays on this computer."""

import json
from pathlib import Path

import pytest

from emokit.api.push import push_folder, upload_of
from emokit.errors import DataError, UsageError

HOME = Path("/", "home", "ann")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A complete run in ~/secret-project, which began with a model in another folder."""
    home = tmp_path / "home"
    folder = home / "secret-project" / "tiny"
    for name in ("model", "predictions", "checkpoints/last", "tensorboard"):
        (folder / name).mkdir(parents=True)
    model = str(Path("/", "data", "bobs models", "wavlm"))
    (folder / "settings.yaml").write_text(f"name: tiny\nmodality: audio\nmodel:\n  name: {model}\n")
    (folder / "metrics.json").write_text(
        json.dumps({"name": "tiny", "model": model, "labels": ["a", "b"], "splits": {}})
    )
    (folder / "environment.json").write_text("{}")
    (folder / "README.md").write_text(f"# tiny\n\n    emokit predict RUN a.wav\n\nTrained in {folder} from {model}.\n")
    (folder / "model" / "config.json").write_text(json.dumps({"_name_or_path": model, "cache": str(home / "x y")}))
    (folder / "model" / "model.safetensors").write_bytes(b"weights")
    (folder / "predictions" / "test.parquet").write_bytes(b"table")
    for name in (
        "ledger.json",
        "model/id_rsa",
        "model/.env",
        "model/notes.json",
        "predictions/interviews.csv",
        "log.jsonl",
        "label_issues.csv",
        "checkpoints/last/state.pt",
        "tensorboard/events",
        ".lock",
    ):
        (folder / name).write_text(f"{home}")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("emokit.runs.read_environment", lambda _: {"data": str(home / "secret-data")})
    monkeypatch.setattr("emokit.runs.read_metrics", lambda path: json.loads((path / "metrics.json").read_text()))
    return folder


def test_only_what_loads_and_judges_a_model_is_uploaded(run: Path) -> None:
    with upload_of(run, "ann/tiny") as upload:
        assert (upload.kind, upload.folders) == ("model", ("model/", "predictions/"))
        assert list(upload.files) == [
            "README.md", "metrics.json", "settings.yaml", "model/config.json", "model/model.safetensors",
            "predictions/test.parquet",
        ]  # fmt: skip
        assert upload.files["model/model.safetensors"] == run / "model" / "model.safetensors"


def test_paths_of_this_computer_are_taken_out_of_texts(run: Path) -> None:
    with upload_of(run, "ann/tiny") as upload:
        texts = {name: content.decode() for name, content in upload.files.items() if isinstance(content, bytes)}
    assert set(texts) == {"README.md", "metrics.json", "settings.yaml", "model/config.json"}
    assert texts["README.md"] == (
        "# tiny\n\n    hf download ann/tiny --local-dir RUN\n    emokit predict RUN a.wav\n\nTrained in tiny from wavlm.\n"
    )
    assert texts["settings.yaml"] == "name: tiny\nmodality: audio\nmodel:\n  name: wavlm\n"
    assert json.loads(texts["model/config.json"])["_name_or_path"] == "wavlm"
    assert not any("secret" in text or "bobs" in text or str(run.parents[1]) in text for text in texts.values())


def test_what_cannot_be_pushed_is_one_sentence(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "model").rename(run / "folds")
    with pytest.raises(DataError) as folds, upload_of(run, "ann/tiny"):
        pass
    assert str(folds.value) == (
        f"{run} has no model, as a run with --folds has one per fold; name one of the runs in its folder folds."
    )
    (run / "folds").rename(run / "elsewhere")
    (run / "model").mkdir()
    with pytest.raises(DataError) as empty, upload_of(run, "ann/tiny"):
        pass
    assert str(empty.value) == f"{run}/model holds no model; train the run again with --force, or name another run."
    (run / "storage.json").touch()
    with pytest.raises(DataError) as sweep, upload_of(run, "ann/tiny"):
        pass
    assert str(sweep.value) == f"{run} is a sweep, not a run; name one of the runs in its folders trials and confirm."
    (run / "storage.json").unlink()
    (run / "metrics.json").unlink()
    with pytest.raises(DataError) as error, upload_of(run, "ann/tiny"):
        pass
    assert str(error.value) == (
        f"{run} has no metrics.json, so its training did not end; resume it by adding --resume."
    )
    with pytest.raises(DataError) as missing, upload_of(tmp_path / "none", "ann/tiny"):
        pass
    assert str(missing.value) == (
        f"{tmp_path}/none does not exist; name a run folder, as `emokit train` makes it with --run."
    )
    with pytest.raises(UsageError, match=r"^tiny is no name of a repository on the hub"):
        push_folder(run, "tiny")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(UsageError, match=r"^There is no token of the Hugging Face hub"):
        push_folder(run, "ann/tiny")


def test_an_interrupted_prepared_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("labels: [a, b]\ncorpora: {}\nsplits: {}\n")
    with pytest.raises(DataError) as error, upload_of(tmp_path, "ann/x"):
        pass
    assert str(error.value) == (
        f"{tmp_path} has no fingerprint, so it was interrupted; run `emokit prepare … --out {tmp_path}`."
    )
