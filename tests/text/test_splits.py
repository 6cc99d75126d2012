"""Splits of a text training: which utterances are read, and the names of those that cannot be."""

import pandas
import pytest

from emokit.api.prepare import corpora_of, plan_of
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.prepare import prepare
from emokit.data.prepared import open_prepared
from emokit.data.utterance import TABLE
from emokit.errors import DataError, UsageError
from emokit.text.settings import TextSettings
from emokit.text.splits import read_splits, rows_with_text


def test_splits_have_the_targets_of_the_label_set_of_the_data(mood_prepared):
    settings = TextSettings.make({"data": {"corpora": ["diary"]}})
    splits = read_splits(settings, open_prepared(mood_prepared), ("dev",))
    assert list(splits) == ["train", "dev"]
    assert splits["dev"].texts == splits["dev"].table["text"].tolist()
    expected = [("tired", "calm", "cross").index(label) for label in splits["dev"].table["label"]]
    assert splits["dev"].targets.tolist() == expected


def test_own_data_are_used_unasked(tmp_path):
    rows = "".join(f"{label} {number},{label}\n" for number in range(12) for label in ("joy", "anger"))
    (tmp_path / "notes.csv").write_text(f"text,label\n{rows}")
    corpora = corpora_of([f"notes={tmp_path / 'notes.csv'}"])
    prepared = prepare(plan_of(corpora), tmp_path / "out", LogMel(FeatureSettings()))
    assert len(rows_with_text(TextSettings(), prepared)) == 24


def test_audio_without_text_is_refused(small_prepared, text_settings):
    with pytest.raises(UsageError) as error:
        rows_with_text(TextSettings.make(text_settings), open_prepared(small_prepared))
    assert str(error.value) == (
        f"{small_prepared} has text of emodb, where a corpus that does not repeat a few sentences was expected; "
        "prepare goemotions, meld or a table of your own, or name corpora with --set data.corpora=[…]."
    )


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("text", " ", "{data}: {id} has an empty text; write one or leave it out."),
        ("text", "a\0b", "{data}: {id} has a null character at 2; save it as UTF-8 text."),
        (
            "label",
            "joyful",
            "{data}/utterances.parquet gives {id} the label 'joyful'; expected one of angry, disgust, fear, happy, neutral, "
            "sad, surprise.",
        ),
    ],
)
def test_a_row_that_cannot_be_trained_on_is_named(
    text_prepared, text_settings, tmp_path, seal, column, value, sentence
):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("ledger.json", "settings.yaml"):
        (data / name).write_bytes((text_prepared / name).read_bytes())
    table = pandas.read_parquet(text_prepared / TABLE)
    table.loc[0, column] = value
    table.to_parquet(data / TABLE)
    seal(data)
    with pytest.raises(DataError) as error:
        read_splits(TextSettings.make(text_settings), open_prepared(data))
    assert str(error.value) == sentence.format(data=data, id=table.loc[0, "utterance_id"])


def test_context_turns_without_dialogues_are_refused(mood_prepared):
    for turns in (0, 2):
        settings = TextSettings.make({"data": {"corpora": ["diary"], "context_turns": turns}})
        if not turns:
            read_splits(settings, open_prepared(mood_prepared), ("dev",))
            continue
        with pytest.raises(UsageError) as error:
            read_splits(settings, open_prepared(mood_prepared), ("dev",))
        assert str(error.value) == (
            f"data.context_turns is 2 and no utterance of diary in {mood_prepared} has a dialogue with turns, so it would "
            "have no effect; leave it 0, or prepare a corpus of dialogues."
        )
