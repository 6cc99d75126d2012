"""`emokit demo`: it writes every file that it announces, and its task is neither trivial nor hopeless."""

import json

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.data.synthesis.corpora import CORPORA

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a demo, and its output."""
    out = tmp_path_factory.mktemp("parent") / "demo"
    result = CliRunner().invoke(app, ["demo", "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out, result


def test_the_page_of_the_demo_is_complete_and_legible(finished, check_page):
    assert check_page(finished[0] / "report" / "index.html")["figures"] >= 17


def test_the_demo_ends_with_a_page_and_models_that_are_better_than_chance(finished):
    out, result = finished
    prepared = open_prepared(out / "prepared")
    assert set(prepared.table["corpus"]) == set(CORPORA)
    assert prepared.ledger["failed"] == {}
    runs = {name: json.loads((out / "runs" / name / "metrics.json").read_text()) for name in ("audio", "text", "fused")}
    for name, metrics in runs.items():
        # Better than chance and not perfect; the order of the runs depends on the seed and is not tested.
        test = metrics["splits"]["test"]
        assert test["baselines"]["majority"]["uar"] < test["uar"] < 1, name
        assert ("simple" in test["baselines"]) == (name != "text"), (
            name
        )  # a bag of words is the simple baseline of text
    sweep = json.loads((out / "runs" / "sweep" / "sweep.json").read_text())
    assert (sweep["counts"]["complete"], sweep["best"]["is_confirmed"]) == (4, True)
    page = out / "report" / "index.html"
    assert "<title>emokit report" in page.read_text(encoding="utf-8")
    assert "the best epoch of each of 4 points" in page.read_text(encoding="utf-8")
    assert str(page) in result.stderr.splitlines()[-1]

    again = CliRunner().invoke(app, ["demo", "--out", str(out)])
    assert again.exit_code == 2
    assert again.stderr.strip() == (
        f"error: {out} exists and is not empty; name another folder, or add --force to replace it."
    )
