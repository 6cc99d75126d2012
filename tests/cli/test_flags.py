"""Flags that do not go together, empty values and outputs that exist, refused alike by every command."""

import shutil
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.cli.flags import RULES, CheckedCommand, Clash, check, refuse
from emokit.errors import UsageError

runner = CliRunner()
PAGE = "which prints tables and writes no page; leave it out."
STATUS = "which only shows the sweep; leave it out."
LABELS = "which only prints labels; leave it out."
EMPTY = "was given an empty value; give it another, or leave it out."


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("predict RUN a --split dev", "--split dev was given without --data, whose split it names; give both."),
        ("predict RUN a --column x", "--column x was given without --file, whose column it names; give both."),
        ("train text --workers 2", "--workers 2 was given without --folds, which are trained at once; give both."),
        ("report RUN --format md --out x", f"--out x was given with --format, {PAGE}"),
        ("report RUN --format md --force", f"--force was given with --format, {PAGE}"),
        ("report RUN --format md --json", f"--json was given with --format, {PAGE}"),
        (
            "report RUN --compare --force",
            "--force was given with --compare, which writes no page without --out; leave it out.",
        ),
        ("sweep --status RUN --force", f"--force was given with --status, {STATUS}"),
        ("sweep --status RUN --workers 2", f"--workers 2 was given with --status, {STATUS}"),
        ("sweep --status RUN -d x", f"--data x was given with --status, {STATUS}"),
        ("sweep --resume RUN --run x", "--run x was given with --resume, which names the folder; leave it out."),
        ("prepare --show-labels -o prepared", f"--out prepared was given with --show-labels, {LABELS}"),
        ("prepare emodb --show-labels --seed 1", f"--seed 1 was given with --show-labels, {LABELS}"),
        ("predict|RUN|a|--out|", f"--out {EMPTY}"),
        ("predict|RUN|a|--out=| ", f"--out {EMPTY}"),
        ("predict||a", f"run {EMPTY}"),
        ("train|audio||--data|x", f"experiment {EMPTY}"),
        ("train|audio|--data=", f"--data {EMPTY}"),
        ("report|RUN|", f"runs {EMPTY}"),
        ("export|", f"run {EMPTY}"),
        ("sweep|--resume=", f"--resume {EMPTY}"),
        ("prepare|emodb|--out=", f"--out {EMPTY}"),
        ("prepare|emodb|--datasets=", f"--datasets {EMPTY}"),
        ("fuse-search|a=b|--run=", f"--run {EMPTY}"),
        ("demo|--out=", f"--out {EMPTY}"),
        ("doctor|--datasets=", f"--datasets {EMPTY}"),
    ],
)
def test_what_a_command_line_cannot_mean_is_refused_before_anything_is_read(line, sentence):
    words = [word.removesuffix(" ") for word in line.split("|")] if "|" in line else line.split()
    result = runner.invoke(app, words)
    assert (result.exit_code, result.stderr, result.stdout) == (2, f"error: {sentence}\n", "")


def test_flags_that_go_together_are_accepted():
    check("report", {"runs": ["a"], "--compare": True, "--force": True, "--out": "x"})
    check("predict", {"run": "a", "inputs": [""], "--json": True})
    check("predict", {"run": "a", "--data": "d", "--split": "dev", "--out": "x.parquet", "--json": True})
    check("prepare", {"corpora": ["emodb"], "--show-labels": True, "--json": True, "--datasets": "x"})
    check("sweep", {"--status": "x", "--json": True, "--storage": "y"})
    check("another", {"--out": "x"})


def test_every_rule_is_of_flags_that_its_command_has():
    root = typer.main.get_command(app)
    context = root.make_context("emokit", ["doctor"])
    for name, rules in RULES.items():
        command = root.get_command(context, name)
        if name == "train":
            command = command.get_command(command.make_context("train", ["text"], parent=context), "text")
        flags = {flag for param in command.params for flag in param.opts}
        assert {rule.flag for rule in rules} | {rule.other for rule in rules} <= flags, name
        assert {rule.unless for rule in rules if isinstance(rule, Clash)} - {""} <= flags, name


