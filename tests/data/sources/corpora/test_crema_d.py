import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emokit.data.sources.corpora import crema_d
from emokit.data.synthesis.rehearse import rehearse
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError, UsageError

DEMOGRAPHICS = '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","x","y"\n1002,21,"Female","x","y"\n'
VOTES = (
    '"","FileName","VoiceVote","VoiceLevel"\n'
    '"1","1001_DFA_ANG_XX","N","69"\n"2","1001_IEO_HAP_LO","H:N","50:50"\n"3","1040_ITH_SAD_XX","S","40"\n'
)


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def read(root: Path, **options: Any) -> tuple[dict[str, Utterance], list[Dropped]]:
    rows = list(crema_d.read(root, options))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in utterances}) == len(utterances)
    return {row.utterance_id: row for row in utterances}, [row for row in rows if isinstance(row, Dropped)]


def test_a_name_contains_actor_sentence_emotion_and_level(tmp_path: Path) -> None:
    root = make(tmp_path, "AudioWAV/1002_IEO_HAP_LO.wav", "AudioWAV/1001_DFA_ANG_XX.WAV")
    (root / "VideoDemographics.csv").write_text(DEMOGRAPHICS)
    utterances, dropped = read(root)
    assert not dropped
    assert utterances["crema_d/1002_IEO_HAP_LO"] == Utterance(
        utterance_id="crema_d/1002_IEO_HAP_LO",
        corpus="crema_d",
        path="AudioWAV/1002_IEO_HAP_LO.wav",
        speaker="1002",
        raw_label="HAP",
        gender="female",
        language="en",
        text="It's eleven o'clock.",
        intensity="low",
        sentence="IEO",
    )
    assert utterances["crema_d/1001_DFA_ANG_XX"].gender == "male"
    assert utterances["crema_d/1001_DFA_ANG_XX"].intensity is None


def test_without_demographics_the_gender_is_none(tmp_path: Path) -> None:
    utterances, _ = read(make(tmp_path, "1001_DFA_ANG_XX.wav"))
    assert utterances["crema_d/1001_DFA_ANG_XX"].gender is None


def test_the_name_with_one_x_of_old_copies_is_read_as_xx_and_flagged(tmp_path: Path) -> None:
    utterances, _ = read(make(tmp_path, "1040_ITH_SAD_X.wav"))
    assert utterances["crema_d/1040_ITH_SAD_XX"].flags == ("level X in the name, read as XX",)
    utterances, dropped = read(make(tmp_path, "old/1040_ITH_SAD_XX.wav"))
    assert list(utterances) == ["crema_d/1040_ITH_SAD_XX"]
    assert [(row.name, row.reason) for row in dropped] == [
        ("old/1040_ITH_SAD_XX.wav", "a copy of a file of the same name")
    ]


@pytest.mark.parametrize("stem", ["1000_DFA_ANG_XX", "1092_DFA_ANG_XX", "1001_DFA_ANG", "1001_ABC_ANG_XX", "03a01Fa"])
def test_an_unknown_name_is_dropped(tmp_path: Path, stem: str) -> None:
    utterances, dropped = read(make(tmp_path, f"{stem}.wav"))
    assert not utterances
    assert dropped == [Dropped(f"{stem}.wav", "unknown file name")]


def test_mp3_and_flash_are_dropped_as_the_same_recordings(tmp_path: Path) -> None:
    root = make(
        tmp_path, "AudioWAV/1001_DFA_ANG_XX.wav", "AudioMP3/1001_DFA_ANG_XX.mp3", "VideoFlash/1001_DFA_ANG_XX.flv"
    )
    utterances, dropped = read(root)
    assert [row.path for row in utterances.values()] == ["AudioWAV/1001_DFA_ANG_XX.wav"]
    assert {row.name for row in dropped} == {"AudioMP3/1001_DFA_ANG_XX.mp3", "VideoFlash/1001_DFA_ANG_XX.flv"}
    assert {row.reason for row in dropped} == {"AudioMP3 and VideoFlash hold the same recordings"}


def test_the_voice_votes_replace_the_acted_emotion_and_ties_are_dropped(tmp_path: Path) -> None:
    root = make(tmp_path, "1001_DFA_ANG_XX.wav", "1001_IEO_HAP_LO.wav", "1001_TIE_SAD_XX.wav", "1040_ITH_SAD_X.wav")
    (root / "processedResults").mkdir()
    (root / "processedResults" / "summaryTable.csv").write_text(VOTES)
    utterances, dropped = read(root, labels="voice")
    assert {name: row.raw_label for name, row in utterances.items()} == {
        "crema_d/1001_DFA_ANG_XX": "NEU",
        "crema_d/1040_ITH_SAD_XX": "SAD",
    }
    assert dropped == [
        Dropped("1001_IEO_HAP_LO.wav", "the voice votes are tied", "H:N"),
        Dropped("1001_TIE_SAD_XX.wav", "no voice vote", ""),
    ]


def test_voice_labels_without_the_table_or_its_column_are_refused(tmp_path: Path) -> None:
    root = make(tmp_path, "1001_DFA_ANG_XX.wav")
    with pytest.raises(DataError) as caught:
        read(root, labels="voice")
    assert str(caught.value) == (
        f"crema_d has labels: voice, but {root} holds no processedResults/summaryTable.csv; "
        "add it from the corpus's repository, or use labels: acted."
    )
    (root / "summaryTable.csv").write_text("FileName,FaceVote\n1001_DFA_ANG_XX,A\n")
    with pytest.raises(DataError) as caught:
        read(root, labels="voice")
    assert str(caught.value) == (
        f"summaryTable.csv of {root} lacks the column VoiceVote; replace it by the file of the corpus's repository."
    )


def test_another_value_of_the_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, labels="face")
    assert str(caught.value) == "crema_d has the option labels: face; expected acted or voice."


def test_an_empty_root_yields_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) == ({}, [])


@pytest.mark.corpus
def test_the_real_sample_has_seven_wavs(corpora: Path) -> None:
    utterances, dropped = read(corpora / "cremad")
    assert len(utterances) == 7
    assert {row.gender for row in utterances.values()} == {"male"}
    assert Counter(row.reason for row in dropped) == {"AudioMP3 and VideoFlash hold the same recordings": 12}


@pytest.mark.corpus
def test_every_name_of_the_complete_corpus_is_read(corpora: Path, tmp_path: Path) -> None:
    manifest = corpora / "name-manifests" / "cremad.csv"
    rehearse(manifest, tmp_path / "cremad", seconds=0)
    for table in ("VideoDemographics.csv", "processedResults/summaryTable.csv"):
        (tmp_path / "cremad" / Path(table).name).write_bytes((corpora / "cremad" / table).read_bytes())
    utterances, dropped = read(tmp_path / "cremad")
    assert (len(utterances), dropped) == (7442, [])
    with manifest.open() as file:
        expected = {f"crema_d/{Path(row['path']).stem}": row["emotion"] for row in csv.DictReader(file)}
    assert {name: row.raw_label for name, row in utterances.items()} == expected
    assert Counter(row.gender for row in utterances.values() if row.intensity is None).keys() == {"female", "male"}
    genders = {row.speaker: row.gender for row in utterances.values()}
    assert Counter(genders.values()) == {"male": 48, "female": 43}
    assert len({row.sentence for row in utterances.values()}) == 12

    by_vote, dropped = read(tmp_path / "cremad", labels="voice")
    assert len(by_vote) == 7442 - 644
    assert Counter(row.reason for row in dropped) == {"the voice votes are tied": 644}
    assert sum(row.raw_label == utterances[name].raw_label for name, row in by_vote.items()) == 3099
