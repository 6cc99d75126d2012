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
    found = list(crema_d.read(root, options))
    kept = [row for row in found if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in kept}) == len(kept)
    return {row.utterance_id: row for row in kept}, [row for row in found if isinstance(row, Dropped)]


def test_a_name_says_actor_sentence_emotion_and_level(tmp_path: Path) -> None:
    root = make(tmp_path, "AudioWAV/1002_IEO_HAP_LO.wav", "AudioWAV/1001_DFA_ANG_XX.WAV")
    (root / "VideoDemographics.csv").write_text(DEMOGRAPHICS)
    kept, dropped = read(root)
    assert not dropped
    assert kept["crema_d/1002_IEO_HAP_LO"] == Utterance(
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
    assert kept["crema_d/1001_DFA_ANG_XX"].gender == "male"
    assert kept["crema_d/1001_DFA_ANG_XX"].intensity is None


def test_without_demographics_the_gender_is_left_open(tmp_path: Path) -> None:
    kept, _ = read(make(tmp_path, "1001_DFA_ANG_XX.wav"))
    assert kept["crema_d/1001_DFA_ANG_XX"].gender is None


def test_the_name_with_one_x_of_old_copies_is_read_as_xx_and_flagged(tmp_path: Path) -> None:
    kept, _ = read(make(tmp_path, "1040_ITH_SAD_X.wav"))
    assert kept["crema_d/1040_ITH_SAD_XX"].flags == ("level X in the name, read as XX",)
    kept, dropped = read(make(tmp_path, "old/1040_ITH_SAD_XX.wav"))
    assert list(kept) == ["crema_d/1040_ITH_SAD_XX"]
    assert [(row.name, row.reason) for row in dropped] == [
        ("old/1040_ITH_SAD_XX.wav", "a copy of a file of the same name")
    ]


@pytest.mark.parametrize("stem", ["1000_DFA_ANG_XX", "1092_DFA_ANG_XX", "1001_DFA_ANG", "1001_ABC_ANG_XX", "03a01Fa"])
def test_a_name_that_the_corpus_does_not_have_is_dropped(tmp_path: Path, stem: str) -> None:
    kept, dropped = read(make(tmp_path, f"{stem}.wav"))
    assert not kept
    assert dropped == [Dropped(f"{stem}.wav", "a name that this corpus does not have")]


def test_mp3_and_flash_are_dropped_as_the_same_recordings(tmp_path: Path) -> None:
    root = make(
        tmp_path, "AudioWAV/1001_DFA_ANG_XX.wav", "AudioMP3/1001_DFA_ANG_XX.mp3", "VideoFlash/1001_DFA_ANG_XX.flv"
    )
    kept, dropped = read(root)
    assert [row.path for row in kept.values()] == ["AudioWAV/1001_DFA_ANG_XX.wav"]
    assert {row.name for row in dropped} == {"AudioMP3/1001_DFA_ANG_XX.mp3", "VideoFlash/1001_DFA_ANG_XX.flv"}
    assert {row.reason for row in dropped} == {"AudioMP3 and VideoFlash hold the same recordings"}


def test_the_voice_votes_replace_the_acted_emotion_and_ties_are_dropped(tmp_path: Path) -> None:
    root = make(tmp_path, "1001_DFA_ANG_XX.wav", "1001_IEO_HAP_LO.wav", "1001_TIE_SAD_XX.wav", "1040_ITH_SAD_X.wav")
    (root / "processedResults").mkdir()
    (root / "processedResults" / "summaryTable.csv").write_text(VOTES)
    kept, dropped = read(root, labels="voice")
    assert {name: row.raw_label for name, row in kept.items()} == {
        "crema_d/1001_DFA_ANG_XX": "NEU",
        "crema_d/1040_ITH_SAD_XX": "SAD",
    }
    assert dropped == [
        Dropped("1001_IEO_HAP_LO.wav", "the voice votes are tied", "H:N"),
        Dropped("1001_TIE_SAD_XX.wav", "no voice vote", ""),
    ]


def test_voice_labels_without_the_table_or_its_column_end_in_a_sentence(tmp_path: Path) -> None:
    root = make(tmp_path, "1001_DFA_ANG_XX.wav")
    with pytest.raises(DataError) as caught:
        read(root, labels="voice")
    assert str(caught.value) == (
        f"crema_d has labels: voice, but {root} holds no processedResults/summaryTable.csv; "
        "add it from the corpus's repository, or take labels: acted."
    )
    (root / "summaryTable.csv").write_text("FileName,FaceVote\n1001_DFA_ANG_XX,A\n")
    with pytest.raises(DataError) as caught:
        read(root, labels="voice")
    assert str(caught.value) == (
        f"summaryTable.csv of {root} lacks the column VoiceVote; take it from the corpus's repository."
    )


def test_another_value_of_the_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, labels="face")
    assert str(caught.value) == "crema_d has the option labels: face; expected acted or voice."


def test_an_empty_root_yields_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) == ({}, [])


@pytest.mark.corpus
def test_the_real_piece_keeps_its_seven_wavs(corpora: Path) -> None:
    kept, dropped = read(corpora / "cremad")
    assert len(kept) == 7
    assert {row.gender for row in kept.values()} == {"male"}
    assert Counter(row.reason for row in dropped) == {"AudioMP3 and VideoFlash hold the same recordings": 12}


@pytest.mark.corpus
def test_every_name_of_the_whole_corpus_is_read(corpora: Path, tmp_path: Path) -> None:
    manifest = corpora / "name-manifests" / "cremad.csv"
    rehearse(manifest, tmp_path / "cremad", seconds=0)
    for table in ("VideoDemographics.csv", "processedResults/summaryTable.csv"):
        (tmp_path / "cremad" / Path(table).name).write_bytes((corpora / "cremad" / table).read_bytes())
    kept, dropped = read(tmp_path / "cremad")
    assert (len(kept), dropped) == (7442, [])
    with manifest.open() as file:
        wanted = {f"crema_d/{Path(row['path']).stem}": row["emotion"] for row in csv.DictReader(file)}
    assert {name: row.raw_label for name, row in kept.items()} == wanted
    assert Counter(row.gender for row in kept.values() if row.intensity is None).keys() == {"female", "male"}
    genders = {row.speaker: row.gender for row in kept.values()}
    assert Counter(genders.values()) == {"male": 48, "female": 43}
    assert len({row.sentence for row in kept.values()}) == 12

    voted, dropped = read(tmp_path / "cremad", labels="voice")
    assert len(voted) == 7442 - 644
    assert Counter(row.reason for row in dropped) == {"the voice votes are tied": 644}
    assert sum(row.raw_label == kept[name].raw_label for name, row in voted.items()) == 3099
