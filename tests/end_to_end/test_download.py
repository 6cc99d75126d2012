"""`emokit prepare --download`: from a server on this machine to a prepared folder, in one command."""

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
    """A YAML file for --datasets that names the local server for EmoDB."""
    write_corpus("emodb", tmp_path / "emodb", size=0.2)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted((tmp_path / "emodb").rglob("*.wav")):
            archive.write(path, path.relative_to(tmp_path / "emodb"))
    served.files["emodb.zip"] = content.getvalue()
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    entry = {"url": f"{served.url}/emodb.zip", "file": "emodb.zip", "checksum": f"sha256:{sha256}"}
    path = tmp_path / "my.yaml"
    path.write_text(json.dumps({"emodb": {"download": [entry]}}))
    return path


def test_a_corpus_is_downloaded_over_a_broken_connection_and_prepared(
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
    assert again.stderr.splitlines()[0] == f"nothing has changed since {tmp_path / 'out'} was prepared"
    assert len(served.asked) == 2


def test_a_dry_run_shows_the_address_and_downloads_nothing(tmp_path: Path, served: Any, datasets: Path) -> None:
    result = run("emodb", "--download", tmp_path / "corpora", "--datasets", datasets, "--dry-run")
    assert served.asked == []
    assert not (tmp_path / "corpora").exists()
    assert result.stderr.splitlines()[0] == f"would download {served.url}/emodb.zip"


def test_a_corpus_that_must_be_requested_is_refused_before_anything_is_downloaded(
    tmp_path: Path, served: Any, datasets: Path
) -> None:
    result = run("emodb", "savee", "--download", tmp_path / "corpora", "--datasets", datasets)
    assert (result.exit_code, result.stdout, served.asked) == (2, "", [])
    assert result.stderr == (
        "error: savee cannot be downloaded without a request: get it at http://kahlan.eps.surrey.ac.uk/savee, "
        "lay it out like ALL/DC_a01.wav or AudioData/DC/a01.wav, and give its folder as --root savee=DIR.\n"
    )
    assert not (tmp_path / "corpora").exists()


def test_a_file_with_another_checksum_exits_with_3(tmp_path: Path, served: Any, datasets: Path) -> None:
    served.files["emodb.zip"] = b"another"
    result = run("emodb", "--download", tmp_path / "corpora", "--datasets", datasets, "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "does not have the checksum sha256:" in result.stderr
    assert not (tmp_path / "out").exists()
