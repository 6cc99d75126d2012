"""The names of what is in a run folder, and of all that emokit writes into one: `--force` deletes nothing else."""

from collections.abc import Iterable

SETTINGS = "settings.yaml"
ENVIRONMENT = "environment.json"
LOG = "log.jsonl"
TENSORBOARD = "tensorboard"
CHECKPOINT = "checkpoints/last"
BEST = "checkpoints/best"
MODEL = "model"
METRICS = "metrics.json"
CARD = "README.md"
LEDGER = "ledger.json"
LABEL_ISSUES = "label_issues.csv"
PREDICTIONS = "predictions"

# Of a model in transformers' format, and of a bag of words; tokenizers of several kinds have different files.
OF_MODEL = (
    *(
        "config.json",
        "generation_config.json",
        "*.safetensors",
        "*.safetensors.index.json",
        "vocabularies.json",
        "*.py",
    ),
    *(
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "preprocessor_config.json",
    ),
    *(
        "processor_config.json",
        "normalizer.json",
        "vocab.*",
        "merges.txt",
        "bpe.codes",
        "*.model",
        "*.spm",
        "chat_template.*",
    ),
)
OF_PREDICTIONS = ("dev.parquet", "test.parquet")

TEMPLATES = "additional_chat_templates"  # a folder of some tokenizers
# Beside the model, the files of a tokenizer or of a feature extractor, whose names differ from class to class.
OF_ONNX = ("model.onnx", "model.onnx.data", "*.json", "*.jinja", "*.model", "*.py", "merges.txt", "vocab.*", TEMPLATES)
OF_FIGURES = ("*.png", "*.svg", "*.csv")


def within(folder: str, names: Iterable[str]) -> tuple[str, ...]:
    """The patterns of what is in a subfolder."""
    return tuple(f"{folder}/{name}" for name in names)


OF_TRAINING = (
    *(SETTINGS, ENVIRONMENT, LOG, METRICS, CARD, LEDGER, LABEL_ISSUES, "trackers.json", "error.txt"),
    *within(TENSORBOARD, ("events.*", "hparams.yml", "*/events.*")),
    *within(MODEL, (*OF_MODEL, TEMPLATES)),
    *within(PREDICTIONS, OF_PREDICTIONS),
    *within("checkpoints", ("last/state.pt", "best/state.pt")),
    *within("onnx", OF_ONNX),
)
OF_FOLDS = (*within("folds/*", OF_TRAINING), "workers/*.log")
OF_FUSION = ("fusion.json", *within("figures", OF_FIGURES))
OF_SWEEPS = (
    *("storage.json", "journal.log*", "trials.csv", "best.yaml", "sweep.json"),
    *within("seed-*", OF_TRAINING),
    *(
        name
        for folder in ("trials", "confirm")
        for name in within(f"{folder}/*", (*OF_TRAINING, *within("seed-*", OF_TRAINING)))
    ),
)
NAMES = (*OF_TRAINING, *OF_FOLDS, *OF_FUSION, *OF_SWEEPS)
"""Patterns of the names; a folder that was a sweep can become a training's with --force."""
