"""Experiments that come with emokit are found from any folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emokit.api.experiments import complete_experiment, complete_sweep, find_experiment, find_sweep
from emokit.cli.app import app
from emokit.errors import UsageError
from emokit.files import resource

EXPERIMENTS = resource("experiments")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("named", ["acrnn", "acrnn.yaml", "experiments/audio/acrnn.yaml"])
def test_an_experiment_is_found_by_name_and_by_path(named: str) -> None:
    assert find_experiment(Path(named), "audio") == EXPERIMENTS / "audio" / "acrnn.yaml"


@pytest.mark.parametrize("named", ["v3_sweep", "v3_sweep.yaml", "experiments/audio/v3_sweep.yaml"])
def test_a_sweep_is_found_by_name_and_by_path(named: str) -> None:
    assert find_sweep(Path(named)) == EXPERIMENTS / "audio" / "v3_sweep.yaml"
    result = CliRunner().invoke(app, ["sweep", named, "--dry-run"])
    assert "16 points, 16 trainings of at most 24 epochs, then 15 to confirm the best" in result.stdout


def test_a_file_of_the_user_goes_first() -> None:
    Path("acrnn").write_text("name: mine\n")
    assert find_experiment(Path("acrnn"), "audio") == Path("acrnn")
    Path("v3_sweep").mkdir()  # a run folder may have the name of what it was made of
    assert find_sweep(Path("v3_sweep")).name == "v3_sweep.yaml"
    assert find_experiment(None, "audio") is None


@pytest.mark.parametrize("named", ["none", "experiments/audio/none.yaml", "audio/acrnn.yaml", "elsewhere/acrnn.yaml"])
def test_what_is_not_there_is_named_beside_what_is(named: str) -> None:
    known = sorted(path.stem for path in (EXPERIMENTS / "audio").glob("*.yaml") if path.stem != "v3_sweep")
    with pytest.raises(UsageError) as caught:
        find_experiment(Path(named), "audio")
    assert str(caught.value) == (
        f"{named} is not there; name a YAML file of settings, or one that comes with emokit: {', '.join(known)}."
    )
    with pytest.raises(UsageError) as caught:
        find_sweep(Path(named))
    assert str(caught.value) == (
        f"{named} is not there; name a YAML file of a search space, or one that comes with emokit: "
        "demo_sweep, sweep, v3_sweep."
    )


def test_names_are_completed() -> None:
    class Context:
        info_name = "audio"

    assert complete_experiment(Context(), "acr") == ["acrnn"]
    assert complete_sweep("") == ["v3_sweep", "demo_sweep", "sweep"]


@pytest.mark.parametrize(("words", "names"), [("train audio acr", "acrnn"), ("sweep v3", "v3_sweep")])
def test_a_shell_completes_names(words: str, names: str) -> None:
    program = "import sys; from emokit.cli.app import app; sys.argv = ['emokit']; app(prog_name='emokit')"
    asked = {
        "_EMOKIT_COMPLETE": "complete_bash",
        "COMP_WORDS": f"emokit {words}",
        "COMP_CWORD": str(len(words.split())),
    }

    shown = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout.split() == [names], shown.stderr
