"""`emokit.prepare`, `emokit.train` and `emokit.load`: what the commands of these names do, without printing."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from emokit.api import arguments
from emokit.api.arguments import PathLike
from emokit.api.experiments import find_experiment
from emokit.api.model import Model
from emokit.api.prepare import corpora_of, plan_of, read_policies
from emokit.api.run import Run
from emokit.api.wording import names_arguments
from emokit.data import unchanged
from emokit.data.prepared import Prepared, open_prepared
from emokit.data.sources.own.columns import read_columns
from emokit.errors import DataError, UsageError
from emokit.modality import registry
from emokit.modality.transcribing import recogniser_of
from emokit.runtime import check_workers, num_processors, quietened

if TYPE_CHECKING:
    from emokit.audio.settings import FeatureSettings
    from emokit.training.loop import Epoch


@names_arguments
def prepare(
    corpora: "str | Sequence[str] | Mapping[str, PathLike | Sequence[PathLike]]",
    *,
    root: Mapping[str, PathLike] | None = None,
    out: PathLike = "prepared",
    audio_root: PathLike | None = None,
    columns: Mapping[str, str] | None = None,
    labels: str | Sequence[str] | None = None,
    map: Mapping[str, str | None] | None = None,
    split: "PathLike | Mapping[str, PathLike] | None" = None,
    fold: int | None = None,
    folds: PathLike | None = None,
    seed: int | None = None,
    datasets: PathLike | None = None,
    transcribe: PathLike | None = None,
    language: str | None = None,
    translate: PathLike | None = None,
    settings: Mapping[str, Any] | None = None,
    workers: int | None = None,
    force: bool = False,
) -> Prepared:
    """Corpora or own data to a prepared folder: checked, labelled, split without leakage, with features.

    The arguments are the options of `emokit prepare`. A folder that was prepared from the same files before is opened as it is.

    Args:
        corpora: names of corpora, such as `"emodb"`; or own data, name -> table, tables or folder: `{"calls": "labels.csv"}`.
        root: corpus -> its folder.
        out: the prepared folder to make, or to continue.
        audio_root: the folder that the paths of own tables are relative to.
        columns: names of the columns of own tables, where they differ: `{"label": "emotion"}`.
        labels: the label set; `"all"` for all labels that occur.
        map: raw label -> label; None leaves its utterances out.
        split: policy for all, or corpus -> policy.
        fold: number of the fold that the split shows, from 1.
        folds: clone of EmoBox.
        seed: random seed of the splits.
        datasets: YAML file like `datasets.yaml`.
        transcribe: folder or hub name of a Whisper model, or URL of an API, that transcribes the recordings without a text.
        language: of all of these recordings; by default that of the corpus, else detected.
        translate: folder or hub name of a model that translates the transcripts into English.
        settings: of features and splits: `{"features.n_mels": 64}`, or `{"features": {"n_mels": 64}}`.
        workers: processes that decode; one per processor by default.
        force: rebuild `out` if it was prepared with different settings.

    Raises:
        UsageError: a name, option or setting is unknown, or `out` was prepared with different settings.
        DataError: a folder or file is missing or damaged, or a label has no entry; of several corpora, the others are prepared.
        WorkError: the disk is full or `out` cannot be written.
    """
    from emokit.audio.spectrogram.log_mel import LogMel
    from emokit.data.prepare import prepare as work

    check_workers(workers)
    arguments.check_flags(force=force)
    folder = arguments.required_path(out, "out")
    chosen = corpora_of(
        arguments.corpus_names(corpora),
        roots=arguments.pairs(root, "root", '{"emodb": "data/emodb"}'),
        datasets=arguments.path(datasets, "datasets"),
        audio_root=arguments.path(audio_root, "audio_root"),
        columns=read_columns(arguments.pairs(columns, "columns", '{"label": "emotion"}')),
    )
    plan = plan_of(
        chosen,
        labels=arguments.label_names(labels),
        maps=arguments.pairs(map, "map", '{"joy": "happy"}'),
        policies=read_policies([corpus.name for corpus in chosen], arguments.policies(split)),
        fold=fold,
        folds=arguments.path(folds, "folds"),
        seed=seed,
        overrides=[f"{key}={json.dumps(value)}" for key, value in arguments.dotted(settings).items()],
        recogniser=recogniser_of(transcribe, language, translate),
    )
    sources_hash = unchanged.inputs(plan.as_dict(), plan.sources)
    if force or not unchanged.is_unchanged(folder, sources_hash):
        features = cast("FeatureSettings", plan.features)
        work(plan, folder, LogMel(features), num_workers=workers or num_processors(), force=force)
        unchanged.remember(folder, sources_hash)
    prepared = open_prepared(folder)
    if prepared.ledger["failed"]:
        raise DataError(" ".join(prepared.ledger["failed"].values()))
    return prepared


@names_arguments
def train(
    modality: str,
    *,
    data: Prepared | PathLike,
    run: PathLike | None = None,
    experiment: PathLike | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "auto",
    compile: bool = False,
    resume: bool = False,
    force: bool = False,
    on_epoch: "Callable[[Epoch], None] | None" = None,
    **options: Any,
) -> Run:
    """Train a model into a run folder; the checkpoint is chosen on dev, and test is scored once.

    Args:
        modality: `audio` or `text`.
        data: what `emokit.prepare` returned, or its folder.
        run: the run folder to make; `runs/<experiment's name>` by default.
        experiment: YAML file of settings, or the name of one that comes with emokit, such as `acrnn`.
        settings: changes to them: `{"training.max_epochs": 5}`, or `{"training": {"max_epochs": 5}}`.
        device: auto, cuda, mps or cpu.
        precision: auto, float32, bf16 or fp16.
        compile: compile the model with torch first.
        resume: continue an interrupted run after its last completed epoch.
        force: replace an existing run folder.
        on_epoch: called after each epoch.
        options: the modality's own, such as `trust_remote_code=True`.

    Raises:
        UsageError: a setting is unknown or out of range, or the run folder exists.
        DataError: the data are missing or damaged.
        WorkError: the training collapsed, or the memory or disk is full.
    """
    from emokit.training.memory import ANYWHERE, explained

    chosen = registry.modality(modality)
    cls = chosen.settings()
    known = [option.name for option in chosen.options if "train" in option.commands]
    arguments.check_known(options, known, "emokit.train", cls)
    resolved = arguments.read_settings(
        cls, find_experiment(arguments.path(experiment, "experiment"), chosen.name), settings
    )
    arguments.check_flags(compile=compile, resume=resume, force=force)
    if on_epoch is not None and not callable(on_epoch):
        raise UsageError(f"on_epoch is {on_epoch!r} where a function was expected; it is called after each epoch.")
    prepared = data if isinstance(data, Prepared) else open_prepared(arguments.required_path(data, "data"))
    folder = arguments.path(run, "run") or Path("runs") / resolved.name
    with quietened(), explained(lambda: ANYWHERE):
        chosen.train(
            resolved,
            prepared,
            folder,
            device=str(device),
            precision=precision,
            compile=compile,
            resume=resume,
            force=force,
            on_epoch=on_epoch,
            **options,
        )
    return Run(folder)


@names_arguments
def load(run: "Run | PathLike", device: str = "auto", **options: Any) -> Model:
    """Load the model of a run folder: `emokit.load("runs/audio").predict("a.wav").label`.

    Args:
        run: a complete run, or the name of a modality with a pretrained model, such as `vision`.
        device: auto, cuda, mps or cpu.
        options: the modality's own, such as `trust_remote_code=True`.

    Raises:
        UsageError: a package is missing, the device is not on this machine, or the modality has no such option.
        DataError: the run is missing, incomplete or damaged.
    """
    with quietened():
        source = arguments.required_path(run, "run")
        predictor = registry.load(run if isinstance(run, str) else source, str(device), **options)
    return Model(predictor)
