"""The most confident mistakes with transcript and audio, and label issues."""

import html
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pandas
import pytest
import soundfile
import yaml

from emokit.data.audio_io.read import read_audio
from emokit.data.audio_io.reading import Reading
from emokit.data.store import write_shard
from emokit.data.utterance import COLUMNS
from emokit.predictions import Predictions
from emokit.report.page.build import build
from emokit.report.page.mistakes import details, label_issues, mistakes, sources
from emokit.report.read_runs import Run, gather
from emokit.settings import key_of

MakeRun = Callable[..., Path]
EVIL = "<script>alert('x')</script>"
HEADER = "utterance_id,corpus,raw_label,label,p_label,predicted,p_predicted,text"


def prepare(folder: Path, root: Path, predictions: Predictions, **columns: object) -> Path:
    """Write a prepared folder with the utterances of these predictions; their audio is `<number> a.wav` below `root`."""
    ids = predictions.table["utterance_id"]
    table = pandas.DataFrame(dict.fromkeys(COLUMNS), index=range(len(ids))).assign(
        utterance_id=ids,
        corpus="emodb",
        text=[f"{EVIL} {id_}" for id_ in ids],
        path=[f"wav/{id_[6:]} a.wav" for id_ in ids],
    )
    folder.mkdir(parents=True)
    table.assign(**columns).to_parquet(folder / "utterances.parquet")
    (folder / "fingerprint").write_text("ab" * 32)
    (folder / "settings.yaml").write_text(yaml.safe_dump({"roots": {"emodb": str(root)}, "features": {"n_mels": 2}}))
    store = folder / "features" / f"log-mel-{key_of({'n_mels': 2})}"
    store.mkdir(parents=True)
    files = {id_: root / "wav" / f"{id_[6:]} a.wav" for id_ in ids}
    write_shard(store, [Reading(id_, 1, 1, recording=read_audio(file).recording_hash()) for id_, file in files.items()])
    return folder


@pytest.fixture
def run(make_tested: MakeRun, tmp_path: Path, draw: Callable[..., Predictions]) -> Run:
    """A run that names its prepared folder; every utterance has audio."""
    predictions = draw(1, 0.5)
    folder = make_tested("voice", test=predictions)
    (tmp_path / "corpora" / "wav").mkdir(parents=True)
    for number, id_ in enumerate(predictions.table["utterance_id"], start=1):
        soundfile.write(tmp_path / "corpora" / "wav" / f"{id_[6:]} a.wav", [0.5, number / 2**15], 8_000)
    prepared = prepare(tmp_path / "prepared", tmp_path / "corpora", predictions)
    environment = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(environment | {"data": str(prepared)}))
    return gather([folder])[0][0]


def test_the_most_confident_wrong_predictions_come_first(run: Run, tmp_path: Path) -> None:
    predictions = run.tested
    wrong = predictions.probabilities.argmax(axis=1) != predictions.targets
    highest = np.sort(predictions.probabilities.max(axis=1)[wrong])[::-1]
    listed = mistakes(run, None, tmp_path / "report")
    assert [mistake.confidence for mistake in listed] == pytest.approx(highest[:8])
    labels = predictions.table.set_index("utterance_id")["label"]
    assert all(mistake.label == labels[mistake.utterance_id] != mistake.predicted for mistake in listed)
    assert {mistake.text + mistake.audio for mistake in listed} == {""}


def test_transcript_and_audio_come_from_the_prepared_folder(run: Run, tmp_path: Path) -> None:
    first, second, *_ = mistakes(run, None, tmp_path)
    (tmp_path / "corpora" / "wav" / f"{second.utterance_id[6:]} a.wav").unlink()
    source = sources([run])[run.fingerprint]
    with_audio, without_audio, *_ = mistakes(run, source, tmp_path / "report")
    assert with_audio.text == f"{EVIL} {first.utterance_id}"
    assert with_audio.audio == f"../corpora/wav/{first.utterance_id[6:]}%20a.wav"
    assert (without_audio.audio, without_audio.problem) == ("", "")


def test_another_recording_than_the_prepared_one_is_not_played(run: Run, tmp_path: Path) -> None:
    first, *_ = mistakes(run, None, tmp_path)
    file = tmp_path / "corpora" / "wav" / f"{first.utterance_id[6:]} a.wav"
    soundfile.write(file, [0.5, 0.25], 8_000)
    sentence = (
        f"{file} holds another recording than the one that was prepared as {first.utterance_id}; "
        "put that one back, or run `emokit prepare` again."
    )
    replaced, other, *_ = mistakes(run, sources([run])[run.fingerprint], tmp_path / "report")
    assert (replaced.audio, replaced.problem) == ("", sentence)
    assert other.audio
    page = html.unescape(build([run.folder], tmp_path / "report").read_text(encoding="utf-8"))
    assert page.count(f'<p class="note">{sentence}</p>') == 1
    assert page.count("<audio controls") == 7


