"""`docs/python.md` and `docs/quickstart.ipynb` are executed, in their order, on synthesised recordings."""

import json
import re
import shutil
from pathlib import Path

import pandas
import pytest

from emokit.data.synthesis.corpora import write_corpus

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]

DOCS = Path(__file__).resolve().parents[2] / "docs"
PYTHON = DOCS / "python.md"
NOTEBOOK = DOCS / "quickstart.ipynb"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with what `python.md` names: a corpus, recordings with a table of labels, and one recording."""
    write_corpus("emodb", tmp_path / "data/emodb", size=0.3)
    shutil.copytree(tmp_path / "data/emodb", tmp_path / "recordings")
    files = sorted((tmp_path / "recordings").rglob("*.wav"))
    rows = [(path.relative_to(tmp_path / "recordings"), path.name[5], path.name[:2]) for path in files]
    pandas.DataFrame(rows, columns=["path", "label", "speaker"]).to_csv(tmp_path / "labels.csv", index=False)
    shutil.copy(files[0], tmp_path / "some.wav")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_snippets_of_python_md_run_in_their_order(folder, capsys):
    blocks = re.findall(r"```python\n(.*?)```", PYTHON.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 8
    namespace: dict = {}
    for block in blocks:
        exec(compile(block, "python.md", "exec"), namespace)
    shown = capsys.readouterr().out
    assert "Prepared('prepared-emodb': " in shown
    assert "missing.wav is unreadable" in shown
    assert {"runs/calls/metrics.json", "runs/acrnn/metrics.json"} <= {
        path.relative_to(folder).as_posix() for path in folder.rglob("metrics.json")
    }
    # The recording has another sample rate than the model, so the scores differ a little.
    scores = {
        entry["label"]: entry["score"]
        for entry in namespace["classify"]({"array": namespace["waveform"], "sampling_rate": namespace["sample_rate"]})
    }
    assert scores == pytest.approx(namespace["model"].predict("some.wav").probabilities, abs=0.05)


def test_the_notebook_runs_from_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["kernelspec"]["language"]) == (4, "python")
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) >= 6
    namespace: dict = {}
    for source in code:
        exec(compile(source, NOTEBOOK.name, "exec"), namespace)
    scores = namespace["run"].scores
    assert scores.loc["test", "uar"] > scores.loc["test", "uar_majority"]
    assert namespace["result"].label in namespace["labels"]
    assert str(namespace["results"].errors[0]).startswith("missing.wav is unreadable")


def test_the_notebook_shows_what_its_cells_return(tmp_path):
    """Its stored outputs are there, none is an error, and none names a folder of the machine that made it."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    shown = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert len(shown) == sum(cell["cell_type"] == "code" for cell in cells)
    assert {output["output_type"] for output in shown} == {"execute_result"}
