import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.cli.sweep import _watch
from emokit.errors import WorkError
from emokit.files import resource

SPACE: dict[str, Any] = {
    "experiment": {"modality": "audio"},
    "space": {"training.lr": {"grid": [1e-4, 1e-3]}},
}


@pytest.fixture
def sweep(tmp_path: Path, small_prepared: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs `emokit sweep` on a space with some changes; returns its exit code, stdout and stderr."""

    def call(*arguments: str, **changes: Any) -> tuple[int, str, str]:
        path = tmp_path / "space.yaml"
        path.write_text(yaml.safe_dump({**SPACE, **changes}, sort_keys=False))
        result = CliRunner().invoke(app, ["sweep", str(path), "--data", str(small_prepared), *arguments])
        return result.exit_code, result.stdout, result.stderr

    return call


def test_a_dry_run_counts_the_trainings_and_writes_nothing(sweep: Any, tmp_path: Path) -> None:
    run = tmp_path / "sweep"
    code, output, _ = sweep("--run", str(run), "--dry-run", seeds=2)
    assert code == 0
    assert output.splitlines()[-1] == (
        f"# {run}: 2 points, 4 trainings of at most 60 epochs, then 10 to confirm the best"
    )
    code, output, _ = sweep("--run", str(run), "--dry-run", "--json")
    plan = json.loads(output)
    assert (plan["points"], plan["trainings"], plan["confirming"], plan["max_epochs"]) == (2, 2, 10, 60)
    assert not run.exists()


def test_the_studys_grid_has_sixteen_points() -> None:
    space = resource("experiments") / "audio" / "v3_sweep.yaml"
    result = CliRunner().invoke(app, ["sweep", str(space), "--dry-run"])
    assert result.stdout.splitlines()[-1] == (
        "# runs/v3_sweep: 16 points, 16 trainings of at most 24 epochs, then 15 to confirm the best"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give exactly one of: a space's YAML file, --resume RUN, --status RUN."),
        (["space.yaml", "--resume", "run"], "Give exactly one of: a space's YAML file, --resume RUN, --status RUN."),
        (
            ["none.yaml"],
            "none.yaml is not there; name a YAML file of a search space, or one that comes with emokit: "
            "demo_sweep, sweep, v3_sweep.",
        ),
        (["--resume", "run", "--dry-run"], "--dry-run was given without a space; name a space's YAML file."),
        (
            ["--resume", "run", "--force"],
            "--resume and --force were given; add --resume to resume the run, or --force to replace it.",
        ),
        (
            ["none.yaml", "--workers", "0"],
            "--workers 0 was given where 1 to 1024 was expected; name one of these numbers, or leave it out.",
        ),
    ],
)
def test_a_wrong_command_line_is_explained_in_a_sentence(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, ["sweep", *arguments])
    assert (result.exit_code, result.stderr) == (2, f"error: {sentence}\n")


@pytest.mark.parametrize("option", ["--resume", "--status"])
def test_a_folder_that_is_no_sweep_is_named(option: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["sweep", option, str(tmp_path)])
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {tmp_path} has no storage.json, so it is no sweep; name a folder that `emokit sweep` made.\n",
    )


def test_a_space_that_is_refused_leaves_no_folder_behind(sweep: Any, tmp_path: Path) -> None:
    run = tmp_path / "sweep"
    code, _, errors = sweep("--run", str(run), space={"training.learning": {"grid": [1]}})
    assert code == 2
    assert errors.startswith(f"error: {tmp_path / 'space.yaml'} varies the unknown field training.learning; ")
    code, _, errors = sweep("--run", str(run), "--storage", "postgresql://ann@127.0.0.1:1/sweeps")
    assert code == 2
    assert errors.startswith("error: --storage postgresql+psycopg://ann@127.0.0.1:1/sweeps cannot be reached (")
    assert not run.exists()


def test_missing_data_are_named(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(SPACE))
    arguments = [str(tmp_path / "space.yaml"), "--data", str(tmp_path / "none"), "--run", str(tmp_path / "sweep")]
    result = CliRunner().invoke(app, ["sweep", *arguments])
    assert (result.exit_code, result.stderr) == (
        3,
        f"error: {tmp_path / 'none'} is not there; make it with `emokit prepare … --out {tmp_path / 'none'}`.\n",
    )


def test_a_modality_that_does_not_exist_is_refused_with_those_that_do(sweep: Any) -> None:
    code, _, errors = sweep("--dry-run", experiment={"modality": "smell"})
    assert code == 2
    assert " has experiment.modality = 'smell', but it should be one of audio, text" in errors


def test_a_sweep_of_an_emokit_with_older_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "storage.json").write_text('{"url": null}')
    (tmp_path / "settings.yaml").write_text("kind: sweep\nexperiment: {kind: audio}\n")
    result = CliRunner().invoke(app, ["sweep", "--status", str(tmp_path)])
    assert (result.exit_code, result.stderr) == (
        3,
        f"error: {tmp_path} was made by an emokit before names changed; sweep again into another folder.\n",
    )


def test_a_sweep_whose_points_all_failed_names_the_first_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failed = {"state": "failed", "reason": "the data are damaged."}
    summary = {"trials": [failed, failed], "confirmations": [], "confirmed": (), "best": None, "is_complete": True}
    monkeypatch.setattr("emokit.sweep.run.watch", lambda *_: iter_of(summary))
    monkeypatch.setattr("emokit.cli.sweep_tables.PointLog.new_lines", lambda *_: [])
    with pytest.raises(WorkError) as caught:
        _watch(
            SimpleNamespace(run=tmp_path),
            SimpleNamespace(resume_command="emokit sweep --resume s", data="d"),
            1,
            0,
            True,
        )
    assert str(caught.value) == (
        "No point completed its training and 2 failed, the first: the data are damaged; "
        "fix that and resume with `emokit sweep --resume s`."
    )


def iter_of(summary: Any) -> Any:
    yield summary


@pytest.mark.parametrize(
    ("modality", "values", "data", "code", "words"),
    [
        (
            "audio",
            {},
            "text_prepared",
            3,
            "{} has no train utterances with audio of any corpus; prepare a corpus that has one, ",
        ),
        (
            "audio",
            {"data.corpora": ["ravdess"]},
            "small_prepared",
            2,
            "data.corpora names ravdess and {} has audio of ",
        ),
        (
            "audio",
            {"training.batch_size": 5000},
            "small_prepared",
            2,
            "training.batch_size is 5000 and the train split ",
        ),
        ("text", {"model.kind": "tfidf"}, "small_prepared", 2, "{} has text of emodb, where a corpus that does not "),
    ],
)
def test_data_that_no_point_can_use_are_refused_as_training_refuses_them(
    modality: str,
    values: dict[str, Any],
    data: str,
    code: int,
    words: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    prepared, run = request.getfixturevalue(data), tmp_path / "run"
    named = [word for key, value in values.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    trained = CliRunner().invoke(app, ["train", modality, *named, "--data", str(prepared), "--run", str(run)])
    assert trained.exit_code == code
    assert f"error: {words.format(prepared)}" in trained.stderr
    space = tmp_path / "space.yaml"
    space.write_text(yaml.safe_dump({**SPACE, "experiment": {"modality": modality, "settings": values}}))
    for mode in ([], ["--dry-run"]):
        words_of_sweep = ["sweep", str(space), "--data", str(prepared), "--run", str(run), *mode]
        refused = CliRunner().invoke(app, words_of_sweep)
        assert (refused.exit_code, refused.stderr) == (code, trained.stderr)
    assert not run.exists()


def test_data_that_some_points_can_use_are_not_refused(sweep: Any) -> None:
    code, _, errors = sweep("--dry-run", space={"training.batch_size": {"grid": [5000, 8]}})
    assert (code, errors) == (0, "")
