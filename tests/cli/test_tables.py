"""Tables on the terminal, from hand-made values."""

import io
from typing import Any

from rich.console import Console
from rich.table import Table

from emokit.cli import tables
from emokit.labels import DEFAULT_LABELS

PAIRS = ("train-dev", "train-test", "dev-test")


def lines(table: Table) -> list[str]:
    """A table's lines with one space between their words."""
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]


def shared(**kinds: tuple[int, int, int]) -> dict[str, dict[str, int]]:
    return {kind: dict(zip(PAIRS, numbers, strict=True)) for kind, numbers in kinds.items()}


def test_a_corpus_without_speakers_has_no_brackets() -> None:
    some, nobody = {"utterances": 36162, "speakers": []}, {"utterances": 0, "speakers": []}
    ledger = {"corpora": {"goemotions": {"splits": {"train": some, "dev": nobody, "test": some}}}}
    assert lines(tables.splits(ledger))[-1] == "goemotions 36162 0 (0) 36162"


def test_a_survey_of_the_longest_name_and_of_large_counts_fits_into_80_characters() -> None:
    counts = dict.fromkeys(DEFAULT_LABELS, 19020)
    shown = lines(tables.survey({"goemotions": {"found": 54263, "dropped": 32832, "labels": counts}}))
    assert shown[-1] == "goemotions 54263 32832 19020 19020 19020 19020 19020 19020 19020"


def test_the_leakage_of_all_corpora_is_above_that_of_each_corpus_that_has_some() -> None:
    esd = shared(speakers=(10, 10, 10), recordings=(0, 0, 0))
    ledger = {
        "leakage": shared(speakers=(10, 10, 10), recordings=(0, 0, 1)),
        "corpora": {
            "emodb": {"leakage": shared(speakers=(0, 0, 0), recordings=(0, 0, 1))},
            "esd": {"leakage": esd},
        },
    }
    shown = lines(tables.leakage(ledger))
    assert shown[1] == "shared train-dev train-test dev-test"
    assert shown[3:] == [
        "speakers 10 10 10",
        "recordings 0 0 1",
        "recordings of emodb 0 0 1",
        "speakers of esd 10 10 10",
    ]
    alone = lines(tables.leakage({"leakage": esd, "corpora": {"esd": {"leakage": esd}}}))
    assert alone[3:] == ["speakers 10 10 10", "recordings 0 0 0"]


def test_the_leakage_table_says_how_well_the_sentence_predicts_the_label() -> None:
    none = shared(sentences=(0, 0, 0))
    scores = {"uar": 0.82857, "uar_of_one_label": 1 / 7}
    savee = {"leakage": none, "label_by_sentence": {"dev": {**scores, "uar": 1.0}, "test": scores}}
    table = tables.leakage({"leakage": none, "corpora": {"savee": savee}})
    assert lines(table)[4:] == [
        "label by sentence, UAR % 100.0 (14.3) 82.9 (14.3)",
        "label by sentence: the usual one in train; in brackets: one",  # a caption is as wide as its table
        "label for all",
    ]
    tested = {"leakage": none, "label_by_sentence": {"test": scores}}
    two = tables.leakage(
        {"leakage": none, "corpora": {"savee": tested, "esd": {"leakage": none, "label_by_sentence": {}}}}
    )
    assert "label by sentence of savee, UAR % 82.9 (14.3)" in lines(two)
    assert lines(two)[4].endswith("82.9 (14.3)")


def test_what_was_skipped_is_counted_and_named() -> None:
    kinds = {"dropped": {}, "repaired": {}, "flagged": {}, "skipped": {"hidden": [".a", ".b", ".c", ".d"]}}
    assert tables.remarks({"corpora": {"emodb": {**kinds, "notes": []}}}) == [
        "emodb: 4 skipped: hidden (.a, .b, .c, …)"
    ]


def scored(num_clusters: int, *baselines: str) -> dict[str, Any]:
    scores = dict.fromkeys(tables.SCORES, 0.411)
    return {
        **scores,
        "n": 3 * num_clusters,
        "num_clusters": num_clusters,
        "cluster": "speaker",
        "interval": {name: [0.4, 0.43] for name in scores},
        "baselines": {name: dict.fromkeys(scores, 0.25) for name in baselines},
    }


def result(**splits: dict[str, Any]) -> dict[str, Any]:
    return {"name": "a", "model": "acrnn", "best_epoch": 2, "epochs": 3, "splits": splits}


def test_scores_have_intervals_and_stand_beside_both_baselines() -> None:
    shown = lines(tables.scores(result(dev=scored(6, "majority", "simple"), test=scored(7, "majority", "simple"))))
    assert shown[3] == "dev acrnn 41.1 (40–43) 41.1 (40–43) 41.1 (40–43) 41.1 (40–43)"
    assert shown[4:6] == ["majority 25.0 25.0 25.0 25.0", "simple 25.0 25.0 25.0 25.0"]
    assert shown[-1] == "in brackets: 95 % intervals over 6 speakers (dev) and 7 speakers (test)"


def test_intervals_are_over_utterances_where_no_speaker_is_known() -> None:
    nameless = {split: {**scored(number), "n": number} for split, number in (("dev", 6), ("test", 7))}
    shown = " ".join(lines(tables.scores(result(**nameless))))
    assert shown.endswith("in brackets: 95 % intervals over 6 utterances (dev) and 7 utterances (test)")


def test_own_data_have_no_expected_number_and_many_labels_a_line_each() -> None:
    entry = {"expected": None, "found": 3, "kept": 2, "repaired": {}, "flagged": {}, "dropped": {"silent": ["a"]}}
    assert "calls – 3 2 0 0 1" in lines(tables.ledger({"corpora": {"calls": entry}}))
    labels = {f"emotion number {number}": number for number in range(9)}
    shown = lines(tables.survey({"calls": {"found": 37, "dropped": 1, "labels": labels}}))
    assert {"calls found 37", "calls left out 1", "calls emotion number 8 8"} <= set(shown)


def test_too_few_speakers_are_said_in_place_of_an_interval() -> None:
    shown = lines(tables.scores(result(dev=scored(6, "majority"), test=scored(2, "majority"))))
    assert "test acrnn 41.1 too few 41.1 too few 41.1 too few 41.1 too few" in shown
    assert " ".join(shown[-2:]).endswith(
        "in brackets: 95 % intervals over 6 speakers (dev); too few: 2 speakers (test); a 95 % interval needs 6 or more"
    )


def test_a_model_that_is_the_simple_baseline_is_not_compared_with_itself() -> None:
    assert not any("simple" in line for line in lines(tables.scores(result(test=scored(7, "majority")))))
