"""The model card: one run made by hand, read again with Hugging Face's own reader of cards."""

from typing import Any

import pytest
from huggingface_hub import ModelCard

from emokit.labels import LABELS
from emokit.model_card import model_card

ENVIRONMENT = {"seed": 7, "device": "cpu", "data_fingerprint": "ab" * 32, "emokit": "0.1.0"}


@pytest.fixture
def metrics() -> dict[str, Any]:
    # angry: 8 of 10 found, 2 taken for happy; sad: 1 of 5, 3 for neutral, 1 for fear; neutral 5 of 5
    confusion = [[0] * 7 for _ in LABELS]
    confusion[0][0], confusion[0][3] = 8, 2
    confusion[5][5], confusion[5][4], confusion[5][2] = 1, 3, 1
    confusion[4][4] = 5
    scores = {"accuracy": 0.7, "uar": 2 / 3, "weighted_f1": 0.6789, "macro_f1": 0.61}
    majority = {"accuracy": 0.5, "uar": 1 / 3, "weighted_f1": 0.333, "macro_f1": 0.222}
    test = {
        **scores,
        "n": 20,
        "num_clusters": 2,
        "cluster": "speaker",
        "confusion": confusion,
        "interval": {key: [value - 0.1, value + 0.1] for key, value in scores.items()},
        "baselines": {"majority": majority, "simple": {**majority, "uar": 0.45, "description": "logistic regression"}},
    }
    return {
        "name": "tiny",
        "kind": "audio",
        "model": "acrnn",
        "labels": list(LABELS),
        "parameters": 12,
        "splits": {"test": test},
    }


@pytest.fixture
def ledger() -> dict[str, Any]:
    train = {"utterances": 300, "speakers": ["03", "08"]}
    emodb = {"title": "Berlin Database", "licence": "research only", "kept": 454, "splits": {"train": train}}
    return {"corpora": {"emodb": emodb}}


