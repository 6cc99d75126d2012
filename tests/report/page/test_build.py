"""Building a report: its files, which folders it refuses, and interruptions."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emokit.errors import DataError, UsageError
from emokit.report.page import build as building
from emokit.report.page.build import build


def slim(run: Path) -> Path:
    """Reduce a run to its test scores, so that only two figures are drawn: figures take most of the time."""
    (run / "log.jsonl").unlink()
    metrics = json.loads((run / "metrics.json").read_text())
    del metrics["splits"]["dev"]
    (run / "metrics.json").write_text(json.dumps(metrics))
    return run


def test_a_report_is_a_page_and_its_figures_with_their_numbers(make_run: Callable[..., Path], tmp_path: Path) -> None:
    page = build([slim(make_run("emodb"))], tmp_path / "report")
    assert page == tmp_path / "report" / "index.html"
    stems = ["confusion-test", "per-class-test"]
    assert sorted(path.name for path in (tmp_path / "report" / "figures").iterdir()) == [
        f"emodb-{stem}.{suffix}" for stem in stems for suffix in ("csv", "png", "svg")
    ]


def test_two_builds_are_identical_to_the_byte(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = make_run("one")
    files = []
    for out in (tmp_path / "a", tmp_path / "b"):
        build([run], out)
        files.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()})
    assert files[0] == files[1]


def test_a_folder_that_is_not_empty_is_refused_without_force(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run, out = slim(make_run()), tmp_path / "report"
    build([run], out)
    (out / "figures" / "old.png").touch()
    with pytest.raises(UsageError) as refused:
        build([run], out)
    assert str(refused.value) == f"{out} exists and is not empty; name another folder, or add --force to replace it."
    build([run], out, force=True)
    assert not (out / "figures" / "old.png").exists()


def test_a_file_of_the_users_among_the_figures_is_not_deleted(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run, out = slim(make_run()), tmp_path / "report"
    build([run], out)
    (out / "figures" / "notes.txt").touch()
    with pytest.raises(UsageError) as refused:
        build([run], out, force=True)
    assert str(refused.value) == (
        f"{out}/figures/notes.txt is no part of the result that --force deletes; move it out of {out}, or name another folder."
    )
    assert (out / "figures" / "notes.txt").exists()


def test_a_folder_that_is_no_report_is_not_replaced(make_run: Callable[..., Path], tmp_path: Path) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter1.tex").touch()
    with pytest.raises(UsageError) as refused:
        build([make_run()], thesis, force=True)
    assert str(refused.value) == f"{thesis} has no index.html, so emokit did not make it; --force will not replace it."


def test_a_report_does_not_replace_its_runs(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run, out = make_run(), tmp_path / "runs"
    (out / "index.html").touch()
    with pytest.raises(UsageError) as refused:
        build([run], out, force=True)
    assert str(refused.value) == (
        f"{out} contains the run {run}, which is to be reported; name another folder for the report."
    )
    assert (run / "metrics.json").exists()


def test_nothing_is_written_if_no_run_can_be_read(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(DataError) as refused:
        build([nowhere], tmp_path / "report")
    assert str(refused.value) == f"{nowhere} does not exist; name a run folder, as `emokit train` makes it with --run."
    assert not (tmp_path / "report").exists()


def test_an_interrupted_build_does_not_prevent_the_next(
    make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    run, out = slim(make_run()), tmp_path / "report"
    with monkeypatch.context() as patch:
        patch.setattr(building, "render", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build([run], out)
    assert not out.exists()
    assert build([run], out).exists()


def test_a_report_that_was_killed_is_marked_and_can_be_replaced(
    make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, out, pages = slim(make_run()), tmp_path / "report", []

    def killed(*_: object, **__: object) -> str:
        pages.append((out / "index.html").read_text())
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(building, "render", killed)
        with pytest.raises(KeyboardInterrupt):
            build([run], out)
    assert pages == [building.UNFINISHED]
    assert "This report is not complete; run `emokit report` again with --force." in pages[0]
    out.mkdir()
    (out / "index.html").write_text(pages[0])
    assert building.UNFINISHED not in build([run], out, force=True).read_text()
