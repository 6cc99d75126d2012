"""What goes to stdout and to stderr, and the exit code of each error."""

import json
from pathlib import Path

import pytest
import typer

from emokit.cli import console
from emokit.errors import DataError, EmokitError, UsageError, WorkError

# Rich would read this as a style, an emoji and a number.
ODD = "runs/[bold]first[/bold]/:cat:/100"


def test_results_go_to_stdout_and_notes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    console.show("a result")
    console.show_json({"uar": 0.5, "text": "Größe"})
    console.say("a note")
    assert capfd.readouterr() == ('a result\n{"uar": 0.5, "text": "Größe"}\n', "a note\n")


def test_text_is_shown_unchanged(capfd: pytest.CaptureFixture[str]) -> None:
    console.show(ODD)
    console.say(ODD)
    console.done(Path(ODD), f"emokit report {ODD}")
    assert capfd.readouterr() == (f"{ODD}\n{ODD}\n", f"{ODD}\nnext: emokit report {ODD}\n")


def test_names_that_are_not_utf8_or_have_control_characters_are_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    name = "caf\udce9\t\n\x1b.wav"
    console.say(f"{name} is read")
    console.done(Path(name))
    console.show_json({"file": name})
    console.show("caf\udce9.wav")
    shown, note = capfd.readouterr()
    assert note == "caf\\xe9\\t\\n\\u001b.wav is read\n"
    folder, as_json, text = shown.splitlines()
    assert folder == "caf\\xe9\\t\\n\\u001b.wav"
    assert json.loads(as_json) == {"file": name}
    assert text == "caf\\udce9.wav"


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


def test_without_a_terminal_progress_is_one_line_at_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    with console.progress("reading audio") as report:
        for done in range(1, 4):
            report(done, 3)
        assert capfd.readouterr() == ("", "")
    assert capfd.readouterr() == ("", "reading audio: 3 of 3\n")


def test_no_progress_is_no_line(capfd: pytest.CaptureFixture[str]) -> None:
    with console.progress("reading audio"):
        pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("kind", "code"), [(UsageError, 2), (DataError, 3), (WorkError, 4)])
def test_a_users_error_is_a_sentence_and_an_exit_code(
    capfd: pytest.CaptureFixture[str], kind: type[EmokitError], code: int
) -> None:
    with pytest.raises(typer.Exit) as caught, console.exit_codes():
        raise kind(f"{ODD} is not there.")
    assert caught.value.exit_code == code
    assert capfd.readouterr() == ("", f"error: {ODD} is not there.\n")


def test_ctrl_c_ends_with_130_and_says_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, console.exit_codes():
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert capfd.readouterr().err == "stopped by Ctrl-C; run the command again.\n"


def test_a_bug_keeps_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), console.exit_codes():
        _ = 1 / 0
    assert capfd.readouterr() == ("", "")
