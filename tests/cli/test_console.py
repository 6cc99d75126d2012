"""The one place that prints: what goes to stdout, what to stderr, and which exit code an error becomes."""

import json
from pathlib import Path

import pytest
import typer

from emokit.cli import console
from emokit.errors import DataError, EmokitError, UsageError, WorkError

# What rich would take for a style, a picture or a number to paint.
ODD = "runs/[bold]first[/bold]/:cat:/100"


def test_results_go_to_stdout_and_remarks_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    console.show("a result")
    console.show_json({"uar": 0.5, "text": "Größe"})
    console.say("a remark")
    assert capfd.readouterr() == ('a result\n{"uar": 0.5, "text": "Größe"}\n', "a remark\n")


def test_text_is_shown_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    console.show(ODD)
    console.say(ODD)
    console.done(Path(ODD), f"emokit report {ODD}")
    assert capfd.readouterr() == (f"{ODD}\n{ODD}\n", f"{ODD}\nnext: emokit report {ODD}\n")


def test_a_long_line_is_not_broken(capfd: pytest.CaptureFixture[str]) -> None:
    path = Path("/".join(["folder"] * 100))
    console.done(path)
    console.show_json(list(range(1000)))
    folder, values = capfd.readouterr().out.splitlines()
    assert folder == str(path)
    assert json.loads(values) == list(range(1000))


def test_a_table_is_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    table = Table("corpus")
    table.add_row("emodb")
    console.show(table)
    assert "emodb" in capfd.readouterr().out


def test_off_a_terminal_progress_is_one_line_at_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    with console.progress("reading sound") as report:
        for done in range(1, 4):
            report(done, 3)
        assert capfd.readouterr() == ("", "")
    assert capfd.readouterr() == ("", "reading sound: 3 of 3\n")


def test_no_progress_is_no_line(capfd: pytest.CaptureFixture[str]) -> None:
    with console.progress("reading sound"):
        pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("kind", "code"), [(UsageError, 2), (DataError, 3), (WorkError, 4)])
def test_an_error_of_the_users_is_a_sentence_and_an_exit_code(
    capfd: pytest.CaptureFixture[str], kind: type[EmokitError], code: int
) -> None:
    with pytest.raises(typer.Exit) as caught, console.exit_codes():
        raise kind(f"{ODD} is not there.")
    assert caught.value.exit_code == code
    assert capfd.readouterr() == ("", f"error: {ODD} is not there.\n")


def test_ctrl_c_ends_with_130_and_says_what_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, console.exit_codes():
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert capfd.readouterr().err == "stopped by Ctrl-C; give the command again.\n"


def test_a_bug_of_ours_keeps_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), console.exit_codes():
        _ = 1 / 0
    assert capfd.readouterr() == ("", "")
