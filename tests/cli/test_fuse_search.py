"""`emokit fuse-search`, `emokit predict` of what it makes, and the report page, as a user types them."""

import json

import numpy
import pandas
import pytest
from typer.testing import CliRunner

from emokit import predictions
from emokit.cli.app import app
from emokit.labels import LABELS

runner = CliRunner()
pytestmark = pytest.mark.end_to_end
QUICK = ["--step", "0.1", "--resamples", "100", "--set", "fusion.folds=2"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Three modalities of 12 dialogues of dev and 15 of test; of face a tenth is missing."""
    folder = tmp_path_factory.mktemp("tables")
    random = numpy.random.default_rng(4)
    rows = [
        (split, dialogue, turn)
        for split, n in (("dev", 12), ("test", 15))
        for dialogue in range(n)
        for turn in range(10)
    ]
    targets = random.integers(0, 7, len(rows))
    utterances = pandas.DataFrame(
        {
            "utterance_id": [f"meld/{split}/dia{dialogue}_utt{turn}" for split, dialogue, turn in rows],
            "corpus": "meld",
            "speaker": "Joey",
            "dialogue": [f"{split}/{dialogue}" for split, dialogue, _ in rows],
            "split": [split for split, _, _ in rows],
            "label": numpy.array(LABELS)[targets],
        }
    )
    for name, strength, kept in (("audio", 1.5, 1.0), ("text", 1.2, 1.0), ("face", 0.3, 0.9)):
        scores = random.normal(size=(len(rows), 7))
        scores[numpy.arange(len(rows)), targets] += strength
        powers = numpy.exp(scores)
        there = random.random(len(rows)) < kept
        found = predictions.make(
            utterances[there], (powers / powers.sum(axis=1, keepdims=True))[there], model=name, fingerprint=""
        )
        predictions.write(found, folder / f"{name}.parquet")
    return folder


def named(tables, *names):
    return [f"{name}={tables / f'{name}.parquet'}" for name in names]


@pytest.fixture(scope="module")
def fused(tables):
    run = tables / "fused"
    result = runner.invoke(app, ["fuse-search", *named(tables, "audio", "text", "face"), "--run", str(run), *QUICK])
    assert result.exit_code == 0, result.output
    return run, result


def test_the_last_line_is_the_run_and_the_verdict_stands_above(fused):
    run, result = fused
    *_, verdict, last = result.stdout.splitlines()
    assert last == str(run)
    assert verdict == json.loads((run / "fusion.json").read_text())["verdict"]
    assert result.stderr.splitlines()[-1] == f"next: emokit report {run} --out report"


def test_what_is_missing_is_shown(fused, tables):
    run, result = fused
    lacking = json.loads((run / "fusion.json").read_text())["joined"]["dev"]["lacking face"]
    assert 0 < lacking < 30
    assert f"dev: {120 - lacking} of 120 utterances used ({lacking} lacking face)" in result.stderr.splitlines()


def test_every_rung_stands_in_the_table(fused):
    shown = " ".join(fused[1].stdout.split())
    for title in ("best single", "equal weights", "plain grid", "searched weights", "simplest weights", "logistic"):
        assert title in shown
    assert "searched: 132 points (every point); best on dev" in shown


def test_figures_lie_in_the_run_folder(fused):
    run, _ = fused
    names = {path.name for path in (run / "figures").glob("*.png")}
    assert names == {"weights.png", "reliability.png", *(f"confusion-{number}-test.png" for number in (1, 2, 3))}
    for name in names:
        assert (run / "figures" / name).read_bytes().startswith(b"\x89PNG")


def test_the_report_shows_the_ladder_and_the_map(fused, tables):
    run, _ = fused
    out = tables / "report"
    result = runner.invoke(app, ["report", str(run), "--out", str(out)])
    assert result.exit_code == 0, result.output
    page = (out / "index.html").read_text()
    found = json.loads((run / "fusion.json").read_text())
    assert found["verdict"] in page
    for rung in found["ladder"]:
        assert rung["title"] in page
        value = rung["test"]["weighted_f1"]["score"]
        assert (
            f'<data value="{value}" data-key="fusion/fused/{rung["name"]}/test/score">{100 * value:.1f}</data>' in page
        )
    assert (out / "figures" / "fused-weights.svg").is_file()
    assert "by fusion" in page


def test_a_dry_run_counts_and_writes_nothing(tables, tmp_path):
    arguments = ["fuse-search", *named(tables, "audio", "text"), "--run", str(tmp_path / "run"), "--dry-run", "--json"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    assert plan["points"] == 51
    assert plan["joined"]["test"] == {"all": 150, "used": 150, "lacking audio": 0, "lacking text": 0}
    assert not (tmp_path / "run").exists()


def test_two_modalities_make_a_curve_and_json_is_fusion_json(tables, tmp_path):
    run = tmp_path / "run"
    arguments = ["fuse-search", *named(tables, "audio", "face"), "--run", str(run), *QUICK, "--missing", "renormalise"]
    result = runner.invoke(app, [*arguments, "--objective", "nll", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == json.loads((run / "fusion.json").read_text())
    header, *rows = (run / "figures" / "weights.csv").read_text().splitlines()
    assert header == "weight_audio,score,low,high,on_plateau,times_best"
    assert len(rows) == 11


def test_one_modality_is_said_to_be_alone(tables, tmp_path):
    result = runner.invoke(app, ["fuse-search", *named(tables, "text"), "--run", str(tmp_path / "run"), *QUICK])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-2] == (
        "There is one modality only, text, so nothing was fused: its own predictions, calibrated, are written."
    )


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["audio"], 2, "audio was given where NAME=PATH was expected, such as text=runs/text."),
        (["a=none.csv"], 3, "none.csv is not there; name a run folder or a table of predictions."),
        (
            ["a=none.csv", "--step", "0.03"],
            2,
            "The command line has fusion.step = 0.03, but it must divide 1, as 0.05, 0.02 and 0.005 do.",
        ),
        (["a=none.csv", "--settings", "none.yaml"], 2, "none.yaml does not exist; name a YAML file of settings."),
    ],
)
def test_a_slip_ends_in_one_sentence(arguments, code, sentence):
    result = runner.invoke(app, ["fuse-search", *arguments])
    assert result.exit_code == code
    assert result.stderr.strip() == f"error: {sentence}"


def test_predict_says_why_no_branch_can_be_asked(fused):
    run, _ = fused
    result = runner.invoke(app, ["predict", str(run), "some.wav"])
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        f"error: None of the branches of {run} can be asked; the first: audio comes from the table audio.parquet, "
        "which says nothing of new utterances."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name clips, sentences with --text, or a prepared folder with --data, one of them."),
        (["a.wav", "b.wav", "--text", "No!"], "2 clips and 1 sentences were given; give --text once for each clip."),
        (["--data", "prepared"], "--data was given without --out; name the parquet table to write."),
    ],
)
def test_predict_of_a_fused_run_says_what_it_needs(fused, arguments, sentence):
    result = runner.invoke(app, ["predict", str(fused[0]), *arguments])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {sentence}"


def test_predict_vision_says_what_it_needs():
    result = runner.invoke(app, ["predict", "vision"])
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        "error: `emokit predict vision` needs a prepared folder with --data and the table to write with --out."
    )
