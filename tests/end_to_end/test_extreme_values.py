"""Values that JSON can hold and no run has: a report shows them, or refuses the run in a sentence."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.files import write_json
from tests.report.conftest import fused, write_run  # noqa: F401 - `fused` is a fixture
from tests.report.test_read_sweeps import studied

pytestmark = pytest.mark.end_to_end
VALUES: dict[str, list[tuple[str, Any]]] = {
    "metrics.json": [
        ("splits.test.confusion.0.0", -5),
        ("splits.test.confusion.0.0", 10**30),
        ("splits.test.uar", 1e308),
        ("splits.test.interval.uar", [-1e308, 1e308]),
        ("splits.test.per_class.happy.recall", 1e308),
        ("splits.test.per_class.happy.support", -1),
        ("splits.test.baselines.majority.uar", -1e308),
        ("splits.test.nll", 1e308),
        ("splits.test.n", 10**400),
        ("labels.0", "sad"),
    ],
    "log.jsonl": [
        ("epoch", 10**30),
        ("dev_loss", 1e308),
        ("train_loss", -1e308),
        ("dev_uar", 1e308),
    ],
    "ledger.json": [("corpora.emodb.found", -3), ("corpora.emodb.labels.sad", 10**400)],
    "environment.json": [("started", "9" * 5000)],
    "fusion.json": [
        ("settings.objective", "beauty"),
        ("search.best", [0, 0]),
        ("search.best", [1]),
        ("grid.weights.0", [-1, 3]),
        ("grid.score", []),
        ("grid.score.0", 1e308),
        ("grid.plateau.0", -(10**30)),
        ("bootstrap.cloud", []),
        ("bootstrap.weights", []),
        ("calibration.strong.test.before.bins", []),
        ("calibration.strong.test.before.bins.0.0", -(10**30)),
        ("calibration.strong.test", {}),
        ("calibration", {}),
        ("confusion.strong.test", []),
        ("confusion.strong", {}),
        ("confusion.strong.test.0.0", -7),
        ("modalities", []),
        ("labels", []),
        ("clusters", {}),
        ("fusion_methods.0.test", {}),
    ],
    "sweep.json": [
        ("trials.0.params", {"training.lr": -1, "training.batch_size": 16, "training.label_smoothing": 0.1}),
        ("trials.0.params", {"training.lr": "x", "training.batch_size": [], "training.label_smoothing": None}),
        ("trials.0.value", 1e308),
        ("trials.0.value", -1e308),
        ("trials.0.point", "0000/seed-1"),
        ("trials.0.point", "9" * 5000),
        ("trials.0.by_epoch", [[-1, 1e308]]),
        ("dimensions", []),
        ("dimensions.0.values", []),
        ("dimensions.0.values", [1e308, -1e308]),
        ("dimensions.0.values", [10**30, 1e-320]),
        ("dimensions.0.values", [[], {}]),
        ("importance", {"training.lr": 1e308}),
        ("counts", {"complete": -(10**30)}),
        ("max_epochs", 10**400),
    ],
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, fused: Path) -> dict[str, Path]:  # noqa: F811
    """File -> a folder that has it."""
    folder = tmp_path_factory.mktemp("extremes")
    run = write_run(folder / "run", epochs=3)
    shutil.copytree(fused, folder / "fused")
    write_json(folder / "sweep" / "sweep.json", studied())
    own = {"fusion.json": folder / "fused", "sweep.json": folder / "sweep"}
    return {name: own.get(name, run) for name in VALUES}


def changed(content: Any, key: str, value: Any) -> Any:
    """The content with another value at a dotted key."""
    *groups, last = key.split(".")
    inner = content
    for group in groups:
        inner = inner[int(group) if isinstance(inner, list) else group]
    inner[int(last) if isinstance(inner, list) else last] = value
    return content


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        pytest.param(name, key, value, id=f"{name}-{key}-{number}")
        for name, changes in VALUES.items()
        for number, (key, value) in enumerate(changes)
    ],
)
def test_an_extreme_value_is_shown_or_refused(
    folders: dict[str, Path], tmp_path: Path, name: str, key: str, value: Any
) -> None:
    path = folders[name] / name
    whole = path.read_text()
    lines = whole.splitlines() if name == "log.jsonl" else [whole]
    path.write_text("\n".join([*lines[:-1], json.dumps(changed(json.loads(lines[-1]), key, value))]))
    try:
        result = CliRunner().invoke(app, ["report", str(folders[name]), "--out", str(tmp_path / "report")])
    finally:
        path.write_text(whole)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 0 or (result.exit_code == 3 and result.stderr.startswith("error: ")), result.output
