"""The search space over an experiment's settings: read, checked before anything runs, and turned into points.

A point is a mapping from the experiment's fields to values: {"training.lr": 1e-4, "training.batch_size": 16}.
"""

import copy
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit.errors import DataError, EmokitError, UsageError
from emokit.modality.registry import modality
from emokit.settings import Settings, fields, nearest, read_yaml_mapping, set_dotted
from emokit.sweep.settings import Dimension, SweepSettings

if TYPE_CHECKING:
    from optuna.trial import Trial

    from emokit.data.prepared import Prepared

Point = dict[str, Any]

NOT_VARIED = {
    "name": "it names the run",
    "modality": "the experiment sets it",
    "training.seed": "write seeds: N instead",
}
MOST_CHECKED = 10_000  # points of a grid whose settings are all made beforehand
MOST_CHECKED_ON_DATA = 100  # points that are tried on the data before a sweep over data that none can use is refused
PLAIN = (type(None), bool, int, float, str)  # types that Optuna stores unchanged


def read_space(path: Path) -> SweepSettings:
    """Read a space's YAML file and check everything that can be checked before anything runs.

    Returns:
        the sweep, with all settings of the experiment in `experiment.settings`; the experiment's file is not needed any more.

    Raises:
        UsageError: a file is missing, a key or value is refused, the space is empty or does not fit its sampler or budget.
    """
    sweep = SweepSettings.make(read_yaml_mapping(path), str(path))
    values: dict[str, Any] = {}
    if sweep.experiment.file:
        file = path.parent / sweep.experiment.file
        if not file.is_file():
            raise UsageError(f"{path} has experiment.file = {sweep.experiment.file}, and {file} does not exist.")
        values = read_yaml_mapping(file)
    _override(values, sweep.experiment.settings)
    base = _settings_class(sweep).make(values, f"{path}, in its experiment,")
    experiment = sweep.experiment.model_copy(update={"file": None, "settings": base.as_dict()})
    sweep = sweep.model_copy(update={"experiment": experiment})
    _check_fields(sweep, path)
    _check_sampler(sweep, path)
    _check_values(sweep, path)
    return sweep


def check_resolved(sweep: SweepSettings, path: Path) -> None:
    """Refuse the settings of a sweep's folder that lack some of the experiment's: the file was cut or edited.

    Raises:
        DataError: they do, or a value is refused.
    """
    experiment = sweep.experiment.settings
    if _settings_class(sweep).make(experiment, f"{path}, in its experiment,", DataError).as_dict() != experiment:
        raise DataError(f"{path} has not all settings of its experiment; sweep into another folder with --run.")


def settings_of(sweep: SweepSettings, point: Mapping[str, Any], source: str = "The sweep") -> Settings:
    """The experiment's settings at a point.

    Raises:
        UsageError: the settings refuse a value or a combination of values.
    """
    values = copy.deepcopy(sweep.experiment.settings)
    for field, value in point.items():
        set_dotted(values, field, value)
    return _settings_class(sweep).make(values, source)


def check_data(sweep: SweepSettings, prepared: "Prepared", held_out: tuple[str, ...]) -> None:
    """Refuse data that the training of no point can use, with the sentence of the first.

    Raises:
        EmokitError: as the training raises it.
    """
    refusal: EmokitError | None = None
    for point in itertools.islice(_some_points(sweep), MOST_CHECKED_ON_DATA):
        try:
            modality(sweep.experiment.modality).check_data(settings_of(sweep, point), prepared, held_out)
        except EmokitError as error:
            refusal = refusal or error
        else:
            return
    if refusal:
        raise refusal


def grid(sweep: SweepSettings) -> list[Point]:
    """All points of a grid, in the order of the file, the last dimension fastest; branches only where they are open."""
    points = []
    for outer in _product(sweep.space):
        inner: list[Point] = [{}]
        for branch in sweep.branches:
            if _is_open(branch.when, outer):
                inner = [point | values for point in inner for values in _product(branch.space)]
        points += [outer | values for values in inner]
    return points


def grid_size(sweep: SweepSettings) -> int:
    """The number of points of `grid`, counted without listing them."""
    deciding = {field for branch in sweep.branches for field in branch.when}
    others = [dimension for field, dimension in sweep.space.items() if field not in deciding]
    return _size(others) * sum(
        _size(chain(*(branch.space.values() for branch in sweep.branches if _is_open(branch.when, outer))))
        for outer in _product({field: dimension for field, dimension in sweep.space.items() if field in deciding})
    )


def _size(dimensions: Iterable[Dimension]) -> int:
    return math.prod(len(dimension.values) for dimension in dimensions)


def suggest(sweep: SweepSettings, trial: "Trial") -> Point:
    """Let Optuna choose a value in each open dimension; values that the trial was created with are not changed."""
    point = {field: _suggest(trial, field, dimension) for field, dimension in sweep.space.items()}
    for branch in sweep.branches:
        if _is_open(branch.when, point):
            point |= {field: _suggest(trial, field, dimension) for field, dimension in branch.space.items()}
    return point


