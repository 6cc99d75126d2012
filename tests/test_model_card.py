"""The model card of a run made by hand, parsed by huggingface_hub."""

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from emokit.labels import DEFAULT_LABELS
from emokit.model_card import CardFacts, in_python
from emokit.model_card import model_card as with_facts

ENVIRONMENT = {"seed": 7, "device": "cpu", "data_fingerprint": "ab" * 32, "emokit": "0.1.0"}
FACTS = CardFacts(
    "a recording of one spoken utterance",
    "some.wav",
    "The model is in `model/`." + in_python("AutoModelForAudioClassification", own=True),
    "audio-classification",
    ("speech",),
)


def model_card(metrics: Any, settings: Any, environment: Any, ledger: Any) -> str:
    return with_facts(metrics, settings, environment, ledger, FACTS)


@pytest.fixture
def metrics() -> dict[str, Any]:
    # angry: 8 of 10, 2 confused with happy; sad: 1 of 5, 3 confused with neutral, 1 with fear; neutral: 5 of 5
    confusion = [[0] * 7 for _ in DEFAULT_LABELS]
    confusion[0][0], confusion[0][3] = 8, 2
    confusion[5][5], confusion[5][4], confusion[5][2] = 1, 3, 1
    confusion[4][4] = 5
    scores = {"accuracy": 0.7, "uar": 2 / 3, "weighted_f1": 0.6789, "macro_f1": 0.61}
    majority = {"accuracy": 0.5, "uar": 1 / 3, "weighted_f1": 0.333, "macro_f1": 0.222}
    test = {
        **scores,
        "n": 20,
        "num_clusters": 6,
        "cluster": "speaker",
        "confusion": confusion,
        "interval": {key: [value - 0.1, value + 0.1] for key, value in scores.items()},
        "baselines": {"majority": majority, "simple": {**majority, "uar": 0.45, "description": "logistic regression"}},
    }
    return {
        "name": "tiny",
        "modality": "audio",
        "model": "acrnn",
        "labels": list(DEFAULT_LABELS),
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
        "Macro F1": 0.61,
    }
    assert {(result.dataset_split, result.task_type) for result in data.eval_results} == {
        ("test", "audio-classification")
    }


def test_the_metadata_name_the_model_of_the_hub_that_a_run_began_with(
    metrics: dict[str, Any], ledger: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def base_model(name: str) -> Any:
        return ModelCard(model_card(metrics, {"model": {"name": name}}, ENVIRONMENT, ledger)).data.base_model

    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "wavlm").mkdir(parents=True)
    assert base_model("microsoft/wavlm-base") == "microsoft/wavlm-base"
    assert base_model("models/wavlm") is None  # a folder
    assert base_model(str(tmp_path)) is None


