"""`emokit push`, as a user types it; `tests/end_to_end/test_hub.py` has a hub."""

import json
from pathlib import Path

from typer.testing import CliRunner

from emokit.cli.app import app

runner = CliRunner()


def test_a_dry_run_lists_files_and_sizes(small_prepared: Path) -> None:
    result = runner.invoke(app, ["push", str(small_prepared), "ann/acted", "--dry-run"])
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [name for _, name in lines] == [
        "README.md", *(f"data/{split}-00000-of-00001.parquet" for split in ("train", "validation", "test")),
    ]  # fmt: skip
    total = sum(int(size) for size, _ in lines)
    assert result.stderr == f"4 files, {total} bytes, as a dataset to ann/acted; nothing was uploaded\n"
    shown = json.loads(runner.invoke(app, ["push", str(small_prepared), "ann/acted", "--dry-run", "--json"]).stdout)
    assert (shown["repository"], shown["type"], sum(shown["files"].values())) == ("ann/acted", "dataset", total)


def test_wrong_requests_are_one_sentence(small_prepared: Path) -> None:
    wrong = runner.invoke(app, ["push", str(small_prepared), "acted"])
    assert wrong.exit_code == 2
    assert wrong.stderr == (
        "error: acted is no name of a repository on the hub; expected USER/NAME with letters, digits, '_', '.' and '-', at "
        "most 96, without '--', '..' or '.git' at its end.\n"
    )
    missing = runner.invoke(app, ["push", "none", "ann/acted", "--dry-run"])
    assert missing.exit_code == 3
    assert missing.stderr == ("error: none does not exist; name a run folder, as `emokit train` makes it with --run.\n")