def as_params(sweep: SweepSettings, point: Point) -> dict[str, Any]:
    """A point in the form that Optuna stores."""
    by_field = dimensions(sweep)
    return {field: _encoded(by_field[field], value) for field, value in point.items()}


def as_point(sweep: SweepSettings, params: Mapping[str, Any]) -> Point:
    """A point from what Optuna stored."""
    by_field = dimensions(sweep)
    return {field: _decoded(by_field[field], value) for field, value in params.items() if field in by_field}


def dimensions(sweep: SweepSettings) -> dict[str, Dimension]:
    """All varied fields and their values, those of branches last."""
    by_field = dict(sweep.space)
    for branch in sweep.branches:
        by_field |= branch.space
    return by_field


def _settings_class(sweep: SweepSettings) -> type[Settings]:
    return modality(sweep.experiment.modality).settings()


def _suggest(trial: "Trial", field: str, dimension: Dimension) -> Any:
    if dimension.float:
        return trial.suggest_float(field, *dimension.float, log=dimension.log)
    if dimension.int:
        return trial.suggest_int(field, *dimension.int, log=dimension.log)
    chosen = trial.suggest_categorical(field, [_encoded(dimension, value) for value in dimension.values])
    return _decoded(dimension, chosen)


def _encoded(dimension: Dimension, value: Any) -> Any:
    """Optuna stores no lists, such as `model.channels`; they become JSON."""
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


def _override(values: dict[str, Any], overrides: Mapping[str, Any]) -> None:
    """Override settings in place, group by group; `training.lr: 1` is `training: {lr: 1}`."""
    for key, value in overrides.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _override(values[key], value)
        else:
            set_dotted(values, key, value)


def _check_fields(sweep: SweepSettings, path: Path) -> None:
    if not sweep.space:
        raise UsageError(f"{path} has an empty space; name at least one field to vary, such as training.lr.")
    known = fields(_settings_class(sweep))
    for field in (*sweep.space, *(field for branch in sweep.branches for field in branch.space)):
        if inner := next((key for key in known if key.startswith(f"{field}.")), None):
            raise UsageError(f"{path} varies {field}, which is a group of settings; vary one of them, such as {inner}.")
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
            raise UsageError(f"{path} varies {field}, which a sweep cannot vary: {reason}.")
    for branch in sweep.branches:
        for field, value in branch.when.items():
            if field not in sweep.space or value not in sweep.space[field].values or sweep.space[field].bounds:
                raise UsageError(
                    f"{path} has a branch for {field} = {value!r}, which is not in the space; "
                    "name a field of the space and one of its values."
                )
        twice = [field for field in branch.space if field in sweep.space]
        if twice:
            raise UsageError(f"{path} varies {twice[0]} both in the space and in a branch; remove one of the two.")


def _check_sampler(sweep: SweepSettings, path: Path) -> None:
    by_field = dimensions(sweep)
    ranges = [field for field, dimension in by_field.items() if dimension.bounds]
    lists = [field for field in by_field if field not in ranges]
    if sweep.is_grid:
        if ranges:
            raise UsageError(f"{path} has sampler = grid and a range for {ranges[0]}; list its values as grid: [a,b].")
        num_points, max_trials = grid_size(sweep), sweep.budget.trials
        if max_trials is not None and num_points > max_trials:
            raise UsageError(
                f"{path} has a grid of {num_points} points and a budget of {max_trials} trials; "
                f"raise budget.trials to {num_points}, or vary less."
            )
        return
    grids = [field for field, dimension in by_field.items() if dimension.grid]
    if grids:
        raise UsageError(
            f"{path} has a grid for {grids[0]}, but not for every field; write choice: [a,b] for it, or grid for all."
        )
    if sweep.sampler == "cmaes" and (lists or sweep.branches or len(ranges) < 2):
        raise UsageError(
            f"{path} has sampler = cmaes, which needs two or more float or int fields and nothing else; write sampler: tpe."
        )
    if sweep.budget.trials is None:
        raise UsageError(f"{path} has no budget; write how many points to try, such as budget: {{trials: 40}}.")


def _check_values(sweep: SweepSettings, path: Path) -> None:
    """Make the settings of all points of a grid; of larger ones and other spaces, those of every value and bound."""
    for point in _some_points(sweep):
        settings_of(sweep, point, f"{path}, at one of its points,")


def _some_points(sweep: SweepSettings) -> Iterator[Point]:
    if sweep.is_grid and grid_size(sweep) <= MOST_CHECKED:
        yield from grid(sweep)
        return
    for field, dimension in sweep.space.items():
        yield from ({field: value} for value in dimension.values)
    for branch in sweep.branches:
        for field, dimension in branch.space.items():
            yield from (branch.when | {field: value} for value in dimension.values)
