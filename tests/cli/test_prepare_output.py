"""What `emokit prepare` prints of its ledger, and which command it proposes next."""

import json

from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.cli.prepare_output import show


def test_the_ledger_is_printed_with_the_folder(small_prepared, capsys):
    show(small_prepared, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["folder"] == str(small_prepared)
    assert list(shown["corpora"]) == ["emodb"]


def test_a_dry_run_without_a_recogniser_counts_no_transcripts(small_prepared):
    root = f"emodb={small_prepared.parent / 'emodb'}"
    result = CliRunner().invoke(app, ["prepare", "emodb", "--root", root, "--dry-run", "--json"])
    assert result.exit_code == 0, result.output
    assert set(json.loads(result.stdout)["emodb"]) == {"found", "dropped", "labels"}
