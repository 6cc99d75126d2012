"""An import at full size without the recordings: a short tone under every name of a list, prepared twice.

    make rehearse CORPUS=esd MANIFEST=esd.csv OPTIONS="--datasets both-languages.yaml"
    make rehearse CORPUS=meld MANIFEST=meld.csv ALSO="train_sent_emo.csv dev_sent_emo.csv test_sent_emo.csv"

The list is a CSV with the columns path, sample_rate (Hz) and emotion (the corpus's own word). What comes out is compared
with it: every name is understood, every label is counted, and a second run of the unchanged folder takes no time.
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

# The command in a process of its own, which says at the end how much memory it and the largest of its children held.
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
    """Make the files, prepare them twice, compare; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=list(read_catalogue()))
    parser.add_argument("manifest", type=Path)
    parser.add_argument("also", type=Path, nargs="*", help="files that the corpus has beside its sound")
    parser.add_argument("--datasets", type=Path, help="as of `emokit prepare`: labels and options of your own")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        root, out = Path(folder) / asked.corpus, Path(folder) / "prepared"
        start = time.perf_counter()
        num_files = rehearse(asked.manifest, root)
        for file in asked.also:
            shutil.copy(file, root)
        print(f"{asked.corpus}: {num_files} files made in {time.perf_counter() - start:.1f} s")
        command = ["prepare", asked.corpus, "--root", f"{asked.corpus}={root}", "--out", str(out), "--json"]
        command += ["--workers", str(asked.workers), *(["--datasets", str(asked.datasets)] if asked.datasets else [])]
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", RUN, f"{folder}/peaks", *command], capture_output=True, text=True, check=False
            )
            seconds.append(time.perf_counter() - start)
            if done.returncode:
                print(done.stderr)
                return done.returncode
            if len(seconds) == 1:
                own, largest_child = json.loads(Path(f"{folder}/peaks").read_text())
        print(
            f"first run {seconds[0]:.1f} s, unchanged second run {seconds[1]:.2f} s: {seconds[0] / seconds[1]:.0f} times"
        )
        peak = (own + asked.workers * largest_child) / GIGABYTE
        print(f"peak memory at most {peak:.2f} GB in {1 + asked.workers} processes")
        return _compare(json.loads(done.stdout)["corpora"][asked.corpus], asked)


def _compare(found: dict, asked: argparse.Namespace) -> int:
    """Print what was found beside what the list says; 1 where a name was not understood or a label is miscounted."""
    labels = read_catalogue(asked.datasets)[asked.corpus].labels
    with asked.manifest.open(encoding="utf-8", newline="") as file:
        listed = Counter(labels[row["emotion"]] for row in csv.DictReader(file))
    for reason, names in found["dropped"].items():
        print(f"dropped {len(names)}: {reason}")
    for reason, names in found["flagged"].items():
        print(f"flagged {len(names)}: {reason}")
    print("label", "listed", "kept", sep="\t")
    for label, kept in found["labels"].items():
        print(label, listed[label], kept, sep="\t")
    print("left out", listed[None], sep="\t")
    print("in all", listed.total(), found["kept"], sep="\t")
    print("splits", {split: part["utterances"] for split, part in found["splits"].items()})
    unknown = found["dropped"].get(UNKNOWN_NAME, [])
    print(f"names not understood: {len(unknown)}")
    # What is dropped for a reason of its own, such as a text that dev repeats, is missing among the kept.
    return int(bool(unknown) or found["kept"] + sum(map(len, found["dropped"].values())) < listed.total())


if __name__ == "__main__":
    sys.exit(main())
