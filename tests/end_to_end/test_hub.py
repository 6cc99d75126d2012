"""`emokit push` and `emokit prepare hf:NAME` against a stand-in for the Hugging Face hub on this computer."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest
from huggingface_hub import ModelCard

from emokit import predictions
from emokit.data.prepared import open_prepared
from tests.end_to_end.hub.server import TOKEN, Hub, Repository, serving

pytestmark = pytest.mark.end_to_end
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as hub:
        yield hub


@pytest.fixture
def emokit(hub: Hub, tmp_path: Path) -> Command:
    """Runs emokit with the stand-in as its hub, in a home folder of its own."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **os.environ,
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": TOKEN,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }

    def run(*words: object, code: int = 0, before: str = "", **more: str | None) -> subprocess.CompletedProcess[str]:
        program = f"import sys; {before}\nfrom emokit.cli.app import main; main()"
        changed = {name: value for name, value in (environment | more).items() if value is not None}
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, words)],
            env=changed, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def trained(small_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on synthesised recordings, in a folder whose name must not be published."""
    from typer.testing import CliRunner

    from emokit.cli.app import app

    run = tmp_path_factory.mktemp("ann-private") / "runs" / "tiny"
    # The features that the folder has: it is not to be written into.
    prepared = open_prepared(small_prepared).feature_settings.items()
    features = [word for key, value in prepared for word in ("--set", f"features.{key}={json.dumps(value)}")]
    words = ["train", "audio", "functionals", "--data", str(small_prepared), "--run", str(run), *features]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return run


def test_a_run_arrives_whole_and_without_paths_of_this_computer(hub: Hub, emokit: Command, trained: Path) -> None:
    shown = emokit("push", trained, "ann/tiny", "--private", "--dry-run").stdout
    assert hub.asked == []
    pushed = emokit("push", trained, "ann/tiny", "--private")
    assert pushed.stdout == f"{hub.url}/ann/tiny\n"
    assert pushed.stderr == ""
    repository = hub.repositories["models/ann/tiny"]
    assert repository.private
    files = [path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()]
    left_at_home = {"environment.json", "ledger.json"}
    assert left_at_home < set(files)
    assert set(repository.files) == {f for f in files if f not in left_at_home and not f.startswith(".")}
    listed = {line.split()[1]: int(line.split()[0]) for line in shown.splitlines()}
    assert listed == {name: len(content) for name, content in repository.files.items()}
    for name, content in repository.files.items():
        download = b"    hf download ann/tiny --local-dir RUN\n" if name == "README.md" else b""
        assert content.replace(download, b"") == (trained / name).read_bytes(), name
        assert download in content
        assert b"ann-private" not in content, name
        assert TOKEN.encode() not in content, name
    assert hub.tokens == {TOKEN} or hub.tokens == {TOKEN, None}
    card = ModelCard(repository.files["README.md"].decode())
    assert card.data.pipeline_tag == "audio-classification"
    assert [result.dataset_split for result in card.data.eval_results] == ["test"] * 4


def test_a_downloaded_run_predicts_as_the_run_does(
    hub: Hub, emokit: Command, trained: Path, small_prepared: Path, tmp_path: Path
) -> None:
    emokit("push", trained, "ann/tiny")
    for name, content in hub.repositories["models/ann/tiny"].files.items():
        (tmp_path / "downloaded" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "downloaded" / name).write_bytes(content)
    for run, out in ((trained, "a.parquet"), (tmp_path / "downloaded", "b.parquet")):
        emokit("predict", run, "--data", small_prepared, "--split", "test", "--out", tmp_path / out)
    first, second = (predictions.read(tmp_path / name).table for name in ("a.parquet", "b.parquet"))
    assert first.equals(second)


def test_a_second_push_removes_what_the_first_left(hub: Hub, emokit: Command, trained: Path) -> None:
    emokit("push", trained, "ann/tiny")
    repository = hub.repositories["models/ann/tiny"]
    repository.files |= {"model/old.safetensors": b"old", "notes.md": b"mine"}
    emokit("push", trained, "ann/tiny")
    assert "model/old.safetensors" not in repository.files
    assert repository.files["notes.md"] == b"mine"
    refused = emokit("push", trained, "ann/tiny", "--private", code=2)
    assert refused.stderr == (
        "error: ann/tiny exists on the hub and is public, and --private only makes new repositories private; "
        "name another, or change it in its settings.\n"
    )


@pytest.mark.parametrize("streamed", [False, True])
def test_a_pushed_data_set_is_prepared_again_to_the_bit(
    hub: Hub, emokit: Command, small_prepared: Path, tmp_path: Path, streamed: bool
) -> None:
    emokit("push", small_prepared, "ann/acted")
    files = hub.repositories["datasets/ann/acted"].files
    assert [re.sub(r"-\d+-of-\d+", "", name) for name in files] == [
        "README.md", "data/train.parquet", "data/validation.parquet", "data/test.parquet",
    ]  # fmt: skip
    limit = "import emokit.data.sources.own.hub_open as h; h.STREAMED_BYTES = 0" if streamed else ""
    features = [
        f"--set=features.{key}={value}"
        for key, value in open_prepared(small_prepared).feature_settings.items()
        if value is not None
    ]
    words = ["prepare", "again=hf:ann/acted", "--out", tmp_path / "again", "--workers", 1, *features]
    labels = ",".join(open_prepared(small_prepared).labels)
    emokit(*words, "--labels", labels, before=limit)
    first, second = open_prepared(small_prepared), open_prepared(tmp_path / "again")
    assert first.labels == second.labels
    same = ["speaker", "gender", "language", "text", "label", "split", "sentence", "duration_seconds", "sample_rate"]
    for name in same:
        assert first.table[name].equals(second.table[name]), name
    recordings = [list(prepared.recordings.hashes.values()) for prepared in (first, second)]
    assert sorted(recordings[0]) == sorted(recordings[1])
    stores = [prepared.store(next((prepared.folder / "features").iterdir()).name) for prepared in (first, second)]
    for one, two in zip(first.table["utterance_id"], second.table["utterance_id"], strict=True):
        assert one.partition("/")[2] == two.partition("/")[2]
        assert numpy.array_equal(stores[0][one], stores[1][two])
    assert second.ledger["corpora"]["again"]["licence"] == "cc-by-4.0"
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "home").rglob("*.wav")}
    assert len(written) == len(second.table)
    assert "nothing has changed" in emokit(*words, "--labels", labels, before=limit).stderr
    emokit(*words, "--labels", labels, "--force", before=limit)
    assert {path: path.stat().st_mtime_ns for path in written} == written  # what is there is not written again


def test_paths_in_a_table_of_the_hub_are_files_of_its_repository(
    hub: Hub, emokit: Command, small_prepared: Path, tmp_path: Path
) -> None:
    prepared = open_prepared(small_prepared)
    contents = [(Path(prepared.roots["emodb"]) / path).read_bytes() for path in prepared.table["path"][:6]]
    files = {f"wav/{number}.wav": content for number, content in enumerate(contents)}
    rows = [f"wav/{number}.wav,{('joy', 'anger')[number % 2]},0{number}" for number in range(len(files))]
    table = "\n".join(["path,label,speaker", *rows, "wav/none.wav,joy,07", "../secret.wav,joy,08"])
    card = "---\nconfigs:\n- config_name: default\n  data_files: labels/*.csv\n---\n"
    hub.repositories["datasets/ann/table"] = Repository(
        files={"README.md": card.encode(), "labels/train.csv": table.encode(), **files}
    )
    emokit("prepare", "hf:ann/table", "--out", tmp_path / "again")
    again = open_prepared(tmp_path / "again")
    assert sorted(again.table["speaker"]) == [f"0{number}" for number in range(6)]
    assert again.ledger["corpora"]["table"]["dropped"] == {
        "no file at its path": ["train, index 6"],
        "path outside the root": ["train, index 7"],
    }
    roots = [(Path(again.roots["table"]) / path).read_bytes() for path in again.table["path"]]
    assert sorted(roots) == sorted(contents)


@pytest.mark.parametrize(
    ("end", "status", "code", "sentence"),
    [
        (
            "repos/create", 401, 2,
            "{hub} does not accept the token (401); log in again with `hf auth login`, or set HF_TOKEN to a valid one.",
        ),
        (
            "repos/create", 403, 2,
            "The token may not write to ann/tiny (403); use one with write access, or name a repository of your own.",
        ),
        ("commit/main", 409, 4, "ann/tiny was changed while it was uploaded to (409); run the command again."),
        ("commit/main", 412, 4, "ann/tiny was changed while it was uploaded to (412); run the command again."),
    ],
)  # fmt: skip
def test_a_refusal_of_the_hub_is_one_sentence(
    hub: Hub, emokit: Command, trained: Path, end: str, status: int, code: int, sentence: str
) -> None:
    hub.refuses[end] = status
    refused = emokit("push", trained, "ann/tiny", code=code)
    assert refused.stderr == f"error: {sentence.format(hub=hub.url)}\n"
    assert all(not repository.files for repository in hub.repositories.values())


def test_what_is_not_on_the_hub_is_named(hub: Hub, emokit: Command, small_prepared: Path) -> None:
    missing = emokit("prepare", "hf:ann/none", code=3)
    assert missing.stderr == (
        "error: hf:ann/none is no folder here, and the hub has no data set of this name that you may read; correct the name, "
        "or ask for access on its page and log in with `hf auth login`.\n"
    )
    emokit("push", small_prepared, "ann/acted")
    revision = emokit("prepare", "hf:ann/acted@v2", code=3)
    assert revision.stderr == "error: hf:ann/acted has no revision v2; name a branch, a tag or a commit of it.\n"
    away = emokit("prepare", "hf:ann/acted", code=3, HF_ENDPOINT="http://127.0.0.1:9")
    assert away.stderr == (
        "error: hf:ann/acted is no folder here, and the hub cannot be reached; fetch it where there is a network with "
        "`hf download ann/acted --repo-type dataset --local-dir DIR`, and prepare hf:DIR.\n"
    )


def test_prepare_uploads_what_it_made(hub: Hub, emokit: Command, tmp_path: Path) -> None:
    rows = "".join(f"Text {number},{('joy', 'anger')[number % 2]}\n" for number in range(20))
    (tmp_path / "notes.csv").write_text("text,label\n" + rows)
    words = ("prepare", f"notes={tmp_path / 'notes.csv'}", "--out", tmp_path / "prepared", "--push")
    refused = emokit(*words, "notes", code=2)
    assert refused.stderr.startswith("error: notes is no name of a repository on the hub")
    assert not (tmp_path / "prepared").exists()
    assert f"uploaded to {hub.url}/datasets/ann/notes" in emokit(*words, "ann/notes").stderr
    assert "README.md" in hub.repositories["datasets/ann/notes"].files
