"""What is said: how well the sentence alone predicts the label, and splits that share no sentence.

Where speakers act the same sentences in every emotion, a sentence tells nothing. Where each emotion has sentences of its own, or
texts repeat with their label, a model can learn the sentence instead of the voice, and its scores are those of known sentences.
"""

import math
from typing import Any

import pandas

from emokit.data.splits.draw import SplitSettings, by_group, with_groups
from emokit.data.utterance import HELD_OUT, SPLITS
from emokit.errors import UsageError

CROSSING = "its speaker and its sentence are in different splits"
WELL_ABOVE = 0.1  # UAR, above that of one label for all


def sentences_of(table: pandas.DataFrame) -> pandas.Series:
    """(utterances,) what is said: the id of the sentence, else the text without case and outer space; missing without both."""
    return table["sentence"].fillna(table["text"].str.strip().str.casefold())


def by_sentence(table: pandas.DataFrame, corpus: str, settings: SplitSettings) -> pandas.Series:
    """The split of each row of one corpus, without a sentence in two of them; speakers may be.

    Raises:
        UsageError: no row has a sentence or a text, or there are too few.
    """
    return by_group(table.assign(sentence=sentences_of(table)), "sentence", corpus, settings)


def by_speaker_and_sentence(table: pandas.DataFrame, corpus: str, settings: SplitSettings) -> pandas.Series:
    """The split of each row of one corpus, without a speaker or a sentence in two of them.

    Speakers are drawn first. A sentence of speakers of one split stays with them; the others are drawn too. The split is missing
    for utterances whose speaker and sentence are in different splits.

    Raises:
        UsageError: there are too few speakers or sentences, or a split has no utterance left.
    """
    speakers = by_group(table, "speaker", corpus, settings)
    named = with_groups(table.assign(sentence=sentences_of(table)), "sentence")
    is_shared = speakers.groupby(named["sentence"]).transform("nunique") > 1
    sentences = speakers.mask(is_shared, "train")
    shared = named[is_shared]
    if len(shared) == len(named) or shared["sentence"].nunique() >= len(SPLITS):
        sentences[is_shared] = by_group(shared, "sentence", corpus, settings)
    split = speakers.where(speakers == sentences)
    empty = next((name for name in SPLITS if not (split == name).any()), None)
    if empty is not None:
        raise UsageError(
            f"{corpus} has no utterance for {empty} whose speaker and sentence are both in no other split; "
            f"choose --split {corpus}=speaker or {corpus}=sentence."
        )
    return split


def label_by_sentence(table: pandas.DataFrame) -> dict[str, dict[str, Any]]:
    """How well the sentence alone predicts the label, learnt on train: the label that a sentence has most often there.

    Args:
        table: the utterances of one corpus, with their splits.

    Returns:
        dev and test, where they repeat a sentence of train -> the keys of `emokit.schema.ledger.LabelBySentence`. Other
        sentences get the most frequent label of train.
    """
    sentence = sentences_of(table)
    is_learnt = (table["split"] == "train") & sentence.notna()
    if not is_learnt.any():
        return {}
    frequent = table["label"][is_learnt].value_counts()
    counts = table[is_learnt].groupby([sentence[is_learnt], "label"]).size().rename("number").reset_index()
    counts["frequent"] = counts["label"].map(frequent)
    # Of equally many, the label that is more frequent in train, then the first by name.
    best = counts.sort_values(["number", "frequent", "label"], ascending=[False, False, True]).drop_duplicates(
        "sentence"
    )
    label_of = best.set_index("sentence")["label"]
    usual = frequent.sort_index().idxmax()
    scores = {}
    for split in HELD_OUT:
        is_tested = table["split"] == split
        predicted, label = sentence[is_tested].map(label_of), table["label"][is_tested]
        if predicted.notna().any():
            is_right = predicted.fillna(usual) == label
            scores[split] = {
                "utterances": len(label),
                "repeated": int(predicted.notna().sum()),
                "uar": float(is_right.groupby(label).mean().mean()),
                "uar_of_one_label": 1 / label.nunique(),
                "accuracy": float(is_right.mean()),
                "accuracy_of_one_label": float((label == usual).mean()),
            }
    return scores


def predicts(scores: dict[str, Any]) -> bool:
    """Whether the scores of a split are well above those of one label for all: in UAR, and in accuracy beyond chance."""
    chance = scores["accuracy_of_one_label"]
    deviation = math.sqrt(chance * (1 - chance) / scores["utterances"])
    return bool(
        scores["uar"] >= scores["uar_of_one_label"] + WELL_ABOVE and scores["accuracy"] > chance + 2 * deviation
    )


def remark(scores: dict[str, dict[str, Any]], corpus: str) -> str | None:
    """The sentence for a corpus whose sentences predict the label, on test or else on dev; None where they do not."""
    split = next((name for name in reversed(HELD_OUT) if name in scores and predicts(scores[name])), None)
    if split is None:
        return None
    values = scores[split]
    return (
        f"what is said predicts the label: the sentence alone has a UAR of {100 * values['uar']:.1f} % on {split}, one label for "
        f"all {100 * values['uar_of_one_label']:.1f} %; --split {corpus}=sentence keeps sentences apart"
    )
