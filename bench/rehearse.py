"""An import at full size without the recordings: a short tone under every name in a list, prepared twice.

    make rehearse CORPUS=esd MANIFEST=esd.csv OPTIONS="--datasets both-languages.yaml"
    make rehearse CORPUS=meld MANIFEST=meld.csv ALSO="train_sent_emo.csv dev_sent_emo.csv test_sent_emo.csv"

The list is a CSV with the columns path, sample_rate (Hz) and emotion (the raw label). The result is compared with it: every
name is recognised, every label is counted, and a second run on the unchanged folder is immediate.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from emokit.data.catalogue import read_catalogue
from emokit.data.sources.scan import UNKNOWN_NAME
from emokit.data.synthesis.rehearse import rehearse

# Runs the command in a separate process that writes its peak memory and that of its largest child.
RUN = """
import json, resource, sys
from emokit.cli.app import app
try:
    app(sys.argv[2:])
except SystemExit as end:
    code = end.code
peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
open(sys.argv[1], "w").write(json.dumps(peaks))
sys.exit(code)
"""
GIGABYTE = 1024**2 if sys.platform != "darwin" else 1024**3  # ru_maxrss is in KB, on a Mac in bytes


def main() -> int:
    """Write the files, prepare them twice, compare; exit status 1 if something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=list(read_catalogue()))
    parser.add_argument("manifest", type=Path)
    parser.add_argument("also", type=Path, nargs="*", help="further files of the corpus, such as annotations")
    parser.add_argument("--datasets", type=Path, help="as in `emokit prepare`: a file with your labels and options")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        root, out = Path(folder) / arguments.corpus, Path(folder) / "prepared"
        start = time.perf_counter()
        num_files = rehearse(arguments.manifest, root)
        for file in arguments.also:
            shutil.copy(file, root)
        print(f"{arguments.corpus}: {num_files} files written in {time.perf_counter() - start:.1f} s")
        command = ["prepare", arguments.corpus, "--root", f"{arguments.corpus}={root}", "--out", str(out), "--json"]
        command += [
            "--workers",
            str(arguments.workers),
            *(["--datasets", str(arguments.datasets)] if arguments.datasets else []),
        ]
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            process = subprocess.run(
                [sys.executable, "-c", RUN, f"{folder}/peaks", *command], capture_output=True, text=True, check=False
            )
            seconds.append(time.perf_counter() - start)
            if process.returncode:
                print(process.stderr)
                return process.returncode
            if len(seconds) == 1:
                main_peak, child_peak = json.loads(Path(f"{folder}/peaks").read_text())
        print(
            f"first run {seconds[0]:.1f} s, unchanged second run {seconds[1]:.2f} s: {seconds[0] / seconds[1]:.0f} times"
        )
        peak = (main_peak + arguments.workers * child_peak) / GIGABYTE
        print(f"peak memory at most {peak:.2f} GB in {1 + arguments.workers} processes")
        return _compare(json.loads(process.stdout)["corpora"][arguments.corpus], arguments)


def _compare(entry: dict, arguments: argparse.Namespace) -> int:
    """Print the ledger entry and the counts of the list; 1 if a name is unknown or a count differs."""
    labels = read_catalogue(arguments.datasets)[arguments.corpus].labels
    with arguments.manifest.open(encoding="utf-8", newline="") as file:
        listed = Counter(labels[row["emotion"]] for row in csv.DictReader(file))
    for reason, names in entry["dropped"].items():
        print(f"dropped {len(names)}: {reason}")
    for reason, names in entry["flagged"].items():
        print(f"flagged {len(names)}: {reason}")
    print("label", "listed", "kept", sep="\t")
    for label, count in entry["labels"].items():
        print(label, listed[label], count, sep="\t")
    print("left out", listed[None], sep="\t")
    print("total", listed.total(), entry["kept"], sep="\t")
    print("splits", {split: counts["utterances"] for split, counts in entry["splits"].items()})
    unknown = entry["dropped"].get(UNKNOWN_NAME, [])
    print(f"unknown names: {len(unknown)}")
    # Utterances dropped for other reasons, such as a text that dev repeats, are not among those kept.
    return int(bool(unknown) or entry["kept"] + sum(map(len, entry["dropped"].values())) < listed.total())


if __name__ == "__main__":
    sys.exit(main())