def test_every_command_is_checked():
    root = typer.main.get_command(app)
    context = root.make_context("emokit", ["doctor"])
    commands = {name: root.get_command(context, name) for name in root.list_commands(context)}
    train = commands.pop("train")
    commands["train text"] = train.get_command(train.make_context("train", ["text"], parent=context), "text")
    assert [name for name, command in commands.items() if not isinstance(command, CheckedCommand)] == []
    assert len(commands) == 12


@pytest.mark.parametrize("name", ["old.csv", "folder.csv", "link.csv"])
def test_what_exists_is_not_replaced(tmp_path, name):
    (tmp_path / "old.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to("nowhere")
    with pytest.raises(UsageError) as error:
        check("predict", {"--out": str(tmp_path / name)})
    assert str(error.value) == f"{tmp_path / name} exists; name another --out, or delete it."


@pytest.mark.parametrize("name", ["new", "new.txt", "new.csv.gz"])
def test_a_table_has_the_ending_of_its_format(name):
    with pytest.raises(UsageError) as error:
        check("predict", {"--out": name})
    assert str(error.value) == (
        f"--out {name} has none of the endings .parquet .csv .tsv, which name the table's format; add one."
    )


def test_a_flag_that_does_nothing_is_refused():
    with pytest.raises(UsageError) as error:
        refuse("--a", "--b", "which prints nothing")
    assert str(error.value) == "--a was given with --b, which prints nothing; leave it out."


def test_help_is_shown_in_spite_of_wrong_flags():
    result = runner.invoke(app, ["report", "RUN", "--format", "md", "--force", "--help"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Write one page about runs" in result.stdout


def test_force_replaces_no_folder_of_another_kind(small_prepared: Path, modality_runs: Path, tmp_path: Path) -> None:
    prepared, run = tmp_path / "prepared", tmp_path / "run"
    shutil.copytree(small_prepared, prepared)
    shutil.copytree(modality_runs / "audio", run)
    before = {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))}
    root = f"emodb={small_prepared.parent / 'emodb'}"
    not_prepared = f"error: {run} is the folder of a run or a sweep, not a prepared one; name another --out.\n"
    not_a_run = (
        f"error: {prepared} is a prepared folder, not a run; --force will not replace it, so name another --run.\n"
    )
    its_own = f"error: {run} is an input of the command, which --force would delete; name another --run.\n"
    for arguments, sentence in (
        (["prepare", "emodb", "--root", root, "--out", str(run)], not_prepared),
        (["prepare", "emodb", "--root", root, "--out", str(run), "--force"], not_prepared),
        (
            [
                "train",
                "text",
                "tfidf",
                "--set",
                "data.corpora=[emodb]",
                "--data",
                str(small_prepared),
                "--run",
                str(prepared),
                "--force",
            ],
            not_a_run,
        ),
        (["fuse-search", f"a={run}", f"b={modality_runs / 'text'}", "--run", str(run), "--force"], its_own),
    ):
        result = CliRunner().invoke(app, arguments)
        assert (result.exit_code, result.stderr) == (2, sentence)
    assert {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))} == before


@pytest.mark.parametrize("command", [["train", "audio"], ["train", "text"], ["sweep", "space.yaml"]])
def test_a_plan_is_shown_for_no_unknown_device(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--device", "tpu", "--dry-run"])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --device tpu is unknown; choose one of auto, cuda, mps, cpu.\n",
    )


@pytest.mark.parametrize("flags", [["--dry-run"], []])
def test_no_corpus_is_read_by_less_than_one_worker(flags: list[str]) -> None:
    result = CliRunner().invoke(app, ["prepare", "emodb", "--workers", "0", *flags])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --workers 0 was given where 1 to 1024 was expected; name one of these numbers, or leave it out.\n",
    )


@pytest.mark.parametrize(
    ("given", "whom"), [(["emodb=speaker", "emodb=train"], "emodb"), (["speaker", "train"], "all corpora")]
)
def test_a_split_that_is_given_twice_is_refused(given: list[str], whom: str) -> None:
    flags = [word for policy in given for word in ("--split", policy)]
    result = CliRunner().invoke(app, ["prepare", "emodb", *flags, "--dry-run"])
    assert (result.exit_code, result.stderr) == (2, f"error: --split was given 2 times for {whom}; give it once.\n")
