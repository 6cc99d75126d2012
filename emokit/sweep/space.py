"""The space of a sweep over an experiment's settings: read, checked before anything runs, and turned into points.

A point is a mapping from the experiment's fields to values: {"training.lr": 1e-4, "training.batch_size": 16}.
"""

import copy
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit.audio.settings import AudioSettings
from emokit.errors import UsageError
from emokit.settings import Settings, fields, nearest, read_yaml_mapping, set_dotted
from emokit.sweep.settings import Dimension, SweepSettings
from emokit.text.settings import TextSettings

if TYPE_CHECKING:
    from optuna.trial import Trial

Point = dict[str, Any]

MODALITIES_: dict[str, type[Settings]] = {"audio": AudioSettings, "text": TextSettings}
NOT_VARIED = {
    "name": "it is what the run is called",
    "modality": "it is the experiment's own",
    "training.seed": "write seeds: N for that",
}
PLAIN = (type(None), bool, int, float, str)  # what Optuna stores as it is


def read_space(path: Path) -> SweepSettings:
    """Read a space's YAML file and check everything that can be checked before anything runs.

    Returns:
        the sweep, with the whole experiment in `experiment.settings`, so that its file is needed no more.

    Raises:
        UsageError: a file is not there, a key or value is refused, the space is empty or does not fit its sampler or budget.
    """
    sweep = SweepSettings.make(read_yaml_mapping(path), str(path))
    values: dict[str, Any] = {}
    if sweep.experiment.file:
        file = path.parent / sweep.experiment.file
        if not file.is_file():
            raise UsageError(f"{path} has experiment.file = {sweep.experiment.file}, and {file} is not there.")
        values = read_yaml_mapping(file)
    _lay(values, sweep.experiment.settings)
    base = MODALITIES_[sweep.experiment.modality].make(values, f"{path}, in its experiment,")
    experiment = sweep.experiment.model_copy(update={"file": None, "settings": base.as_dict()})
    sweep = sweep.model_copy(update={"experiment": experiment})
    _check_fields(sweep, path)
    _check_sampler(sweep, path)
    _check_values(sweep, path)
    return sweep


def settings_of(sweep: SweepSettings, point: Mapping[str, Any], source: str = "The sweep") -> Settings:
    """The experiment's settings at a point.

    Raises:
        UsageError: the settings refuse a value, or two that stand together.
    """
    values = copy.deepcopy(sweep.experiment.settings)
    for field, value in point.items():
        set_dotted(values, field, value)
    return MODALITIES_[sweep.experiment.modality].make(values, source)


def grid(sweep: SweepSettings) -> list[Point]:
    """Every point of a grid, in the order of the file, the last dimension fastest; those of branches only where they are open."""
    points = []
    for outer in _product(sweep.space):
        inner: list[Point] = [{}]
        for branch in sweep.branches:
            if _is_open(branch.when, outer):
                inner = [one | other for one in inner for other in _product(branch.space)]
        points += [outer | rest for rest in inner]
    return points


def suggest(sweep: SweepSettings, trial: "Trial") -> Point:
    """Let Optuna choose a value in each dimension that is open; what a trial was given before stays."""
    point = {field: _suggest(trial, field, dimension) for field, dimension in sweep.space.items()}
    for branch in sweep.branches:
        if _is_open(branch.when, point):
            point |= {field: _suggest(trial, field, dimension) for field, dimension in branch.space.items()}
    return point


def as_params(sweep: SweepSettings, point: Point) -> dict[str, Any]:
    """A point as Optuna is given it."""
    every = dimensions(sweep)
    return {field: _encoded(every[field], value) for field, value in point.items()}


def as_point(sweep: SweepSettings, params: Mapping[str, Any]) -> Point:
    """What Optuna stored of a point, as values of the settings again."""
    every = dimensions(sweep)
    return {field: _decoded(every[field], value) for field, value in params.items() if field in every}


def dimensions(sweep: SweepSettings) -> dict[str, Dimension]:
    """Every field that is varied, those of branches last."""
    every = dict(sweep.space)
    for branch in sweep.branches:
        every |= branch.space
    return every


def _suggest(trial: "Trial", field: str, dimension: Dimension) -> Any:
    if dimension.float:
        return trial.suggest_float(field, *dimension.float, log=dimension.log)
    if dimension.int:
        return trial.suggest_int(field, *dimension.int, log=dimension.log)
    chosen = trial.suggest_categorical(field, [_encoded(dimension, value) for value in dimension.values])
    return _decoded(dimension, chosen)


