"""`emokit demo`: the whole chain on synthesised corpora, offline, in under three minutes."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console

MARK = ".emokit-demo"


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make: corpora, prepared, runs, report.")] = Path(
        "demo"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing demo folder.")] = False,
) -> None:
    """Synthesise nine corpora, prepare them, train on audio and on text, sweep, fuse, report; needs no data."""
    import time

    from emokit.cli import sweep_tables
    from emokit.cli.fuse_search import fuse_search
    from emokit.cli.prepare import prepare
    from emokit.cli.report import report
    from emokit.cli.train import train
    from emokit.data.synthesis.corpora import CORPORA, write_corpus
    from emokit.files import check_new_folder, new_folder, resource, write_text
    from emokit.locks import locked
    from emokit.modality.registry import modality
    from emokit.sweep import run as sweeps
    from emokit.sweep.space import read_space

    started = time.monotonic()
    check_new_folder(out, force=force, what=MARK)
    with locked(out):
        new_folder(out, force=force, what=MARK)
        write_text(out / MARK, "This folder was made by `emokit demo`; `emokit demo --force` may replace it.\n")
        for name in CORPORA:
            console.say(f"synthesising {name}")
            write_corpus(name, out / "corpora" / name)
        roots = [f"{name}={out / 'corpora' / name}" for name in CORPORA]
        prepare(list(CORPORA), root=roots, out=out / "prepared")
        experiments, runs = resource("experiments"), out / "runs"
        audio, text = experiments / "audio" / "demo.yaml", experiments / "text" / "tfidf.yaml"
        train(modality("audio"), audio, data=out / "prepared", run=runs / "voice")
        train(modality("text"), text, data=out / "prepared", run=runs / "words")
        sweep = sweeps.begin(read_space(experiments / "text" / "demo_sweep.yaml"), out / "prepared", runs / "sweep")
        order = sweeps.order(sweep, None, out / "prepared", "auto", "auto")
        # In this process, which has loaded the libraries; `emokit sweep` starts worker processes.
        console.show(sweep_tables.standing(sweeps.work_here(sweep, order)))
        # Only MELD has both audio and text, so fusion is searched and scored on it.
        fuse_search([f"voice={runs / 'voice'}", f"words={runs / 'words'}"], run=runs / "fused", missing="drop")
        report([runs / "voice", runs / "words", runs / "fused", runs / "sweep"], out=out / "report")
        console.say(
            f"the demo took {time.monotonic() - started:.0f} s; open {out / 'report' / 'index.html'} in a browser"
        )
