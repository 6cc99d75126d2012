"""Processes are started without the script that starts them."""

import os
import subprocess
import sys
from pathlib import Path

import emokit
from emokit.data.synthesis.corpora import write_corpus

SCRIPT = """
from pathlib import Path

with Path("runs-of-this-script").open("a") as file:
    file.write("x")

import emokit

data = emokit.prepare("emodb", root={"emodb": "emodb"}, workers=2)
print(len(data.table), __file__, __spec__)
"""


def test_a_script_without_a_guard_prepares_many_files_and_runs_once(tmp_path):
    write_corpus("emodb", tmp_path / "emodb", size=0.5)
    (tmp_path / "script.py").write_text(SCRIPT)
    path = os.pathsep.join([str(Path(emokit.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    size, file, spec = done.stdout.split()
    assert int(size) > 64  # fewer files are read without other processes
    assert (file, spec) == (str(tmp_path / "script.py"), "None")
    assert (tmp_path / "runs-of-this-script").read_text() == "x"
