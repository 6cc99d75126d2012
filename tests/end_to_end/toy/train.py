"""The toy's model, training and predictor."""

from contextlib import nullcontext

import numpy
import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit import predictions, runs
from emokit.labels import LabelSet
from emokit.modality.predictor import Input, Prediction, Predictor
from emokit.runtime import seed_everything
from emokit.training.batches import one_hot
from emokit.training.hardware import new_accelerator
from emokit.training.objective import CrossEntropy
from emokit.training.run import Baseline, begin, complete, dev_metrics, train_epochs
from tests.end_to_end.toy.modality import ToySettings


class ToyConfig(PretrainedConfig):
    model_type = "toy"

    def __init__(self, hidden_size=4, **kwargs):
        self.hidden_size = hidden_size
        super().__init__(**kwargs)


class ToyModel(PreTrainedModel):
    config_class = ToyConfig
    main_input_name = "seconds"

    def __init__(self, config):
        super().__init__(config)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(1, config.hidden_size),
            torch.nn.Tanh(),
            torch.nn.Linear(config.hidden_size, config.num_labels),
        )
        self.post_init()

    def forward(self, seconds, **_):
        return SequenceClassifierOutput(logits=self.layers(seconds))


def probabilities(model, seconds):
    """(utterances,) seconds -> (utterances, classes)."""
    with torch.inference_mode():
        inputs = torch.tensor(numpy.asarray(seconds, dtype=numpy.float32))[:, None]
        return model.eval()(inputs).logits.double().softmax(dim=1).numpy()


def train(modality, settings, prepared, run, *, device="auto", precision="auto", compile=False, resume=False, **how):
    accelerator, held_out = new_accelerator("cpu", precision), how.get("held_out", ("dev", "test"))
    rows = {split: prepared.table[prepared.table["split"] == split] for split in ("train", *held_out)}
    seconds = {
        split: table["duration_seconds"].to_numpy(float) * (1 + bool(how.get("doubled")))
        for split, table in rows.items()
    }
    targets = {split: prepared.labels.targets(table["label"]) for split, table in rows.items()}
    ledger = begin(
        run, settings, prepared, rows["train"]["corpus"], accelerator, resume=resume, force=how.get("force", False)
    )
    seed_everything(settings.training.seed)
    labels = prepared.labels
    config = ToyConfig(settings.model.hidden_size, id2label=labels.id2label, label2id=labels.label2id)
    model = ToyModel(config)
    batch = {
        "seconds": torch.tensor(seconds["train"], dtype=torch.float32)[:, None],
        "targets": torch.from_numpy(one_hot(targets["train"], len(labels))),
    }
    epochs = train_epochs(
        run,
        model,
        lambda epoch: [dict(batch)],
        1,
        lambda current: dev_metrics(probabilities(current, seconds["dev"]), targets["dev"]),
        settings.training,
        accelerator,
        CrossEntropy(),
        how.get("on_epoch"),
    )
    predicted = {
        split: predictions.make(
            rows[split],
            probabilities(model, seconds[split]),
            labels=labels,
            model=settings.name,
            fingerprint=prepared.fingerprint,
        )
        for split in held_out
    }
    about = {"name": settings.name, "modality": "toy", "model": "toy", "parameters": model.num_parameters(), **epochs}
    baseline = Baseline(modality.simple_baseline, {split: targets[split] * 0 for split in held_out})
    return complete(run, about, ledger, predicted, rows["train"]["label"], baseline, modality.card({}))


class ToyPredictor(Predictor):
    columns = (("seconds",), ())

    def __init__(self, run, doubled=False):
        self.settings = ToySettings.make(runs.read_settings(run))
        self.model, self.factor = ToyModel.from_pretrained(run / "model").eval(), 1 + doubled
        self.labels = LabelSet(self.model.config.id2label[target] for target in range(self.model.config.num_labels))

    def predict_split(self, prepared, split):
        rows = prepared.table[prepared.table["split"] == split]
        values = probabilities(self.model, rows["duration_seconds"].to_numpy(float) * self.factor)
        made = predictions.make(
            rows, values, labels=self.labels, model=self.settings.name, fingerprint=prepared.fingerprint
        )
        return made, {}

    def inputs(self, arguments):
        return nullcontext([Input(text, text=text) for text in arguments.options.get("seconds", ())])

    def accepts(self, item):
        return item.text is not None

    def predict(self, inputs):
        for item in inputs:
            name = item.name if isinstance(item, Input) else str(item)
            values = probabilities(self.model, [float(name) * self.factor])[0]
            yield Prediction(self.labels, values, {"seconds": name}, ((name,), ()))
