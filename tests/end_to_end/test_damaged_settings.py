"""Settings of prepared folders of another shape."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import emokit
from emokit.cli.app import app
from emokit.data.prepared import open_prepared, open_recordings
from emokit.errors import DataError
from emokit.report.read_runs import read_run


@pytest.mark.parametrize("value", ["hello", [1]])
def test_features_that_are_no_group_of_settings_are_refused(
    small_prepared: Path, tmp_path: Path, value: object
) -> None:
    folder = tmp_path / "prepared"
    shutil.copytree(small_prepared, folder)
    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings | {"features": value}))
    with pytest.raises(DataError) as caught:
        _ = open_prepared(folder).recordings
    assert str(caught.value) == (
        f"{folder / 'settings.yaml'} has features = {value!r} where a group of settings was expected; prepare the folder again."
    )


DAMAGES = [
    ("folder", "is a folder, not a file"),
    (b"[]", "holds a list where a mapping of settings was expected"),
    (b"a: [", "is not valid YAML at line 1"),
    (b"\x00\x00", "is not valid YAML"),
    (b"\xff\xfe", "is not UTF-8 text"),
    (b"name: a\nname: b\n", "has the key name at line 1 and again at line 2"),
]


@pytest.mark.parametrize(("content", "fault"), DAMAGES)
def test_damaged_settings_of_a_folder_are_damaged_data(
    small_prepared: Path, modality_runs: Path, tmp_path: Path, content: bytes | str, fault: str
) -> None:
    advice = "remove one of the two" if "again at" in fault else "make its folder again, or leave it out"
    prepared = shutil.copytree(small_prepared, tmp_path / "prepared")
    table = open_prepared(prepared).table
    run = shutil.copytree(modality_runs / "text", tmp_path / "run")
    for folder in (prepared, run):
        (folder / "settings.yaml").unlink()
        if isinstance(content, str):
            (folder / "settings.yaml").mkdir()
        else:
            (folder / "settings.yaml").write_bytes(content)
    for folder, read in (
        (prepared, open_prepared),
        (prepared, lambda folder: open_recordings(folder, table)),
        (run, emokit.load),
    ):
        with pytest.raises(DataError) as caught:
            read(folder)
        assert str(caught.value) == f"{folder / 'settings.yaml'} {fault}; {advice}."


def test_a_fingerprint_that_is_a_folder_is_damaged_data(small_prepared: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_prepared, tmp_path / "prepared")
    (folder / "fingerprint").unlink()
    (folder / "fingerprint").mkdir()
    with pytest.raises(DataError) as caught:
        open_prepared(folder)
    assert str(caught.value) == (
        f"{folder / 'fingerprint'} is a folder, not a file; run the `emokit prepare … --out {folder}` that made it again."
    )


@pytest.mark.parametrize(
    ("kind", "last"), [("audio", "training.layer_decay"), ("text", "training.gradient_checkpointing")]
)
def test_settings_that_were_cut_are_not_filled_up(modality_runs: Path, tmp_path: Path, kind: str, last: str) -> None:
    run = shutil.copytree(modality_runs / kind, tmp_path / "run")
    lines = (run / "settings.yaml").read_text().splitlines(keepends=True)
    for size in range(len(lines) // 2, len(lines)):
        (run / "settings.yaml").write_text("".join(lines[:size]))
        with pytest.raises(DataError) as caught:
            emokit.load(run)
        if size == len(lines) - 1:
            assert str(caught.value) == (
                f"{run / 'settings.yaml'} has no {last}, with which it should end; make its folder again, or leave it out."
            )


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        ({"weights": {"audio": -0.5, "text": 1.5}}, "has result.weights.audio = -0.5"),
        ({"weights": {"audio": 0.5, "text": 0.25}}, "must have weights that sum to 1"),
        ({"temperature": -1.0}, "has result.temperature = -1.0"),
        ({"temperature": 1e-300}, "has result.temperature = 1e-300"),
    ],
)
def test_weights_and_temperatures_that_no_search_gives_are_refused(
    modality_runs: Path, tmp_path: Path, result: dict[str, object], fault: str
) -> None:
    run = shutil.copytree(modality_runs / "late-fusion", tmp_path / "fused")
    settings = yaml.safe_load((run / "settings.yaml").read_text())
    names = list(settings["branches"])
    if weights := result.get("weights"):
        assert isinstance(weights, dict)
        result = {"weights": dict(zip(names, weights.values(), strict=True))}
        fault = fault.replace("audio", names[0])
    settings["result"] |= result
    (run / "settings.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    with pytest.raises(DataError) as caught:
        emokit.load(run)
    assert str(caught.value).startswith(f"{run / 'settings.yaml'}")
    assert fault in str(caught.value)


@pytest.mark.parametrize("what", ["labels", "modalities", "weights"])
def test_a_fusion_whose_files_disagree_is_refused(modality_runs: Path, tmp_path: Path, what: str) -> None:
    run = shutil.copytree(modality_runs / "late-fusion", tmp_path / "fused")
    fusion = json.loads((run / "fusion.json").read_text())
    if what == "weights":
        chosen = next(method for method in fusion["fusion_methods"] if method["name"] == fusion["choice"])
        chosen["weights"] = [0.0, 1.0] if chosen["weights"] != [0.0, 1.0] else [1.0, 0.0]
    elif what == "labels":
        fusion["labels"] = fusion["labels"][::-1]
    else:
        first = fusion["modalities"][0]
        fusion["modalities"][0] = "other"
        fusion["confusion"]["other"] = fusion["confusion"][first]
    (run / "fusion.json").write_text(json.dumps(fusion))
    with pytest.raises(DataError) as caught:
        emokit.load(run)
    other = "metrics.json" if what == "labels" else "settings.yaml"
    assert str(caught.value) == (
        f"{run / 'fusion.json'} has other {what} than {other}; make the run again with `emokit fuse-search … --force`."
    )


def test_a_report_says_what_a_run_lacks(modality_runs: Path, tmp_path: Path) -> None:
    fused = shutil.copytree(modality_runs / "late-fusion", tmp_path / "fused")
    (fused / "fusion.json").unlink()
    text = shutil.copytree(modality_runs / "text", tmp_path / "text")
    metrics = json.loads((text / "metrics.json").read_text())
    (text / "metrics.json").write_text(json.dumps(metrics | {"splits": {}}))
    other = shutil.copytree(modality_runs / "text", tmp_path / "other")
    (other / "metrics.json").write_text(json.dumps(metrics | {"modality": "nope"}))
    again = "make the run again, or leave it out."
    for run, sentence in (
        (fused, f"{fused / 'fusion.json'} does not exist; make the folder that it belongs to again."),
        (text, f"{text / 'metrics.json'} has the scores of no split; {again}"),
        (other, f"{other / 'metrics.json'} has the modality nope and settings.yaml has text; {again}"),
    ):
        with pytest.raises(DataError) as caught:
            read_run(run, "run")
        assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("line", "flag", "kind"),
    [
        ("train audio functionals --epochs 3", "--epochs", "functionals"),
        ("train audio functionals --lr 0.1", "--lr", "functionals"),
        ("train audio functionals --batch-size 8", "--batch-size", "functionals"),
        ("train audio functionals --compile", "--compile", "functionals"),
        ("train audio functionals --precision bf16", "--precision", "functionals"),
        ("train text tfidf --epochs 3", "--epochs", "tfidf"),
        ("train text tfidf --compile --dry-run", "--compile", "tfidf"),
        ("train text --set model.kind=tiny --trust-remote-code", "--trust-remote-code", "tiny"),
    ],
)
def test_flags_that_the_kind_of_model_does_not_use_are_refused(
    small_prepared: Path, tmp_path: Path, line: str, flag: str, kind: str
) -> None:
    where = ["--data", str(small_prepared), "--run", str(tmp_path / "run")]
    result = CliRunner().invoke(app, [*line.split(), *where])
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {flag} was given, and model.kind {kind} does not use it; leave it out.\n",
    )
    assert not (tmp_path / "run").exists()


def test_a_setting_that_the_kind_of_model_does_not_use_is_noted(small_prepared: Path, tmp_path: Path) -> None:
    words = ["train", "audio", "functionals", "--set", "model.channels=[4]", "--seed", "3", "--dry-run"]
    result = CliRunner().invoke(app, [*words, "--data", str(small_prepared), "--run", str(tmp_path / "run")])
    assert (result.exit_code, result.stderr) == (
        0,
        "model.channels is set, and model.kind functionals does not use it\n",
    )


def test_labels_of_a_prepared_folder_that_are_no_label_set_are_damage(small_prepared: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_prepared, tmp_path / "prepared")
    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings | {"labels": ["angry", "angry"]}))
    with pytest.raises(DataError) as caught:
        open_prepared(folder)
    assert str(caught.value) == f"{folder / 'settings.yaml'} has no label set in `labels`; prepare the folder again."