def _encoded(dimension: Dimension, value: Any) -> Any:
    """Lists, such as `model.channels`, are text to Optuna."""
    return value if dimension.bounds or _is_plain(dimension) else json.dumps(value)


def _decoded(dimension: Dimension, value: Any) -> Any:
    return value if dimension.bounds or _is_plain(dimension) else json.loads(value)


def _is_plain(dimension: Dimension) -> bool:
    return all(isinstance(value, PLAIN) for value in dimension.values)


def _product(space: Mapping[str, Dimension]) -> Iterator[Point]:
    for values in itertools.product(*(dimension.values for dimension in space.values())):
        yield dict(zip(space, values, strict=True))


def _is_open(when: Mapping[str, Any], point: Mapping[str, Any]) -> bool:
    return all(point[field] == value for field, value in when.items())


def _lay(values: dict[str, Any], over: Mapping[str, Any]) -> None:
    """Lay settings over settings, group by group; `training.lr: 1` is `training: {lr: 1}`."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _lay(values[key], value)
        else:
            set_dotted(values, key, value)


def _check_fields(sweep: SweepSettings, path: Path) -> None:
    if not sweep.space:
        raise UsageError(f"{path} has an empty space; name at least one field to vary, such as training.lr.")
    known = fields(MODALITIES_[sweep.experiment.modality])
    for field in (*sweep.space, *(field for branch in sweep.branches for field in branch.space)):
        if field not in known:
            nearest_name = nearest(field, known)
            hint = (
                f"did you mean {nearest_name}?"
                if nearest_name
                else f"see `emokit settings {sweep.experiment.modality}` for the known ones."
            )
            raise UsageError(f"{path} varies the unknown field {field}; {hint}")
        reason = NOT_VARIED.get(field) or ("it changes nothing" if field.startswith("published.") else None)
        if reason:
            raise UsageError(f"{path} varies {field}, which no sweep can: {reason}.")
    for branch in sweep.branches:
        for field, value in branch.when.items():
            if field not in sweep.space or value not in sweep.space[field].values or sweep.space[field].bounds:
                raise UsageError(
                    f"{path} has a branch for {field} = {value!r}, which the space never takes; "
                    "name a field of the space and one of its values."
                )
        twice = [field for field in branch.space if field in sweep.space]
        if twice:
            raise UsageError(f"{path} varies {twice[0]} in the space and again in a branch; leave it out of one.")


def _check_sampler(sweep: SweepSettings, path: Path) -> None:
    every = dimensions(sweep)
    ranges = [field for field, dimension in every.items() if dimension.bounds]
    lists = [field for field in every if field not in ranges]
    if sweep.is_grid:
        if ranges:
            raise UsageError(f"{path} has sampler = grid and a range for {ranges[0]}; list its values as grid: [a,b].")
        size, most = len(grid(sweep)), sweep.budget.trials
        if most is not None and size > most:
            raise UsageError(
                f"{path} has a grid of {size} points and a budget of {most} trials; "
                f"raise budget.trials to {size}, or vary less."
            )
        return
    mixed = [field for field, dimension in every.items() if dimension.grid]
    if mixed:
        raise UsageError(
            f"{path} has a grid for {mixed[0]} and is no grid as a whole; write choice: [a,b] for it, or grid for all."
        )
    if sweep.sampler == "cmaes" and (lists or sweep.branches or len(ranges) < 2):
        raise UsageError(
            f"{path} has sampler = cmaes, which needs two or more float or int fields and nothing else; write sampler: tpe."
        )
    if sweep.budget.trials is None:
        raise UsageError(f"{path} has no budget; write how many points to try, such as budget: {{trials: 40}}.")


def _check_values(sweep: SweepSettings, path: Path) -> None:
    """Make the settings of every point of a grid; of other spaces, those at every value and both ends of every range."""
    if sweep.is_grid:
        for point in grid(sweep):
            settings_of(sweep, point, f"{path}, at one of its points,")
        return
    for field, dimension in sweep.space.items():
        for value in dimension.values:
            settings_of(sweep, {field: value}, f"{path}, at one of its points,")
    for branch in sweep.branches:
        for field, dimension in branch.space.items():
            for value in dimension.values:
                settings_of(sweep, branch.when | {field: value}, f"{path}, at one of its points,")