def test_a_run_without_a_scored_test_split_has_no_results(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    splits = {"dev": metrics["splits"]["test"]}
    data = ModelCard(model_card({**metrics, "splits": splits}, {}, ENVIRONMENT, ledger)).data
    assert data.eval_results is None
    assert "model_name" not in data.to_dict()


def test_scores_have_intervals_and_baselines(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    card = model_card(metrics, {}, ENVIRONMENT, ledger)
    assert "**Test**, 20 utterances of 6 speakers, bootstrap over speakers:" in card
    assert "| Score | Model | 95 % interval | Majority | Simple |" in card
    assert "| UAR, % | 66.7 | 56.7 to 76.7 | 33.3 | 45.0 |" in card


def test_too_few_speakers_have_no_interval(metrics: dict[str, Any]) -> None:
    metrics["splits"]["test"]["num_clusters"] = 5
    card = model_card(metrics, {}, ENVIRONMENT, {})
    assert "**Test**, 20 utterances of 5 speakers, bootstrap over speakers:" in card
    assert "| UAR, % | 66.7 | too few speakers | 33.3 | 45.0 |" in card


def test_a_model_that_is_the_simple_baseline_has_no_column_for_it(metrics: dict[str, Any]) -> None:
    del metrics["splits"]["test"]["baselines"]["simple"]
    card = model_card(metrics, {}, ENVIRONMENT, {})
    assert "| Score | Model | 95 % interval | Majority |" in card
    assert "| UAR, % | 66.7 | 56.7 to 76.7 | 33.3 |" in card


def test_utterances_without_a_speaker_are_not_counted_as_speakers(metrics: dict[str, Any]) -> None:
    metrics["splits"]["test"]["num_clusters"] = 20
    card = model_card(metrics, {}, ENVIRONMENT, {})
    assert "**Test**, 20 utterances, bootstrap over utterances:" in card


def test_declarations_follow_the_scores(metrics: dict[str, Any]) -> None:
    card = model_card(metrics | {"declared": "the audio of test speakers was used"}, {}, ENVIRONMENT, {})
    assert "\n\nTo be declared with these scores: the audio of test speakers was used.\n\n## Weaknesses" in card


def test_the_emotion_of_lowest_recall_comes_first_with_its_most_frequent_confusion(metrics: dict[str, Any]) -> None:
    card = model_card(metrics, {}, ENVIRONMENT, {})
    rows = [
        "| Emotion | Recalled | Recall, % | Most often confused with |",
        "| --- | --- | --- | --- |",
        "| sad | 1 of 5 | 20.0 | neutral (3) |",
        "| angry | 8 of 10 | 80.0 | happy (2) |",
        "| neutral | 5 of 5 | 100.0 | – |",
    ]
    assert "\n".join(rows) in card
    assert "Not measured, as test has none: disgust, fear, happy, surprise." in card


def test_corpora_and_genders_are_listed_with_the_lowest_uar_first(metrics: dict[str, Any]) -> None:
    groups = {"emodb": {"uar": 0.7, "accuracy": 0.72, "n": 12}, "tess": {"uar": 0.41, "accuracy": 0.4, "n": 8}}
    metrics["splits"]["test"] |= {
        "per_corpus": groups,
        "per_gender": {"male": groups["emodb"], "female": groups["tess"]},
    }
    card = model_card(metrics, {}, ENVIRONMENT, {})
    head = "UAR, % | Accuracy, % | Utterances |\n| --- | --- | --- | --- |\n"
    assert (
        f"By corpus on test, lowest UAR first:\n\n| Corpus | {head}| tess | 41.0 | 40.0 | 8 |\n| emodb | 70.0 | 72.0 | 12 |\n"
        in card
    )
    assert (
        f"By known gender on test, lowest UAR first:\n\n| Speakers | {head}"
        "| female | 41.0 | 40.0 | 8 |\n| male | 70.0 | 72.0 | 12 |\n" in card
    )
    assert "gender" not in model_card(
        metrics | {"splits": {"test": metrics["splits"]["test"] | {"per_gender": {}}}}, {}, {}, {}
    )


def test_the_corpora_are_listed_with_their_licences(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    assert "| emodb: Berlin Database | research only | 454 | 300 | 2 |" in model_card(metrics, {}, ENVIRONMENT, ledger)
    assert "does not record the training corpora" in model_card(metrics, {}, ENVIRONMENT, {})


def test_a_synthesised_corpus_is_marked_wherever_it_is_named(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    ledger["corpora"]["emodb"] |= {"title": "Berlin Database (synthesised by emokit)", "licence": "made by emokit"}
    card = model_card(metrics, {}, ENVIRONMENT, ledger)
    assert "| emodb: Berlin Database (synthesised by emokit) | made by emokit | 454 | 300 | 2 |" in card
    assert ModelCard(card).data.eval_results[0].dataset_name == "emodb (synthesised by emokit)"


def test_a_corpus_without_speakers_has_no_number_of_speakers(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    sentence = (
        "emodb does not say who speaks, so speakers of dev and test may be in train too, and scores too high for new"
    )
    assert sentence not in model_card(metrics, {}, ENVIRONMENT, ledger)
    ledger["corpora"]["emodb"]["splits"]["train"]["speakers"] = []
    card = model_card(metrics, {}, ENVIRONMENT, ledger)
    assert "| 454 | 300 | – |" in card
    assert sentence in card


def test_the_facts_of_the_modality_say_what_the_model_reads_and_how_to_load_it(metrics: dict[str, Any]) -> None:
    card = model_card(metrics, {}, ENVIRONMENT, {})
    assert "Given a recording of one spoken utterance, the model returns a probability for each of 7 emotions: " in card
    assert (
        "## How to load it\n\n    emokit predict RUN some.wav\n\nThe model is in `model/`. In Python:\n\n"
        "    import emokit.hf  # registers emokit's models\n    from transformers import AutoModelForAudioClassification\n\n"
        '    model = AutoModelForAudioClassification.from_pretrained("RUN/model")'
    ) in card
    assert "pipeline_tag: audio-classification" in card


def test_a_modality_may_have_no_task_of_the_hub(metrics: dict[str, Any]) -> None:
    data = ModelCard(with_facts(metrics, {}, ENVIRONMENT, {}, CardFacts("predictions", "--data PREPARED", ""))).data
    assert data.pipeline_tag is None
    assert data.tags == ["emokit", "emotion-recognition"]
    assert data.eval_results[0].task_type == "other"


def test_the_emotions_are_those_of_the_label_set(metrics: dict[str, Any]) -> None:
    test = metrics["splits"]["test"] | {"confusion": [[1, 2], [0, 3]]}
    card = model_card(metrics | {"labels": ["low", "high"], "splits": {"test": test}}, {}, ENVIRONMENT, {})
    assert "a probability for each of 2 emotions: low, high. " in card
    assert "| low | 1 of 3 | 33.3 | high (2) |\n| high | 3 of 3 | 100.0 | – |\n" in card


def test_text_from_data_cannot_become_markup(metrics: dict[str, Any], ledger: dict[str, Any]) -> None:
    ledger["corpora"]["emodb"]["licence"] = "a | b <script>alert(1)</script>\n# [x](y)"
    card = model_card(metrics | {"name": "<script>"}, {}, ENVIRONMENT, ledger)
    body = card.split("---\n", 2)[2]
    assert "<script" not in body
    assert "| a \\| b &lt;script>alert(1)&lt;/script> # \\[x\\](y) |" in body
