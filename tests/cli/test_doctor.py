"""`emokit doctor`, as a user types it."""

import json

from typer.testing import CliRunner

from emokit import runtime
from emokit.cli.app import app

runner = CliRunner()


def test_a_complete_installation_ends_with_exit_code_0():
    result = runner.invoke(app, ["doctor", "--json"])
    findings = {finding["check"]: finding for finding in json.loads(result.stdout)}
    assert result.exit_code == 0, result.output
    assert findings["chosen by --device auto"]["result"] in ("cpu", "mps", "cuda")
    assert "WAV" in findings["codecs"]["result"]


def test_a_broken_pair_is_named_with_what_to_install(monkeypatch):
    versions = {"torch": "2.15.0", "torchaudio": "2.11.0"}
    monkeypatch.setattr(runtime, "installed", versions.get)
    result = runner.invoke(app, ["doctor", "--json"])
    assert result.exit_code == 3
    pair = next(finding for finding in json.loads(result.stdout) if finding["check"] == "torch and torchaudio")
    assert (
        pair["result"]
        == "torch 2.15.0 and torchaudio 2.11.0 do not fit together; install torch==2.12.1 torchaudio==2.11.0."
    )
