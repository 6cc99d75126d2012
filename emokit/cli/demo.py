"""`emokit demo`: the whole chain on synthesised corpora, offline, in under three minutes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console

MARK = ".emokit-demo"
NAMES = (MARK, "corpora", "prepared", "runs", "report")  # of what the demo writes


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make: corpora, prepared, runs, report.")] = Path(
        "demo"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing demo folder.")] = False,
) -> None:
    """Synthesise nine corpora, prepare them, train on audio and on text, sweep, fuse, report; needs no data."""
    from emokit.data.synthesis.corpora import CORPORA
    from emokit.files import resource

    make(out, resource("experiments"), CORPORA, force=force)


def make(
    out: Path,
    experiments: Path,
    corpora: Sequence[str],
    *,
    size: float = 1.0,
    device: str = "auto",
    force: bool = False,
) -> None:
    """Take every step of the demo.

    Args:
        out: folder to make.
        experiments: folder with `audio/demo.yaml`, `text/tfidf.yaml` and `text/demo_sweep.yaml`.
        corpora: to synthesise and prepare.
        size: of the corpora, as `write_corpus` takes it.
        device: that models are trained on.
        force: replace an existing demo folder.

    Raises:
        EmokitError: a step failed, with the error of its command.
    """
    import time

    from emokit.cli import sweep_tables
    from emokit.cli.fuse_search import fuse_search
    from emokit.cli.prepare import prepare
    from emokit.cli.report import report
    from emokit.cli.train import train
    from emokit.data.synthesis.corpora import write_corpus
    from emokit.files import check_new_folder, new_folder, write_text
    from emokit.locks import locked
    from emokit.modality.registry import modality
    from emokit.sweep import run as sweeps
    from emokit.sweep.space import read_space

    started = time.monotonic()
    check_new_folder(out, force=force, what=MARK, names=NAMES)
    with locked(out):
        new_folder(out, force=force, what=MARK, names=NAMES)
        write_text(out / MARK, "This folder was made by `emokit demo`; `emokit demo --force` may replace it.\n")
        for name in corpora:
            console.say(f"synthesising {name}")
            write_corpus(name, out / "corpora" / name, size=size)
        runs, data = out / "runs", out / "prepared"
        with console.no_suggestions():
            _announce(1, "emokit prepare")
            prepare(list(corpora), root=[f"{name}={out / 'corpora' / name}" for name in corpora], out=data)
            _announce(2, "emokit train audio")
            audio, text = experiments / "audio" / "demo.yaml", experiments / "text" / "tfidf.yaml"
            train(modality("audio"), audio, data=data, run=runs / "audio", device=device)
            _announce(3, "emokit train text")
            train(modality("text"), text, data=data, run=runs / "text", device=device)
            _announce(4, "emokit sweep")
            space = read_space(experiments / "text" / "demo_sweep.yaml")
            plan = sweeps.begin(space, data, runs / "sweep", device=device)
            # In this process, which has loaded the libraries; `emokit sweep` starts worker processes.
            summary = sweeps.work_here(plan, sweeps.order(plan, None, data, device, "auto"))
            console.show(sweep_tables.standing(summary))
            console.done(runs / "sweep")
            _announce(5, "emokit fuse-search")
            # Only MELD has both audio and text, so fusion is searched and scored on it.
            fuse_search([f"audio={runs / 'audio'}", f"text={runs / 'text'}"], run=runs / "fused", missing="drop")
            _announce(6, "emokit report")
            report([runs / "audio", runs / "text", runs / "fused", runs / "sweep"], out=out / "report")
    console.say(f"the demo took {time.monotonic() - started:.0f} s; open {out / 'report' / 'index.html'} in a browser")


def _announce(step: int, command: str) -> None:
    console.say(f"step {step} of 6: {command}")
