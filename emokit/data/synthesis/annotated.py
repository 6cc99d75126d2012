"""Layouts of CREMA-D, ESD, IEMOCAP, JL-Corpus, MELD and MSP-Podcast: recordings with tables or transcripts."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator

import numpy

from emokit.data.synthesis.layout import AudioFile, TextFile, num_takes
from emokit.data.synthesis.lines import line, plain_sentence

# Actor, age and sex as in the real table.
CREMA_D_ACTORS = {
    1001: (51, "Male"),
    1002: (21, "Female"),
    1003: (21, "Female"),
    1004: (42, "Female"),
    1005: (29, "Male"),
    1006: (58, "Female"),
    1007: (38, "Female"),
    1011: (32, "Male"),
    1014: (24, "Male"),
    1015: (32, "Male"),
}
CREMA_D_EMOTIONS = {"ANG": "angry", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
CREMA_D_TAKES = ("DFA_XX", "IEO_HI", "TIE_XX", "IEO_LO", "IOM_XX", "IEO_MD", "IWW_XX", "TAI_XX", "MTI_XX", "IWL_XX",
                 "ITH_XX", "ITS_XX", "TSI_XX", "WSI_XX")  # fmt: skip
CREMA_D_ACTOR_HEADER = ("ActorID", "Age", "Sex", "Race", "Ethnicity")
CREMA_D_VOTE_HEADER = ("", "FileName", "VoiceVote", "VoiceLevel", "FaceVote", "FaceLevel", "MultiModalVote",
                       "MultiModalLevel")  # fmt: skip
CREMA_D_STRENGTHS = {"LO": 0.6, "MD": 0.9, "HI": 1.3, "XX": 1.0}

# Speaker -> gender and encoding of the transcript, as in the real corpus.
ESD_SPEAKERS = {
    "0011": ("male", "utf-8"),
    "0013": ("male", "utf-16"),
    "0015": ("female", "utf-8"),
    "0016": ("female", "latin-1"),
    "0018": ("female", "utf-16"),
    "0020": ("male", "utf-8"),
}
ESD_EMOTIONS = ("Neutral", "Angry", "Happy", "Sad", "Surprise")
ESD_SENTENCES = 350
# Three sentences of train (51 to 350), one of evaluation (1 to 20) and one of test (21 to 50).
ESD_FIRST_SENTENCES = (51, 1, 21, 101, 201)

# Code -> prosody and lines; the last one has no majority of the raters.
IEMOCAP_EMOTIONS = {
    "ang": ("angry", "anger"),
    "hap": ("happy", "joy"),
    "exc": ("excited", "joy"),
    "neu": ("neutral", "neutral"),
    "sad": ("sad", "sadness"),
    "fru": ("assertive", "anger"),
    "xxx": ("calm", "neutral"),
}

MSP_PODCAST_EMOTIONS = {
    "A": ("angry", "anger"),
    "S": ("sad", "sadness"),
    "H": ("happy", "joy"),
    "U": ("surprise", "surprise"),
    "F": ("fear", "fear"),
    "D": ("disgust", "disgust"),
    "N": ("neutral", "neutral"),
    "X": ("calm", "neutral"),
}
MSP_PODCAST_SPLITS = {"Train": 6, "Development": 2, "Test1": 2, "Test2": 1}  # split -> its speakers
MSP_PODCAST_HEADER = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")

JL_FOLDER = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)"
JL_SPEAKERS = ("female1", "female2", "male1", "male2")
JL_PRIMARY = ("angry", "excited", "happy", "neutral", "sad")
JL_SECONDARY = ("anxious", "apologetic", "assertive", "concerned", "encouraging")

MELD_SPLITS = {
    "train": ("train_splits", 36),
    "dev": ("dev_splits_complete", 12),
    "test": ("output_repeated_splits_test", 20),
}
MELD_SPEAKERS = {
    "Chandler": "male", "Joey": "male", "Monica": "female", "Phoebe": "female", "Rachel": "female", "Ross": "male",
    "Waiter": "male", "Nurse": "female",
}  # fmt: skip
MELD_EMOTIONS = {"joy": "happy", "surprise": "surprise", "anger": "angry", "sadness": "sad", "disgust": "disgust"}
MELD_FREQUENCIES = {
    "neutral": 0.34, "joy": 0.17, "surprise": 0.13, "anger": 0.13, "sadness": 0.1, "disgust": 0.06, "fear": 0.07,
}  # fmt: skip
MELD_REPEATED = 0.3  # probability that a turn has the emotion of the turn before
MELD_HEADER = ("Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season",
               "Episode", "StartTime", "EndTime")  # fmt: skip


def crema_d(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """Ten of the 91 actors, six emotions, with the tables of actors, files and votes."""
    stems = []
    for (actor, (_, sex)), (code, emotion) in itertools.product(CREMA_D_ACTORS.items(), CREMA_D_EMOTIONS.items()):
        for take in CREMA_D_TAKES[: num_takes(size, 5, len(CREMA_D_TAKES))]:
            sentence, level = take.split("_")
            if code == "NEU" and level in ("LO", "MD"):
                continue
            level = "XX" if code == "NEU" else level
            stems.append(f"{actor}_{sentence}_{code}_{level}")
            strength = CREMA_D_STRENGTHS[level]
            yield AudioFile(f"AudioWAV/{stems[-1]}.wav", str(actor), sex.lower(), emotion, sentence, strength)
    actors = [(actor, age, sex, "Unknown", "Not Hispanic") for actor, (age, sex) in CREMA_D_ACTORS.items()]
    yield TextFile("VideoDemographics.csv", _table(CREMA_D_ACTOR_HEADER, actors, csv.QUOTE_NONNUMERIC, "\n"))
    numbered = list(enumerate(stems, 1))
    files = _table(("Stimulus_Number", "Filename"), numbered, csv.QUOTE_NONNUMERIC, "\n")
    yield TextFile("SentenceFilenames.csv", files)
    votes = [(number, stem, *_votes(stem.split("_")[2][0], rng)) for number, stem in numbered]
    yield TextFile("processedResults/summaryTable.csv", _table(CREMA_D_VOTE_HEADER, votes, csv.QUOTE_ALL, "\n"))


def _votes(acted: str, rng: numpy.random.Generator) -> Iterator[str]:
    """Votes and levels of the listeners, the viewers, and the raters with audio and video; colons join ties."""
    for accuracy in (0.45, 0.65, 0.7):
        letters = [letter for letter in "ADFHNS" if letter != acted]
        votes = [acted if rng.random() < accuracy else str(rng.choice(letters))]
        if rng.random() < 0.08:
            votes = sorted({*votes, str(rng.choice(letters))})
        yield ":".join(votes)
        yield ":".join(f"{rng.uniform(30, 90):.2f}" for _ in votes)


def esd(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """Six of the ten English speakers, five emotions, with transcripts and without folders of splits."""
    # At least five takes, for all three splits; at most 100, the limit of the evaluation sentences.
    takes = range(max(len(ESD_FIRST_SENTENCES), num_takes(size, 10, 100)))
    for speaker, (gender, encoding) in ESD_SPEAKERS.items():
        transcript = []
        for (block, emotion), take in itertools.product(enumerate(ESD_EMOTIONS), takes):
            later, first = divmod(take, len(ESD_FIRST_SENTENCES))
            number = ESD_FIRST_SENTENCES[first] + later
            stem = f"{speaker}_{block * ESD_SENTENCES + number:06}"
            transcript.append(f"{stem}\t{plain_sentence(number)}\t{emotion}")
            path = f"Emotion Speech Dataset/{speaker}/{emotion}/{stem}.wav"
            yield AudioFile(path, speaker, gender, emotion.lower(), str(number))
        lines = "\r\n".join(sorted(transcript)) + "\r\n"
        yield TextFile(f"Emotion Speech Dataset/{speaker}/{speaker}.txt", lines, encoding)


def iemocap(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """All five sessions, improvised dialogues only; two rows of raters below each turn."""
    for session, number in itertools.product(range(1, 6), range(1, num_takes(size, 4, 8) + 1)):
        dialogue, folder = f"Ses{session:02}{'FM'[number % 2]}_impro{number:02}", f"Session{session}/dialog"
        seconds, labels, transcript = 5.0, [], []
        counts = dict.fromkeys("FM", 0)
        for turn, (code, (prosody, lines)) in enumerate(2 * list(IEMOCAP_EMOTIONS.items())):
            gender = "FM"[turn % 2]
            name = f"{dialogue}_{gender}{counts[gender]:03}"
            counts[gender] += 1
            text, end = line(lines, rng), seconds + rng.uniform(1.2, 2.2)
            raters = "".join(f"C-E{rater}:\tNeutral;\t()\nA-E{rater}:\tval 3; act 2; dom  2;\t()\n" for rater in (2, 3))
            labels.append(f"[{seconds:.4f} - {end:.4f}]\t{name}\t{code}\t[2.5000, 2.5000, 2.5000]\n{raters}\n")
            transcript.append(f"{name} [{seconds:08.4f}-{end:08.4f}]: {text}\n")
            path = f"Session{session}/sentences/wav/{dialogue}/{name}.wav"
            yield AudioFile(path, f"Ses{session:02}{gender}", "female" if gender == "F" else "male", prosody, text)
            seconds = end
        header = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
        yield TextFile(f"{folder}/EmoEvaluation/{dialogue}.txt", header + "".join(labels))
        yield TextFile(f"{folder}/transcriptions/{dialogue}.txt", "".join(transcript))


def msp_podcast(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """Eleven speakers with a podcast each, in the three splits and a second test set; one speaker of train is not known."""
    rows: list[tuple[object, ...]] = []
    speakers = [split for split, number in MSP_PODCAST_SPLITS.items() for _ in range(number)]
    for speaker, split in enumerate(speakers, start=1):
        codes = num_takes(size, 4, 100) * list(MSP_PODCAST_EMOTIONS.items())
        for segment, (code, (prosody, lines)) in enumerate(codes, start=1):
            stem, gender = f"MSP-PODCAST_{speaker:04}_{segment:04}", ("Female", "Male")[speaker % 2]
            text, ratings = line(lines, rng), [f"{rng.uniform(1, 7):.6f}" for _ in range(3)]
            rows.append((f"{stem}.wav", code, *ratings, "Unknown" if speaker == 1 else speaker, gender, split))
            yield AudioFile(f"Audios/{stem}.wav", str(speaker), gender.lower(), prosody, text)
            yield TextFile(f"Transcripts/{stem}.txt", text)
    yield TextFile("Labels/labels_consensus.csv", _table(MSP_PODCAST_HEADER, rows, csv.QUOTE_MINIMAL, "\n"))


def jl_corpus(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """All four speakers, five primary and five secondary emotions, a text file beside each audio file."""
    versions = list(itertools.product(("a", "b"), (1, 2), range(1, 16)))
    for speaker, (block, emotion) in itertools.product(JL_SPEAKERS, enumerate(JL_PRIMARY + JL_SECONDARY)):
        primary = emotion in JL_PRIMARY
        for letter, digit, sentence in versions[: num_takes(size, 6, len(versions))]:
            stem = f"{JL_FOLDER}/{speaker}_{emotion}_{sentence}{letter}_{digit}"
            text = plain_sentence(sentence if primary else 15 * block + sentence)
            yield AudioFile(f"{stem}.wav", speaker, speaker[:-1], emotion, text)
            yield TextFile(f"{stem}.txt", f"{text}\n")


def meld(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """Dialogues of two or three people in three splits that share speakers; an emotion often lasts for another turn."""
    for split, (folder, ordinary) in MELD_SPLITS.items():
        rows: list[tuple[str | int, ...]] = []
        # The first turns have each emotion once, so that none is missing in a small corpus: two dialogues suffice.
        missing = list(MELD_FREQUENCIES)
        for dialogue in range(max(2, num_takes(size, ordinary, 1000))):
            people = rng.choice(list(MELD_SPEAKERS), int(rng.integers(2, 4)), replace=False)
            season, episode, seconds, emotion = rng.integers(1, 11), rng.integers(1, 25), rng.uniform(60, 1200), ""
            for turn in range(int(rng.integers(4, 8))):
                if missing:
                    emotion = missing.pop()
                elif not emotion or rng.random() > MELD_REPEATED:
                    emotion = str(rng.choice(list(MELD_FREQUENCIES), p=list(MELD_FREQUENCIES.values())))
                person = str(people[turn % len(people)])
                text = line(emotion, rng)
                times = (_clock(seconds), _clock(seconds := seconds + rng.uniform(1.2, 2.2)))
                cells = (text, person, emotion, _sentiment(emotion, rng), dialogue, turn, int(season), int(episode))
                rows.append((len(rows) + 1, *cells, *times))
                path = f"{folder}/dia{dialogue}_utt{turn}.wav"
                yield AudioFile(path, person, MELD_SPEAKERS[person], MELD_EMOTIONS.get(emotion, emotion), text)
        yield TextFile(f"{split}_sent_emo.csv", _table(MELD_HEADER, rows, csv.QUOTE_MINIMAL, "\r\n"))


def _sentiment(emotion: str, rng: numpy.random.Generator) -> str:
    """The sentiment of an emotion; that of a surprise is drawn."""
    if emotion == "surprise":
        return str(rng.choice(["negative", "positive"]))
    return {"neutral": "neutral", "joy": "positive"}.get(emotion, "negative")


def _clock(seconds: float) -> str:
    """`00:16:16,059`."""
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]], quoting: int, line_end: str) -> str:
    """CSV in the format of the corpus."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()
