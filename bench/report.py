"""Time, size and memory of a report on many runs; run by `make bench`.

200 runs on 2,610 utterances of 280 dialogues (the size of MELD's test split), ten of them broken, on one core.
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import numpy
import pandas
import yaml

from emokit import metrics, predictions
from emokit.cli import console
from emokit.labels import DEFAULT_LABELS
from emokit.report.comparison.compare import compare_runs
from emokit.report.page.build import build

RUNS, BROKEN, UTTERANCES, DIALOGUES, EPOCHS = 200, 10, 2_610, 280, 40


def utterances() -> pandas.DataFrame:
    """The test utterances, the same for all runs."""
    random = numpy.random.default_rng(0)
    dialogues = numpy.sort(random.integers(0, DIALOGUES, UTTERANCES))
    return pandas.DataFrame(
        {
            "utterance_id": [f"meld/{number:04d}" for number in range(UTTERANCES)],
            "corpus": "meld",
            "speaker": "Ross",
            "dialogue": dialogues.astype(str),
            "split": "test",
            "label": numpy.array(DEFAULT_LABELS)[
                random.choice(7, UTTERANCES, p=[0.14, 0.02, 0.04, 0.15, 0.42, 0.1, 0.13])
            ],
        }
    )


def write_run(run: Path, table: pandas.DataFrame, number: int) -> None:
    """Write a run folder of random predictions; the accuracy rises with its number."""
    random = numpy.random.default_rng(number)
    targets = DEFAULT_LABELS.targets(table["label"])
    logits = random.normal(size=(len(table), len(DEFAULT_LABELS)))
    logits[numpy.arange(len(table)), targets] += 0.5 + 2 * number / RUNS
    powers = numpy.exp(logits)
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    predicted = predictions.make(table, probabilities, labels=DEFAULT_LABELS, model="tiny", fingerprint="ab" * 32)
    predictions.write(predicted, run / "predictions" / "test.parquet")
    majority = metrics.majority_baseline(table["label"], predicted)
    scored = metrics.score(predicted, num_resamples=100) | {"baselines": {"majority": majority, "simple": majority}}
    settings = {"name": run.name, "training": {"seed": 0, "lr": 0.001 * number, "dropout": number % 7 / 10}}
    (run / "settings.yaml").write_text(yaml.safe_dump(settings))
    (run / "environment.json").write_text(json.dumps({"data_fingerprint": "ab" * 32, "seed": 0, "device": "cpu"}))
    lines = [
        {
            "epoch": epoch,
            "train_loss": 2 / epoch,
            "dev_loss": 1 + 1 / epoch,
            "dev_uar": 0.5 - 0.4 / epoch,
            "seconds": 1.5,
        }
        for epoch in range(1, EPOCHS + 1)
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    about = {
        "name": run.name,
        "modality": "text",
        "model": "tiny",
        "labels": list(DEFAULT_LABELS),
        "epochs": EPOCHS,
        "best_epoch": EPOCHS,
    }
    # Real dev splits have about the size of test.
    (run / "metrics.json").write_text(json.dumps(about | {"splits": {"dev": scored, "test": scored}}))


def main() -> None:
    """Write the runs, report on them, and compare two of them."""
    with tempfile.TemporaryDirectory() as folder:
        table = utterances()
        runs = [Path(folder) / "runs" / f"trial-{number:03d}" for number in range(RUNS)]
        for number, run in enumerate(runs):
            run.mkdir(parents=True)
            write_run(run, table, number)
        for run in runs[:BROKEN]:
            (run / "metrics.json").write_text('{"splits": {"te')
        started, cpu_started = time.monotonic(), time.process_time()
        page = build(runs, Path(folder) / "report")
        wall, cpu = time.monotonic() - started, time.process_time() - cpu_started
        files = [path for path in page.parent.rglob("*") if path.is_file()]
        page_size, total_size = page.stat().st_size / 1e6, sum(path.stat().st_size for path in files) / 1e6
        console.show(
            f"report of {RUNS} runs, {BROKEN} of them broken: {wall:.1f} s ({cpu:.1f} s CPU time), "
            f"page {page_size:.1f} MB, {total_size:.1f} MB with its {len(files) - 1} figure files"
        )
        started = time.monotonic()
        compare_runs(runs[-2:])
        console.show(f"comparison of two runs of {UTTERANCES:,} utterances: {time.monotonic() - started:.1f} s")
        console.show(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
