"""`--dry-run` refuses what the work itself refuses, in the same words, and writes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.errors import UsageError
from emokit.modality.protocol import Modality
from emokit.modality.registry import MODALITIES, modality
from emokit.settings import Settings
from emokit.sweep.settings import SweepSettings

pytestmark = pytest.mark.end_to_end

SPACE = "name: s\nexperiment: {modality: text, settings: {model: {kind: tfidf}}}\nspace:\n  training.lr: {grid: [0.1, 0.2]}\n"
URL = "postgresql://USER:***@HOST/DATABASE"
CHANGED = "emokit/experiments/text/tfidf.yaml (with what the command line changes)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text_prepared: Path, modality_runs: Path) -> Path:
    (tmp_path / "prepared").symlink_to(text_prepared)
    for name in ("audio", "text", "late-fusion"):
        (tmp_path / name).symlink_to(modality_runs / name)
    (tmp_path / "space.yaml").write_text(SPACE)
    (tmp_path / "many.yaml").write_text(SPACE + "seeds: 99999999999\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("train text tfidf --precision int4", "--precision int4 is unknown; choose one of auto, float32, bf16, fp16."),
        ("sweep space.yaml --precision int4", "--precision int4 is unknown; choose one of auto, float32, bf16, fp16."),
        (
            "train text tfidf --set model.kind=tiny --device cpu --precision fp16",
            "--precision fp16 was asked for and needs CUDA, but the device is cpu; use --precision auto.",
        ),
        (
            "sweep space.yaml --device cpu --precision fp16",
            "--precision fp16 was asked for and needs CUDA, but the device is cpu; use --precision auto.",
        ),
        (
            "train text tfidf --run full",
            "full exists and is not empty; name another folder, or add --force to replace it.",
        ),
        (
            "sweep space.yaml --run full",
            "full exists and is not empty; name another folder, or add --force to replace it.",
        ),
        (
            "train text tfidf --run full --force",
            "full has no settings.yaml, so emokit did not make it; --force will not replace it.",
        ),
        (
            "sweep space.yaml --storage sqlite:///a.db",
            f"--storage names sqlite, which several workers cannot share; write {URL} or mysql://…, or leave it out for a "
            "journal file.",
        ),
        (
            "sweep space.yaml --storage nonsense",
            f"--storage nonsense is no URL of a database; write {URL}, or leave it out for a journal file.",
        ),
        (
            "sweep many.yaml",
            "many.yaml has seeds = 99999999999, but it should be less than or equal to 1000.",
        ),
        (
            "train text tfidf --set training.lr=1 --set training.lr=0.5",
            "--set training.lr=1 and --set training.lr=0.5 were given, and one of them would be lost; leave one out.",
        ),
        (
            "fuse-search a=late-fusion b=text",
            "late-fusion is a fused run, and fused runs cannot be nested; name its branches and the others instead.",
        ),
        (
            "fuse-search a=audio b=text --set name=../x",
            "The command line has name = '../x', but it should have only the letters a to z, digits, '_', '.' and '-', and "
            "begin with a letter or digit.",
        ),
        ("fuse-search a=audio b=text --run audio", "audio exists; add --force to replace it, or name another --run."),
        (
            "fuse-search a=audio b=text --run audio --force",
            "audio is an input of the command, which --force would delete; name another --run.",
        ),
    ],
)
@pytest.mark.parametrize("flags", ["--dry-run", ""])
def test_a_plan_is_refused_as_the_work_is(folder: Path, line: str, sentence: str, flags: str) -> None:
    result = CliRunner().invoke(app, f"{line} {flags}".split())
    assert (result.exit_code, result.stderr) == (2, f"error: {sentence}\n")
    assert not (folder / "runs").exists()


def test_an_unknown_division_into_folds_is_refused_by_a_plan(folder: Path) -> None:
    words = ["train", "text", "tfidf", "--folds", "leave-one-out", "--run", "new"]
    plan, work = (CliRunner().invoke(app, [*words, *flags]) for flags in (["--dry-run"], []))
    assert plan.exit_code == work.exit_code == 2
    assert plan.stderr == work.stderr.splitlines(keepends=True)[-1]
    assert plan.stderr.startswith("error: --folds leave-one-out is ")


SETTINGS = [modality(name).settings() for name in MODALITIES if type(modality(name)).settings is not Modality.settings]


@pytest.mark.parametrize("settings", [*SETTINGS, SweepSettings])
def test_every_integer_has_an_upper_bound(settings: type[Settings]) -> None:
    """Also where an integer is inside of a list or beside null: a size that cannot be meant is refused, not tried."""

    def unbounded(schema: object, where: str) -> Iterator[str]:
        if isinstance(schema, list):
            for entry in schema:
                yield from unbounded(entry, where)
        elif isinstance(schema, dict):
            if schema.get("type") == "integer" and not {"maximum", "exclusiveMaximum"} & schema.keys():
                yield where
            for key, value in schema.items():
                if key != "default":
                    yield from unbounded(value, f"{where}.{key}")

    fields = unbounded(settings.model_json_schema(), settings.__name__)
    # The bounds of a sweep's dimension are those of the field that it varies.
    assert [where for where in fields if ".Dimension." not in where] == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("training.max_epochs=3", "training.max_epochs=4"),
        ("training.max_epochs=3", "training={}"),
        ("training={}", "training.max_epochs=3"),
    ],
)
@pytest.mark.parametrize("settings", SETTINGS[:2])
def test_an_override_that_another_one_would_undo_is_refused(settings: type[Settings], first: str, second: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings.read(None, [first, second])
    assert str(caught.value) == (
        f"--set {first} and --set {second} were given, and one of them would be lost; leave one out."
    )
    assert settings.read(None, [first, first]) == settings.read(None, [first])
