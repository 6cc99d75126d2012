"""The names of what is in a run folder, and of all that emokit writes into one: `--force` deletes nothing else."""

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
    *("processor_config.json", "vocab.*", "merges.txt", "bpe.codes", "*.model", "*.spm", "chat_template.*"),
)
OF_PREDICTIONS = ("dev.parquet", "test.parquet")

OF_TRAINING = (
    *(SETTINGS, ENVIRONMENT, LOG, TENSORBOARD, MODEL, METRICS, CARD, LEDGER, LABEL_ISSUES, PREDICTIONS),
    *("checkpoints", "trackers.json", "error.txt", "onnx"),
)
OF_FOLDS = ("folds", "workers")
OF_FUSION = ("fusion.json", "figures")
OF_SWEEPS = ("storage.json", "journal.log*", "trials", "confirm", "trials.csv", "best.yaml", "sweep.json", "seed-*")
NAMES = (*OF_TRAINING, *OF_FOLDS, *OF_FUSION, *OF_SWEEPS)
"""Patterns of the names; a folder that was a sweep can become a training's with --force."""