def test_hugging_face_reads_the_front_matter(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    data = ModelCard(model_card(metrics, {}, ENVIRONMENT, ledger)).data
    assert data.license == "other"
    assert data.pipeline_tag == "audio-classification"
    assert data.tags == ["emokit", "emotion-recognition", "speech", "emodb"]
    assert data.metrics == ["recall", "accuracy", "f1"]
    assert {result.metric_name: result.metric_value for result in data.eval_results} == {
        "Unweighted average recall": 2 / 3,
        "Accuracy": 0.7,
        "Weighted F1": 0.6789,
    }


def test_scores_stand_with_intervals_beside_the_baselines(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    card = model_card(metrics, {}, ENVIRONMENT, ledger)
    assert "**Test**, 20 utterances of 2 speakers, over which the intervals are drawn:" in card
    assert "| Score | Model | 95 % interval | Majority | Simple |" in card
    assert "| UAR, % | 66.7 | 56.7 to 76.7 | 33.3 | 45.0 |" in card


def test_utterances_without_a_speaker_are_not_counted_as_speakers(metrics: dict[str, Any]) -> None:
    metrics["splits"]["test"]["num_clusters"] = 20
    card = model_card(metrics, {}, ENVIRONMENT, {})
    assert "**Test**, 20 utterances, over which the intervals are drawn one by one:" in card


def test_what_is_to_be_declared_follows_the_scores(metrics: dict[str, Any]) -> None:
    card = model_card(metrics | {"declared": "their sound was used"}, {}, ENVIRONMENT, {})
    assert "\n\nTo be declared with them: their sound was used.\n\n## Weaknesses" in card


def test_the_weakest_emotion_comes_first_with_what_it_is_taken_for(metrics: dict[str, Any]) -> None:
    card = model_card(metrics, {}, ENVIRONMENT, {})
    rows = [
        "| sad | 1 of 5 | 20.0 | neutral (3) |",
        "| angry | 8 of 10 | 80.0 | happy (2) |",
        "| neutral | 5 of 5 | 100.0 | – |",
    ]
    assert "\n".join(rows) in card
    assert "Never seen on test, so nothing is known of: disgust, fear, happy, surprise." in card


def test_corpora_and_sexes_stand_with_the_weakest_first(metrics: dict[str, Any]) -> None:
    groups = {"emodb": {"uar": 0.7, "accuracy": 0.72, "n": 12}, "tess": {"uar": 0.41, "accuracy": 0.4, "n": 8}}
    metrics["splits"]["test"] |= {
        "per_corpus": groups,
        "per_gender": {"male": groups["emodb"], "female": groups["tess"]},
    }
    card = model_card(metrics, {}, ENVIRONMENT, {})
    head = "UAR, % | Accuracy, % | Utterances |\n| --- | --- | --- | --- |\n"
    assert (
        f"By corpus on test, the weakest first:\n\n| Corpus | {head}| tess | 41.0 | 40.0 | 8 |\n| emodb | 70.0 | 72.0 | 12 |\n"
        in card
    )
    assert (
        f"By speakers' sex, where their corpus says it, on test, the weakest first:\n\n| Speakers | {head}"
        "| female | 41.0 | 40.0 | 8 |\n| male | 70.0 | 72.0 | 12 |\n" in card
    )
    assert "sex" not in model_card(
        metrics | {"splits": {"test": metrics["splits"]["test"] | {"per_gender": {}}}}, {}, {}, {}
    )


def test_the_corpora_stand_with_their_licences(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    assert "| emodb: Berlin Database | research only | 454 | 300 | 2 |" in model_card(metrics, {}, ENVIRONMENT, ledger)
    assert "does not say which corpora" in model_card(metrics, {}, ENVIRONMENT, {})


def test_a_synthesised_corpus_is_called_one_wherever_it_is_named(
    metrics: dict[str, Any], ledger: dict[str, Any]
) -> None:
    ledger["corpora"]["emodb"] |= {"title": "Berlin Database (synthesised by emokit)", "licence": "made by emokit"}
    card = model_card(metrics, {}, ENVIRONMENT, ledger)
    assert "| emodb: Berlin Database (synthesised by emokit) | made by emokit | 454 | 300 | 2 |" in card
    assert ModelCard(card).data.eval_results[0].dataset_name == "emodb (synthesised by emokit)"


def test_a_corpus_that_does_not_say_who_speaks_has_no_number_of_speakers(
    metrics: dict[str, Any], ledger: dict[str, Any]
) -> None:
    ledger["corpora"]["emodb"]["splits"]["train"]["speakers"] = []
    assert "| 454 | 300 | – |" in model_card(metrics, {}, ENVIRONMENT, ledger)


def test_the_card_says_how_to_load_the_model(metrics: dict[str, Any]) -> None:
    assert "    emokit predict RUN some.wav\n" in model_card(metrics, {}, ENVIRONMENT, {})
    assert "    import emokit  #" in model_card(metrics, {}, ENVIRONMENT, {})
    assert '    model = AutoModelForAudioClassification.from_pretrained("RUN/model")' in model_card(
        metrics, {}, ENVIRONMENT, {}
    )
    text = model_card(metrics | {"kind": "text"}, {"model": {"kind": "pretrained"}}, ENVIRONMENT, {})
    assert "    from transformers import AutoModelForSequenceClassification\n" in text
    assert "from_pretrained" not in model_card(
        metrics | {"kind": "text"}, {"model": {"kind": "tfidf"}}, ENVIRONMENT, {}
    )
    assert '    emokit predict RUN "I did not expect that!"\n' in text
    assert "pipeline_tag: text-classification" in text


def test_text_from_data_cannot_become_markup(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    ledger["corpora"]["emodb"]["licence"] = "a | b <script>alert(1)</script>\n# [x](y)"
    card = model_card(metrics | {"name": "<script>"}, {}, ENVIRONMENT, ledger)
    body = card.split("---\n", 2)[2]
    assert "<script" not in body
    assert "| a \\| b &lt;script>alert(1)&lt;/script> # \\[x\\](y) |" in body
