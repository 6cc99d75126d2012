"""The most confident mistakes: which they are, their words and their sound, and labels that are doubted."""

import html
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pandas
import pytest
import yaml

from emokit.data.utterance import COLUMNS
from emokit.predictions import Predictions
from emokit.report.page.build import build
from emokit.report.page.mistakes import details, label_issues, mistakes, sources
from emokit.report.read_runs import Run, gather

MakeRun = Callable[..., Path]
EVIL = "<script>alert('x')</script>"


def prepare(folder: Path, root: Path, found: Predictions, **columns: object) -> Path:
    """A prepared folder with the rows of these predictions, whose sound is `<number> a.wav` below `root`."""
    ids = found.table["utterance_id"]
    table = pandas.DataFrame(dict.fromkeys(COLUMNS), index=range(len(ids))).assign(
        utterance_id=ids,
        corpus="emodb",
        text=[f"{EVIL} {id_}" for id_ in ids],
        path=[f"wav/{id_[6:]} a.wav" for id_ in ids],
    )
    folder.mkdir(parents=True)
    table.assign(**columns).to_parquet(folder / "utterances.parquet")
    (folder / "fingerprint").write_text("ab" * 32)
    (folder / "settings.yaml").write_text(yaml.safe_dump({"roots": {"emodb": str(root)}}))
    return folder


@pytest.fixture
def run(make_tested: MakeRun, tmp_path: Path, draw: Callable[..., Predictions]) -> Run:
    """A run that names a prepared folder, of whose corpus one sound is missing."""
    found = draw(1, 0.5)
    folder = make_tested("voice", found=found)
    (tmp_path / "corpora" / "wav").mkdir(parents=True)
    for id_ in found.table["utterance_id"]:
        (tmp_path / "corpora" / "wav" / f"{id_[6:]} a.wav").touch()
    prepared = prepare(tmp_path / "prepared", tmp_path / "corpora", found)
    environment = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(environment | {"data": str(prepared)}))
    return gather([folder])[0][0]


def test_the_surest_of_the_wrong_guesses_come_first(run: Run, tmp_path: Path) -> None:
    found = run.tested
    wrong = found.probabilities.argmax(axis=1) != found.targets
    surest = np.sort(found.probabilities.max(axis=1)[wrong])[::-1]
    listed = mistakes(run, None, tmp_path / "report")
    assert [one.confidence for one in listed] == pytest.approx(surest[:8])
    table = found.table.set_index("utterance_id")
    assert all(one.label == table["label"][one.utterance_id] != one.predicted for one in listed)
    assert {one.text + one.sound for one in listed} == {""}


def test_words_and_sound_come_from_the_prepared_folder(run: Run, tmp_path: Path) -> None:
    first, second, *_ = mistakes(run, None, tmp_path)
    (tmp_path / "corpora" / "wav" / f"{second.utterance_id[6:]} a.wav").unlink()
    source = sources([run])[run.fingerprint]
    there, gone, *_ = mistakes(run, source, tmp_path / "report")
    assert there.text == f"{EVIL} {first.utterance_id}"
    assert there.sound == f"../corpora/wav/{first.utterance_id[6:]}%20a.wav"
    assert gone.sound == ""


def test_markup_in_transcripts_is_shown_and_never_obeyed(run: Run, tmp_path: Path) -> None:
    (run.folder / "label_issues.csv").write_text(
        f'utterance_id,label,p_label,guess,p_predicted,text\n"{EVIL}",{EVIL},0.1,sad,0.9,"{EVIL} is doubted"\n'
    )
    page = build([run.folder], tmp_path / "report").read_text(encoding="utf-8")
    assert "<script" not in page
    shown = html.unescape(page)
    assert shown.count(f"<blockquote>{EVIL} emodb/") == 8
    assert f"{EVIL} is doubted" in shown
    assert page.count('<audio controls preload="none" src="../corpora/wav/') == 8
    assert "media-src 'self' file:" in page


def test_a_corpus_that_does_not_lie_beside_the_report_is_named_by_its_whole_path(run: Run, tmp_path: Path) -> None:
    source = sources([run])[run.fingerprint]
    first, *_ = mistakes(run, source, tmp_path / "far" / "report")
    address = urlparse(first.sound)
    assert address.scheme == "file"
    assert Path(unquote(address.path)) == tmp_path / "corpora" / "wav" / f"{first.utterance_id[6:]} a.wav"


@pytest.mark.parametrize("path", ["../secret.wav", "/etc/hostname", "wav", None])
def test_a_path_that_leads_out_of_the_corpus_gives_no_sound(run: Run, tmp_path: Path, path: str | None) -> None:
    (tmp_path / "secret.wav").touch()
    shutil.rmtree(tmp_path / "prepared")
    prepare(tmp_path / "prepared", tmp_path / "corpora", run.tested, path=path)
    found = details([run], [run], tmp_path / "report")[run.slug]
    assert {one.sound for one in found.mistakes} == {""}
    assert found.has_source


def test_a_fused_run_has_its_words_from_a_run_on_the_same_data(run: Run, make_tested: MakeRun, tmp_path: Path) -> None:
    fused = gather([make_tested("fused", found=run.tested)])[0][0]
    assert not details([fused], [fused], tmp_path / "report")["fused"].has_source
    found = details([fused], [fused, run], tmp_path / "report")["fused"]
    assert found.mistakes[0].text.startswith(EVIL)


@pytest.mark.parametrize("damage", ["fingerprint", "utterances.parquet", "settings.yaml", "all"])
def test_a_prepared_folder_that_is_gone_damaged_or_another_is_left_out(run: Run, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "prepared"
    shutil.rmtree(folder) if damage == "all" else (folder / damage).write_bytes(b"\xff[")
    found = details([run], [run], tmp_path / "report")[run.slug]
    assert not found.has_source
    assert len(found.mistakes) == 8


def test_a_run_without_predictions_says_why_there_are_no_mistakes(make_run: MakeRun, tmp_path: Path) -> None:
    [run], _ = gather([make_run("plain")])
    assert details([run], [run], tmp_path)["plain"].problem == (
        f"{run.folder} has no predictions/test.parquet, so it cannot be compared utterance by utterance; make the run again."
    )


def test_doubts_are_those_of_the_run_folder_and_none_where_they_are_damaged(run: Run) -> None:
    assert label_issues(run) == (0, [])
    row = "emodb/1,emodb,W,angry,0.0033,sad,0.9426,"
    (run.folder / "label_issues.csv").write_text(
        f'utterance_id,corpus,raw_label,label,p_label,guess,p_predicted,text\n{row}"{EVIL}, so"\n{row}NA\n'
    )
    number, listed = label_issues(run)
    assert number == 2
    assert listed[0] == {
        "utterance_id": "emodb/1",
        "label": "angry",
        "p_label": 0.0033,
        "predicted": "sad",
        "p_predicted": 0.9426,
        "text": f"{EVIL}, so",
    }
    assert listed[1]["text"] == "NA"
    for damaged in ("", "a,b\n1,2\n", "utterance_id,label,p_label,guess,p_predicted,text\n1,sad,much,sad,1,x\n"):
        (run.folder / "label_issues.csv").write_text(damaged)
        assert label_issues(run) == (0, [])
