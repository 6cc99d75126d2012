"""The layouts of CREMA-D, ESD, JL-Corpus and MELD."""

import csv
import re
from pathlib import Path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_crema_d_has_its_three_tables_and_a_vote_for_every_clip(synthesised: Path) -> None:
    root = synthesised / "crema_d"
    stems = {path.stem for path in root.rglob("*.wav")}
    votes = table(root / "processedResults" / "summaryTable.csv")
    expected = ["", "FileName", "VoiceVote", "VoiceLevel", "FaceVote", "FaceLevel", "MultiModalVote", "MultiModalLevel"]
    assert list(votes[0]) == expected
    assert {row["FileName"] for row in votes} == stems
    assert all(re.fullmatch(r"[ADFHNS](:[ADFHNS])?", row["VoiceVote"]) for row in votes)
    assert {row["Filename"] for row in table(root / "SentenceFilenames.csv")} == stems
    actors = table(root / "VideoDemographics.csv")
    assert list(actors[0]) == ["ActorID", "Age", "Sex", "Race", "Ethnicity"]
    assert {row["ActorID"] for row in actors} == {stem[:4] for stem in stems}


def test_esd_has_transcripts_in_the_encodings_of_its_speakers_and_sentences_of_all_three_splits(
    synthesised: Path,
) -> None:
    root = synthesised / "esd" / "Emotion Speech Dataset"
    encodings = {
        "0011": "utf-8",
        "0013": "utf-16",
        "0015": "utf-8",
        "0016": "latin-1",
        "0018": "utf-16",
        "0020": "utf-8",
    }
    for speaker, encoding in encodings.items():
        lines = (root / speaker / f"{speaker}.txt").read_bytes().decode(encoding).splitlines()
        rows = [line.split("\t") for line in lines]
        assert {stem for stem, _, _ in rows} == {path.stem for path in (root / speaker).rglob("*.wav")}
        for stem, text, emotion in rows:
            assert text.endswith(".")
            assert (root / speaker / emotion / f"{stem}.wav").exists()
        sentences = {(int(stem[5:]) - 1) % 350 + 1 for stem, _, _ in rows}
        assert sentences == {1, 21, 51, 101, 201}


def test_jl_has_a_sentence_in_a_text_file_beside_every_audio_file(synthesised: Path) -> None:
    for path in (synthesised / "jl_corpus").rglob("*.wav"):
        assert path.with_suffix(".txt").read_text(encoding="utf-8").endswith(".\n")


def test_meld_has_a_row_for_every_clip_and_a_clip_for_every_row(synthesised: Path) -> None:
    clips = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
    columns = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
    for split, clip_folder in clips.items():
        path = synthesised / "meld" / f"{split}_sent_emo.csv"
        assert path.read_bytes().startswith(f"{columns}\r\n".encode())
        rows = table(path)
        expected = {f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}" for row in rows}
        assert len(expected) == len(rows)
        assert expected == {clip.stem for clip in (synthesised / "meld" / clip_folder).iterdir()}
        assert {row["Emotion"] for row in rows} == {"neutral", "joy", "surprise", "anger", "sadness", "disgust", "fear"}
        assert {row["Sentiment"] for row in rows} == {"neutral", "positive", "negative"}
        assert all(re.fullmatch(r"\d\d:\d\d:\d\d,\d{3}", row["StartTime"]) for row in rows)
