"""`emokit fuse-search`, `emokit predict` with its runs, and their report page, from the command line."""

import json

import numpy
import pandas
import pytest
from typer.testing import CliRunner

from emokit import predictions
from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.fusion.late.run import fuse
from emokit.fusion.late.settings import FusionSettings
from emokit.labels import DEFAULT_LABELS
from emokit.modality.registry import modality

runner = CliRunner()
pytestmark = pytest.mark.end_to_end
QUICK = ["--step", "0.1", "--resamples", "100", "--set", "fusion.folds=2"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Three modalities with 12 dialogues of dev and 15 of test; a tenth of face is missing."""
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
            "label": numpy.array(DEFAULT_LABELS)[targets],
        }
    )
    for name, strength, fraction in (("audio", 1.5, 1.0), ("text", 1.2, 1.0), ("face", 0.3, 0.9)):
        scores = random.normal(size=(len(rows), 7))
        scores[numpy.arange(len(rows)), targets] += strength
        powers = numpy.exp(scores)
        present = random.random(len(rows)) < fraction
        table = predictions.make(
            utterances[present],
            (powers / powers.sum(axis=1, keepdims=True))[present],
            labels=DEFAULT_LABELS,
            model=name,
            fingerprint="",
        )
        predictions.write(table, folder / f"{name}.parquet")
    return folder


def arguments_of(tables, *names):
    return [f"{name}={tables / f'{name}.parquet'}" for name in names]


@pytest.fixture(scope="module")
def fused(tables):
    run = tables / "fused"
    names = arguments_of(tables, "audio", "text", "face")
    result = runner.invoke(app, ["fuse-search", *names, "--run", str(run), *QUICK])
    assert result.exit_code == 0, result.output
    return run, result


def test_the_last_lines_are_the_verdict_and_the_run(fused):
    run, result = fused
    *_, verdict, last = result.stdout.splitlines()
    assert last == str(run)
    assert verdict == json.loads((run / "fusion.json").read_text())["verdict"]
    assert result.stderr.splitlines()[-1] == f"next: emokit report {run} --out report"


def test_missing_utterances_are_counted(fused, tables):
    run, result = fused
    lacking = json.loads((run / "fusion.json").read_text())["joined"]["dev"]["lacking face"]
    assert 0 < lacking < 30
    assert f"dev: {120 - lacking} of 120 utterances used ({lacking} lacking face)" in result.stderr.splitlines()


def test_every_fusion_method_is_in_the_table(fused):
    output = " ".join(fused[1].stdout.split())
    for title in ("best single", "equal weights", "plain grid", "searched weights", "simplest weights", "logistic"):
        assert title in output
    assert "searched: 132 points (every point); best on dev" in output


def test_figures_are_in_the_run_folder(fused):
    run, _ = fused
    names = {path.name for path in (run / "figures").glob("*.png")}
    assert names == {"weights.png", "reliability.png", *(f"confusion-{number}-test.png" for number in (1, 2, 3))}
    for name in names:
        assert (run / "figures" / name).read_bytes().startswith(b"\x89PNG")


def test_the_report_has_the_fusion_methods_and_the_map_of_weights(fused, tables):
    run, _ = fused
    out = tables / "report"
    result = runner.invoke(app, ["report", str(run), "--out", str(out)])
    assert result.exit_code == 0, result.output
    page = (out / "index.html").read_text()
    fusion = json.loads((run / "fusion.json").read_text())
    assert fusion["verdict"] in page
    for method in fusion["fusion_methods"]:
        assert method["title"] in page
        value, key = method["test"]["weighted_f1"]["score"], f"fusion/fused/{method['name']}/test/score"
        assert f'<data value="{value}" data-key="{key}">{100 * value:.1f}</data>' in page
    assert (out / "figures" / "fused-weights.svg").is_file()
    assert "by fusion" in page


def test_a_dry_run_counts_and_writes_nothing(tables, tmp_path):
    names = arguments_of(tables, "audio", "text")
    result = runner.invoke(app, ["fuse-search", *names, "--run", str(tmp_path / "run"), "--dry-run", "--json"])
    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    assert plan["points"] == 51
    assert plan["joined"]["test"] == {"all": 150, "used": 150, "lacking audio": 0, "lacking text": 0}
    assert not (tmp_path / "run").exists()


def test_two_modalities_make_a_curve_and_json_is_fusion_json(tables, tmp_path):
    run = tmp_path / "run"
    names = arguments_of(tables, "audio", "face")
    options = ["--missing", "renormalise", "--objective", "nll", "--json"]
    result = runner.invoke(app, ["fuse-search", *names, "--run", str(run), *QUICK, *options])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == json.loads((run / "fusion.json").read_text())
    header, *rows = (run / "figures" / "weights.csv").read_text().splitlines()
    assert header == "weight_audio,score,low,high,on_plateau,times_best"
    assert len(rows) == 11


@pytest.mark.parametrize("flags", [[], ["--dry-run"]])
def test_one_modality_is_no_fusion(tables, tmp_path, flags):
    run = tmp_path / "run"
    result = runner.invoke(app, ["fuse-search", *arguments_of(tables, "text"), "--run", str(run), *QUICK, *flags])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: text was named alone, and a fusion needs two or more; name another, such as audio=runs/a.\n",
    )
    assert not run.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["audio"], 2, "audio was given where NAME=PATH was expected, such as text=runs/text."),
        (["a=none.csv", "b=none2.csv"], 3, "none.csv does not exist; name a run folder or a table of predictions."),
        (
            ["a=none.csv", "b=none2.csv", "--step", "0.03"],
            2,
            "The command line has fusion.step = 0.03, but it must divide 1, as 0.05, 0.02 and 0.005 do.",
        ),
        (
            ["a=none.csv", "b=none2.csv", "--settings", "none.yaml"],
            2,
            "none.yaml does not exist; name a YAML file of settings.",
        ),
    ],
)
def test_a_mistake_ends_in_one_sentence(arguments, code, sentence):
    result = runner.invoke(app, ["fuse-search", *arguments])
    assert result.exit_code == code
    assert result.stderr.strip() == f"error: {sentence}"


def test_predict_names_the_reason_why_no_branch_can_predict(fused):
    run, _ = fused
    result = runner.invoke(app, ["predict", str(run), "some.wav"])
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        f"error: No branch of {run} can predict; the first: audio comes from the table audio.parquet, "
        "which cannot predict new utterances."
    )


@pytest.fixture(scope="module")
def of_runs(small_prepared, tmp_path_factory):
    """A fused run of two audio runs."""
    folder = tmp_path_factory.mktemp("predict")
    values = {
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
    }
    audio = modality("audio")
    for seed in (1, 2):
        settings = audio.settings().make(values | {"training": {"max_epochs": 1, "batch_size": 16, "seed": seed}})
        audio.train(settings, open_prepared(small_prepared), folder / f"{seed}", device="cpu")
    quick = FusionSettings.make({"fusion": {"step": 0.5, "resamples": 100, "folds": 2}})
    fuse(quick, {"one": [folder / "1"], "two": [folder / "2"]}, folder / "fused")
    return folder / "fused"


@pytest.fixture
def recordings(small_prepared):
    return [str(path) for path in sorted((small_prepared.parent / "emodb").rglob("*.wav"))[:2]]


def test_predict_prints_one_line_per_clip_with_a_probability_per_label(of_runs, recordings):
    result = runner.invoke(app, ["predict", str(of_runs), *recordings])
    assert result.exit_code == 0, result.output
    header, *lines = result.stdout.splitlines()
    assert header.split("\t") == ["utterance", "label", *DEFAULT_LABELS]
    assert [line.split("\t")[0] for line in lines] == recordings
    for line in lines:
        values = [float(number) for number in line.split("\t")[2:]]
        assert sum(values) == pytest.approx(1, abs=0.005)
        assert line.split("\t")[1] == DEFAULT_LABELS[values.index(max(values))]


def test_json_names_the_modalities_that_predicted(of_runs, recordings):
    result = runner.invoke(app, ["predict", str(of_runs), recordings[0], "--json"])
    prediction = json.loads(result.stdout)
    assert list(prediction) == ["file", "text", "label", "probabilities", "modalities"]
    assert (prediction["file"], prediction["text"], prediction["modalities"]) == (recordings[0], None, ["one", "two"])


def test_predict_writes_a_table_of_a_split(of_runs, small_prepared, tmp_path):
    out = tmp_path / "dev.parquet"
    arguments = ["predict", str(of_runs), "--data", str(small_prepared), "--split", "dev", "--out", str(out)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(out)
    table = predictions.read(out)
    size = len(table.table)
    assert f"{size} utterances of dev: {size} all, {size} used, 0 lacking one, 0 lacking two" in result.stderr
    before = predictions.read(of_runs / "predictions" / "dev.parquet")
    assert table.probabilities == pytest.approx(before.probabilities, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Nothing to predict was named; name clips, sentences with --text, or a prepared folder with --data."),
        (["a.wav", "b.wav", "--text", "No!"], "2 clips and 1 sentences were given; give --text once for each clip."),
        (["--data", "prepared"], "--data was given without --out; name the table to write."),
    ],
)
def test_inputs_that_a_fused_run_cannot_predict_are_refused(of_runs, arguments, sentence):
    result = runner.invoke(app, ["predict", str(of_runs), *arguments])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {sentence}"


def test_a_text_for_a_run_that_is_not_fused_is_refused(of_runs):
    result = runner.invoke(app, ["predict", str(of_runs.parent / "1"), "--text", "No!"])
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        "error: --text was given for audio, and it is an option of late-fusion; leave it out."
    )


def test_predictions_given_twice_are_refused(tables, fused, tmp_path):
    (tmp_path / "link.parquet").symlink_to(tables / "audio.parquet")
    audio, run = tables / "audio.parquet", tmp_path / "run"
    for other in (audio, tables / "fused" / ".." / "audio.parquet", tmp_path / "link.parquet"):
        for name in ("text", "audio"):
            named = [f"audio={audio}", f"{name}={other}", f"face={tables / 'face.parquet'}"]
            result = runner.invoke(app, ["fuse-search", *named, "--run", str(run)])
            assert (result.exit_code, result.stderr.strip()) == (
                2,
                f"error: {other} was given twice, as audio and as {name}; name different predictions, each once.",
            )
    assert not run.exists()


def test_equal_predictions_are_declared_on_the_terminal_and_in_the_run(tables, tmp_path):
    (tmp_path / "copy.parquet").write_bytes((tables / "audio.parquet").read_bytes())
    named, run = [f"audio={tables / 'audio.parquet'}", f"copy={tmp_path / 'copy.parquet'}"], tmp_path / "run"
    words = (
        "audio and copy have the same predictions, so their weights cannot be told apart and their fusion gains nothing"
    )
    line = f"To be declared with the scores: {words}."
    dry = runner.invoke(app, ["fuse-search", *named, "--run", str(run), "--dry-run"])
    assert (dry.exit_code, dry.stderr.splitlines()[-1]) == (0, line)
    result = runner.invoke(app, ["fuse-search", *named, "--run", str(run), *QUICK])
    assert result.exit_code == 0, result.output
    assert line in result.stderr.splitlines()
    assert json.loads((run / "metrics.json").read_text())["declared"] == words
    different = runner.invoke(app, ["fuse-search", *arguments_of(tables, "audio", "text"), "--dry-run"])
    assert "declared" not in different.stderr
