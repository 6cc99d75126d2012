"""`emokit prepare --download`: from a server of this machine to a prepared folder, in one command."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.data.synthesis.corpora import write_corpus

pytestmark = pytest.mark.end_to_end


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["prepare", *map(str, arguments), "--workers", "1"])


@pytest.fixture
def datasets(tmp_path: Path, served: Any) -> Path:
    """A user's file that names the server of this machine for EmoDB."""
    write_corpus("emodb", tmp_path / "made", size=0.2)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted((tmp_path / "made").rglob("*.wav")):
            archive.write(path, path.relative_to(tmp_path / "made"))
    served.files["emodb.zip"] = content.getvalue()
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    entry = {"url": f"{served.url}/emodb.zip", "file": "emodb.zip", "checksum": f"sha256:{sha256}"}
    path = tmp_path / "my.yaml"
    path.write_text(json.dumps({"emodb": {"download": [entry]}}))
    return path


def test_a_corpus_is_fetched_over_a_connection_that_breaks_and_prepared(
    tmp_path: Path, served: Any, datasets: Path
) -> None:
    served.cut_at, served.cuts = len(served.files["emodb.zip"]) // 2, 1
    arguments = ("emodb", "--download", tmp_path / "corpora", "--datasets", datasets, "--out", tmp_path / "out")
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert len(served.asked) == 2
    assert served.asked[1][1].startswith("bytes=")
    assert "emodb.zip (MB): " in result.stderr
    assert "emodb.zip has the published checksum sha256:" in result.stderr
    assert len(open_prepared(tmp_path / "out").table) > 20
    again = run(*arguments)
    assert again.exit_code == 0
    assert again.stderr.splitlines()[0] == f"nothing has changed since {tmp_path / 'out'} was made"
    assert len(served.asked) == 2


def test_a_dry_run_fetches_nothing_and_says_what_it_would(tmp_path: Path, served: Any, datasets: Path) -> None:
    result = run("emodb", "--download", tmp_path / "corpora", "--datasets", datasets, "--dry-run")
    assert served.asked == []
    assert not (tmp_path / "corpora").exists()
    assert result.stderr.splitlines()[0] == f"would fetch {served.url}/emodb.zip"


def test_a_corpus_that_is_given_on_request_is_one_sentence_before_anything_is_fetched(
    tmp_path: Path, served: Any, datasets: Path
) -> None:
    result = run("emodb", "savee", "--download", tmp_path / "corpora", "--datasets", datasets)
    assert (result.exit_code, result.stdout, served.asked) == (2, "", [])
    assert result.stderr == (
        "error: savee cannot be downloaded without a request: get it at http://kahlan.eps.surrey.ac.uk/savee, "
        "lay it out like ALL/DC_a01.wav or AudioData/DC/a01.wav, and give its folder as --root savee=DIR.\n"
    )
    assert not (tmp_path / "corpora").exists()


def test_another_file_than_expected_is_exit_3(tmp_path: Path, served: Any, datasets: Path) -> None:
    served.files["emodb.zip"] = b"another"
    result = run("emodb", "--download", tmp_path / "corpora", "--datasets", datasets, "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "does not have the checksum sha256:" in result.stderr
    assert not (tmp_path / "out").exists()