def test_a_recording_that_a_link_leads_to_and_one_whose_name_is_not_utf_8_are_played(run: Run, tmp_path: Path) -> None:
    first, second, *_ = mistakes(run, None, tmp_path)
    wav = tmp_path / "corpora" / "wav"
    (tmp_path / "cache").mkdir()
    (wav / f"{first.utterance_id[6:]} a.wav").rename(tmp_path / "cache" / "blob")
    (wav / f"{first.utterance_id[6:]} a.wav").symlink_to(tmp_path / "cache" / "blob")
    (wav / f"{second.utterance_id[6:]} a.wav").rename(wav / os.fsdecode(b"caf\xe9.wav"))
    table = pandas.read_parquet(tmp_path / "prepared" / "utterances.parquet")
    table.loc[table["utterance_id"] == second.utterance_id, "path"] = r"wav/caf\xe9.wav"
    table.to_parquet(tmp_path / "prepared" / "utterances.parquet")
    linked, odd, *_ = mistakes(run, sources([run])[run.fingerprint], tmp_path / "report")
    assert linked.audio == f"../corpora/wav/{first.utterance_id[6:]}%20a.wav"
    assert odd.audio == "../corpora/wav/caf%E9.wav"


def test_markup_in_transcripts_is_escaped(run: Run, tmp_path: Path) -> None:
    (run.folder / "label_issues.csv").write_text(
        f'{HEADER}\n"{EVIL}",emodb,W,{EVIL},0.1,sad,0.9,"{EVIL} is an issue"\n'
    )
    page = build([run.folder], tmp_path / "report").read_text(encoding="utf-8")
    assert "<script" not in page
    shown = html.unescape(page)
    assert shown.count(f"<blockquote>{EVIL} emodb/") == 8
    assert f"{EVIL} is an issue" in shown
    assert page.count('<audio controls preload="none" src="../corpora/wav/') == 8
    assert "media-src 'self' file:" in page


def test_audio_that_is_not_beside_the_report_is_named_by_its_absolute_path(run: Run, tmp_path: Path) -> None:
    source = sources([run])[run.fingerprint]
    first, *_ = mistakes(run, source, tmp_path / "far" / "report")
    address = urlparse(first.audio)
    assert address.scheme == "file"
    assert Path(unquote(address.path)) == tmp_path / "corpora" / "wav" / f"{first.utterance_id[6:]} a.wav"


@pytest.mark.parametrize("path", ["../secret.wav", r"\u002e./secret.wav", "/etc/hostname", "wav", None])
def test_a_path_outside_of_the_corpus_gives_no_audio(run: Run, tmp_path: Path, path: str | None) -> None:
    (tmp_path / "secret.wav").touch()
    shutil.rmtree(tmp_path / "prepared")
    prepare(tmp_path / "prepared", tmp_path / "corpora", run.tested, path=path)
    detail = details([run], [run], tmp_path / "report")[run.slug]
    assert {mistake.audio for mistake in detail.mistakes} == {""}
    assert detail.has_source


def test_a_fused_run_takes_transcripts_from_a_run_on_the_same_data(
    run: Run, make_tested: MakeRun, tmp_path: Path
) -> None:
    fused = gather([make_tested("fused", test=run.tested)])[0][0]
    assert not details([fused], [fused], tmp_path / "report")["fused"].has_source
    detail = details([fused], [fused, run], tmp_path / "report")["fused"]
    assert detail.mistakes[0].text.startswith(EVIL)


@pytest.mark.parametrize("damage", ["fingerprint", "utterances.parquet", "settings.yaml", "all"])
def test_a_prepared_folder_that_is_missing_damaged_or_changed_is_ignored(run: Run, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "prepared"
    shutil.rmtree(folder) if damage == "all" else (folder / damage).write_bytes(b"\xff[")
    detail = details([run], [run], tmp_path / "report")[run.slug]
    assert not detail.has_source
    assert len(detail.mistakes) == 8


def test_a_run_without_predictions_says_why_there_are_no_mistakes(make_run: MakeRun, tmp_path: Path) -> None:
    [run], _ = gather([make_run("plain")])
    assert details([run], [run], tmp_path)["plain"].problem == (
        f"{run.folder} has no predictions/test.parquet, so it cannot be compared utterance by utterance; make the run again."
    )


def test_label_issues_are_read_from_the_run_folder_and_none_from_a_damaged_file(run: Run) -> None:
    assert label_issues(run) == (0, [])
    row = "emodb/1,emodb,W,angry,0.0033,sad,0.9426,"
    (run.folder / "label_issues.csv").write_text(f'{HEADER}\n{row}"{EVIL}, so"\n{row}NA\n')
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
    # as emokit writes it, so that a spreadsheet takes it as text
    (run.folder / "label_issues.csv").write_text(f"{HEADER}\n{row}'=1+1\n")
    assert label_issues(run)[1][0]["text"] == "=1+1"
    for damaged in ("", "a,b\n1,2\n", f"{HEADER}\n1,emodb,W,sad,much,sad,1,x\n"):
        (run.folder / "label_issues.csv").write_text(damaged)
        assert label_issues(run) == (0, [])
