"""`emokit report` as a user types it: the page, the comparison, the tables, the refusals."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app

runner = CliRunner()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs on the same 60 utterances of 6 speakers, made by a training each."""
    import numpy
    import pandas

    from emokit import metrics, predictions
    from emokit.labels import DEFAULT_LABELS

    folder = tmp_path_factory.mktemp("runs")
    random = numpy.random.default_rng(0)
    truth = random.integers(0, 7, 60)
    table = pandas.DataFrame(
        {
            "utterance_id": [f"emodb/{number}" for number in range(60)],
            "corpus": "emodb",
            "speaker": [f"{number % 6:02d}" for number in range(60)],
            "dialogue": None,
            "split": "test",
            "label": numpy.array(DEFAULT_LABELS)[truth],
        }
    )
    for name, share in (("before", 0.2), ("after", 0.9)):
        predicted = numpy.where(random.random(60) < share, truth, random.integers(0, 7, 60))
        probabilities = numpy.eye(7)[predicted] * 0.65 + 0.05
        made = predictions.make(table, probabilities, labels=DEFAULT_LABELS, model="acrnn", fingerprint="ab")
        predictions.write(made, folder / name / "predictions" / "test.parquet")
        majority = metrics.majority_baseline(table["label"], made)
        scored = metrics.score(made, num_resamples=20) | {"baselines": {"majority": majority, "simple": majority}}
        about = {
            "name": name,
            "modality": "audio",
            "model": "acrnn",
            "labels": list(DEFAULT_LABELS),
            "splits": {"test": scored},
        }
        (folder / name / "metrics.json").write_text(json.dumps(about))
        (folder / name / "environment.json").write_text('{"data_fingerprint": "ab"}')
        (folder / name / "settings.yaml").write_text(f"name: {name}\nmodel: {{dropout: {share}}}\n")
    return [folder / "before", folder / "after"]


def test_compare_shows_scores_classes_mcnemar_and_the_verdict(runs: list[Path]) -> None:
    result = runner.invoke(app, ["report", "--compare", *map(str, runs)])
    assert result.exit_code == 0, result.output
    as_json = runner.invoke(app, ["report", "--compare", *map(str, runs), "--json"])
    (comparison,) = json.loads(as_json.stdout)["comparisons"]
    uar = comparison["scores"]["uar"]
    assert comparison["num_common"] == 60
    low, high = (f"{100 * bound:+.1f}".replace("-", "−") for bound in uar["interval"])
    shown = " ".join(result.stdout.split())
    assert (
        f"UAR % {100 * uar['first']:.1f} {100 * uar['second']:.1f} {100 * uar['difference']:+.1f} ({low} to {high})"
        in shown
    )
    counts = comparison["mcnemar"]
    assert f"correct: both {counts['both']}, only before {counts['only_first']}, only after" in shown
    assert result.stdout.splitlines()[-1] == comparison["verdict"]
    assert result.stderr.strip().splitlines() == comparison["notes"]


def test_compare_with_out_adds_a_section_to_the_page(runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "report"
    result = runner.invoke(app, ["report", "--compare", *map(str, runs), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert shown["page"] == str(out / "index.html")
    assert "<h2>after compared with before</h2>" in page
    assert shown["comparisons"][0]["verdict"] in page
    assert {path.name for path in (out / "figures").glob("compare*")} == {
        f"compare-1-recall.{suffix}" for suffix in ("csv", "png", "svg")
    }
    again = runner.invoke(app, ["report", *map(str, runs), "--out", str(out)])
    assert again.exit_code == 2
    assert again.stderr.strip() == (
        f"error: {out} exists and is not empty; name another folder, or add --force to replace it."
    )


def test_tables_go_to_stdout_and_write_nothing(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for form, start in (("md", "Test scores in %"), ("tex", "% needs \\usepackage{booktabs}"), ("json", "{\n")):
        result = runner.invoke(app, ["report", *map(str, runs), "--format", form])
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(start)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            ["--compare", "{0}"],
            2,
            "Only one run was named, so there is nothing to compare; name a run of another experiment beside it.",
        ),
        (["{0}", "--format", "docx"], 2, "--format docx is unknown; choose one of md, tex, json."),
        (
            ["--compare", "{0}", "{0}/predictions"],
            3,
            "{0}/predictions has no settings.yaml, so it is no run folder; name one that `emokit train` made.",
        ),
        (["nowhere"], 3, "nowhere does not exist; name a run folder, as `emokit train` makes it with --run."),
    ],
)
def test_a_wrong_request_costs_one_sentence(
    runs: list[Path], tmp_path: Path, words: list[str], code: int, sentence: str
) -> None:
    given = [word.format(runs[0]) for word in words]
    out = [] if "--format" in words else ["--out", str(tmp_path / "out")]  # --format writes no page
    result = runner.invoke(app, ["report", *given, *out])
    assert (result.exit_code, result.stderr.strip()) == (code, f"error: {sentence.format(runs[0])}")
    assert not (tmp_path / "out").exists()


def test_no_run_is_a_users_error() -> None:
    assert runner.invoke(app, ["report"]).exit_code == 2
