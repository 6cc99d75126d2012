"""What goes to stdout and to stderr, and the exit code of each error."""

import json
import shutil
import subprocess
import sys
import time
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


def test_a_command_inside_another_suggests_no_next_command(capfd: pytest.CaptureFixture[str]) -> None:
    with console.no_suggestions():
        console.done(Path("runs/first"), "emokit report runs/first")
    assert capfd.readouterr() == ("runs/first\n", "")
    console.done(Path("runs/first"), "emokit report runs/first")
    assert capfd.readouterr().err == "next: emokit report runs/first\n"


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


def test_a_note_an_error_and_a_folder_have_no_control_characters(capfd: pytest.CaptureFixture[str]) -> None:
    name = "a\x1b[2J\x07\r\x9b\u202e\nerror: b\tc"
    shown = r"a\x1b[2J\x07\r\u009b\u202e\nerror: b\tc"
    console.say(name)
    console.done(Path(name), name)
    with pytest.raises(typer.Exit), console.exit_codes():
        raise DataError(name)
    assert capfd.readouterr() == (f"{shown}\n", f"{shown}\nnext: {shown}\nerror: {shown}\n")


def test_a_result_has_no_control_characters_but_tabs_and_line_feeds(capfd: pytest.CaptureFixture[str]) -> None:
    console.show("a\tb\n\x1b]0;title\x07\u202e")
    console.show_json({"text": "\x9b1m\u202e \udce9"})
    assert (
        capfd.readouterr().out
        == "a\tb\n"
        + r"""\x1b]0;title\x07\u202e
{"text": "\u009b1m\u202e \udce9"}
"""
    )


def test_a_table_has_no_control_characters(capfd: pytest.CaptureFixture[str]) -> None:
    from rich.console import Group
    from rich.table import Table

    odd = "x\x1b[31m\x9b\u202e"
    table = Table(odd, title=odd, caption=odd)
    table.add_row(odd)
    console.show(Group(odd, table))
    shown = capfd.readouterr().out
    assert shown.count(r"x\x1b[31m\u009b\u202e") == 5
    assert not set(shown) & set("\x1b\x9b\u202e")


def test_secrets_in_notes_and_errors_are_masked(capfd: pytest.CaptureFixture[str]) -> None:
    console.say("would download https://s3cr3t@host/a?token=s3cr3t")
    with pytest.raises(typer.Exit), console.exit_codes():
        raise DataError("https://host/a?sig=s3cr3t is not there.")
    assert capfd.readouterr().err == (
        "would download https://***@host/a?token=***\nerror: https://host/a?sig=*** is not there.\n"
    )


TRAINING = """
import os, sys, time
from emokit.cli import console
line = "epoch {:3d}  train loss 1.913  dev loss 1.877  dev UAR 0.199  1234.5 s  best so far"
console.say("before")
with console.progress("epochs") as report:
    for epoch in range(1, 4):
        for batch in range(101):
            report(epoch - 1 + batch / 100, 70, f"batch {batch} of 100")
        console.say(line.format(epoch))
    print("ready")
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.05)
with console.progress("epochs"):
    pass
console.say("after")
time.sleep(60)
"""
LINE = "epoch   {}  train loss 1.913  dev loss 1.877  dev UAR 0.199  1234.5 s  best so"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux draws the terminal")
@pytest.mark.parametrize("width", [80, 120])
def test_a_note_is_a_line_of_its_own_above_the_bar_which_leaves_nothing(tmp_path: Path, width: int) -> None:
    (tmp_path / "training.py").write_text(TRAINING)
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    words = [sys.executable, "training.py", "end"]
    start = [
        "new-session",
        "-d",
        "-x",
        str(width),
        "-y",
        "20",
        "-c",
        str(tmp_path),
        f"env -u COLUMNS PYTHONPATH={Path.cwd()} {' '.join(words)}",
    ]
    subprocess.run([*tmux, *start], check=True)
    far = [" far"] if width == 120 else ["", "far"]

    def screen_with(*words: str) -> list[str]:
        for _ in range(300):
            shown = subprocess.run([*tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout
            lines = [line.rstrip() for line in shown.splitlines() if line.strip()]
            if all(word in shown for word in words):
                return lines
            time.sleep(0.1)
        raise AssertionError(lines)

    try:
        notes = ["before"]
        for epoch in (1, 2, 3):
            first, *rest = far
            notes += [LINE.format(epoch) + first, *rest]
        *above, bar = screen_with("ready", "epochs 3 of 70")
        assert above == [*notes, "ready"]
        assert bar.startswith("epochs 3 of 70 ")
        assert "batch 100 of 100 elapsed 0:00:0" in bar
        assert " remaining " in bar
        assert len(bar) <= width
        (tmp_path / "end").touch()
        assert screen_with("after") == [*notes, "ready", "after"]
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def test_a_bar_says_the_total_from_the_first_report_and_counts_no_earlier_work_as_speed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import io

    from rich.console import Console

    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(console, "_stderr", lambda: terminal)
    with console.progress("epochs") as report:
        assert "epochs" not in terminal.file.getvalue()  # type: ignore[attr-defined]
        report(50, 70, "batch 0 of 25")
    drawn = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert "epochs 50 of 70" in drawn
    assert "batch 0 of 25" in drawn
    assert "-:--:--" in drawn  # 50 epochs in no time would have left 0:00:00


@pytest.mark.parametrize(("kind", "code"), [(UsageError, 2), (DataError, 3), (WorkError, 4)])
def test_a_users_error_is_a_sentence_and_an_exit_code(
    capfd: pytest.CaptureFixture[str], kind: type[EmokitError], code: int
) -> None:
    with pytest.raises(typer.Exit) as caught, console.exit_codes():
        raise kind(f"{ODD} is not there.")
    assert caught.value.exit_code == code
    assert capfd.readouterr() == ("", f"error: {ODD} is not there.\n")


@pytest.mark.parametrize(
    ("raised", "sentence"),
    [
        (
            PermissionError(13, "Permission denied", "locked/x"),
            "locked/x cannot be used (Permission denied); name another path, or get access to this one.",
        ),
        (
            OSError(36, "File name too long", "a/b"),
            "a/b cannot be used (File name too long); name another path, or get access to this one.",
        ),
        (
            RuntimeError("Symlink loop from '/a'"),
            "/a cannot be used (Too many levels of symbolic links); name another path, or correct the link.",
        ),
        (ValueError("embedded null byte"), "A path has a NUL character, which no path can have; write the path again."),
    ],
)
def test_a_path_that_the_system_refuses_is_a_sentence(
    capfd: pytest.CaptureFixture[str], raised: Exception, sentence: str
) -> None:
    with pytest.raises(typer.Exit) as caught, console.exit_codes():
        raise raised
    assert caught.value.exit_code == 2
    assert capfd.readouterr() == ("", f"error: {sentence}\n")


def test_ctrl_c_ends_with_130_and_says_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, console.exit_codes():
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert capfd.readouterr().err == "stopped by Ctrl-C; run the command again.\n"


def test_json_has_no_number_that_json_lacks():
    with pytest.raises(ValueError, match="not JSON compliant"):
        console.show_json({"uar": float("nan")})
