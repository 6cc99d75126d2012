"""How a run was made, in sentences and in commands."""

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from emokit.files import read_json, write_json
from emokit.report.page import provenance
from emokit.report.read_runs import gather


def test_settings_are_compared_among_runs_of_one_modality(make_run: Callable[..., Path]) -> None:
    runs, _ = gather([make_run("a", seed=1), make_run("b", seed=2, skill=0.2), make_run("c", seed=3, modality="text")])
    differing = {run.name: provenance.differing_settings(runs)[run.slug] for run in runs}
    assert differing["a"] == [
        ("training.learning_rate", "0.0005", "0.001"),
        ("training.mixup_alpha", "0.2", "0.0"),
    ]
    assert differing["c"] == []


def test_the_commands_reproduce_the_run(make_run: Callable[..., Path]) -> None:
    folder = make_run("with space")
    runs, _ = gather([folder])
    assert provenance.commands(runs[0]) == [
        "emokit train audio experiments/audio/emodb_quick.yaml --data prepared --run 'runs/a b'",
        "# or from its resolved settings:",
        f"emokit train audio '{folder}/settings.yaml' --data {Path('prepared').resolve()} --run '{folder}-again'",
    ]


def test_the_secrets_in_the_command_of_an_older_run_are_masked(make_run: Callable[..., Path]) -> None:
    folder = make_run("one", modality="smell")
    environment = read_json(folder / "environment.json")
    write_json(folder / "environment.json", {**environment, "command": ["emokit", "https://s3cr3t@host/a?sig=s3cr3t"]})
    runs, _ = gather([folder])
    assert provenance.commands(runs[0]) == ["emokit 'https://***@host/a?sig=***'"]


def test_the_outline_names_model_duration_and_folder(make_run: Callable[..., Path]) -> None:
    runs, _ = gather([make_run("a")])
    best = runs[0].metrics.best_epoch
    assert provenance.outline(runs[0]) == (
        f"acrnn · audio · 1,234,567 parameters · best epoch {best} of 24 · 24 epochs in 29 s (1.2 s each) on cpu · "
        f"{runs[0].folder}"
    )
    assert provenance.circumstances(runs[0]) == [
        "seed 1 · device cpu · Linux-6.1-x86_64 · started 2025-01-31T12:00:00+00:00 · emokit 0.1.0 · "
        "revision 0123456789ab+ · Python 3.11.7",
        "torch 2.12.1 · transformers 5.1.0 · librosa not installed",
    ]


def test_the_commands_of_a_cross_validated_run_name_its_folds(make_run: Callable[..., Path]) -> None:
    folder = make_run("folds")
    environment = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(environment | {"folds": "leave-one-speaker-out"}))
    runs, _ = gather([folder])
    assert provenance.commands(runs[0])[-1] == (
        f"emokit train audio {folder}/settings.yaml --data {Path('prepared').resolve()} --run {folder}-again "
        "--folds leave-one-speaker-out"
    )


def test_the_commands_of_a_fused_run_name_the_runs_that_it_fused(make_run: Callable[..., Path]) -> None:
    folder = make_run("fused", modality="late-fusion")
    settings = {"branches": {"voice": ["../voice"], "face": ["../a.parquet", "../b.parquet"]}}
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    runs, _ = gather([folder])
    parent = folder.parent
    assert provenance.commands(runs[0])[-1] == (
        f"emokit fuse-search voice={parent}/voice face={parent}/a.parquet face={parent}/b.parquet "
        f"--settings {folder}/settings.yaml --run {folder}-again"
    )


def test_only_the_original_command_of_an_unknown_modality_is_known(make_run: Callable[..., Path]) -> None:
    runs, _ = gather([make_run("smell", modality="smell")])
    assert provenance.commands(runs[0]) == [
        "emokit train smell experiments/audio/emodb_quick.yaml --data prepared --run 'runs/a b'"
    ]


def test_published_results_are_read_and_none_without_a_score(make_run: Callable[..., Path]) -> None:
    folder = make_run()
    given = {"accuracy": 0.8806, "weighted_f1": None, "note": "a single run"}
    (folder / "settings.yaml").write_text(yaml.safe_dump({"published": given}))
    runs, _ = gather([folder])
    assert provenance.published(runs[0]) == {"accuracy": 0.8806, "note": "a single run"}
    (folder / "settings.yaml").write_text(yaml.safe_dump({"published": {"accuracy": None, "note": "unknown"}}))
    assert provenance.published(gather([folder])[0][0]) == {}
