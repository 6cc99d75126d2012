"""`emokit export`, as a user types it."""

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app

runner = CliRunner()


@pytest.fixture
def run(tmp_path):
    """What a complete fused run looks like from outside."""
    (tmp_path / "settings.yaml").write_text("modality: late-fusion\n")
    (tmp_path / "metrics.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--format", "onxx"], "--format onxx is unknown; choose onnx."),
        (["--format", "safetensors"], "{run}/model holds the model as safetensors already; use it as it is."),
        ([], "{run} is a run of the kind fusion; only runs of sound and of text are exported."),
    ],
)
def test_a_slip_costs_one_sentence(run, more, sentence):
    result = runner.invoke(app, ["export", str(run), *more])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {sentence.format(run=run)}"


def test_a_run_that_did_not_end_is_named(run):
    (run / "metrics.json").unlink()
    result = runner.invoke(app, ["export", str(run)])
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        f"error: {run} has no metrics.json, so its training did not end; go on with it by adding --resume."
    )
