"""What a sweep came to: `sweep.json` for reports, `trials.csv` for spreadsheets, `best.yaml` ready for `emokit train`."""

import csv
import io
import statistics
import warnings
from collections import Counter
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from emokit import runs
from emokit.files import write_json, write_text
from emokit.schema.base import validated
from emokit.schema.sweep import SWEEP, Sweep
from emokit.sweep import space
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.trial_queue import FAILED, TrialQueue

TRIALS = "trials.csv"
BEST = "best.yaml"

STATES = ("complete", "pruned", "collapsed", "failed", "running", "waiting")
ENDED = STATES[:4]


def summarise(plan: Plan, *, importance: bool = False) -> dict[str, Any]:
    """Everything that a table, a report or another program wants to know of a sweep.

    Args:
        plan: the sweep.
        importance: compute how much each field matters, which takes a while.
    """
    sweep = plan.sweep
    points = [_entry(plan, trial) for trial in plan.search.fill().values()]
    counts = Counter(point["state"] for point in points)
    is_searched = sum(counts[state] for state in ENDED) == len(points)
    board = plan.confirm() if is_searched and sweep.confirm.best else None
    again = [_entry(plan, trial) for trial in board.fill().values()] if board else []
    confirmed = _confirmed(sweep, again)
    environment = runs.read_environment(plan.run)
    return {
        "kind": "sweep",
        "name": sweep.name,
        "experiment": sweep.experiment.modality,
        "experiment_name": sweep.experiment.settings["name"],
        "objective": {**sweep.objective.as_dict(), "lower_is_better": sweep.objective.is_lowered},
        "sampler": "grid" if sweep.is_grid else "tpe" if sweep.sampler == "auto" else sweep.sampler,
        "pruner": sweep.pruner,
        "max_epochs": sweep.experiment.settings["training"]["max_epochs"],
        "seeds": sweep.seeds,
        "confirm": sweep.confirm.as_dict(),
        "dimensions": [
            {"field": field, "values": list(dimension.values), "is_range": bool(dimension.bounds), "log": dimension.log}
            for field, dimension in space.dimensions(sweep).items()
        ],
        "points": len(points),
        "counts": {state: counts[state] for state in STATES},
        "epochs": sum(point["epochs"] for point in (*points, *again)),
        "is_complete": is_searched and all(point["state"] in ENDED for point in again),
        "trials": points,
        "confirmations": again,
        "confirmed": confirmed,
        "best": _best(sweep, points, confirmed),
        "importance": _importance(plan.search) if importance else {},
        "data_fingerprint": environment["data_fingerprint"],
        "started": environment["started"],
    }


def write(plan: Plan, found: dict[str, Any]) -> None:
    """Write `trials.csv`, `best.yaml` where there is a best point, and last `sweep.json`."""
    write_text(plan.run / TRIALS, _csv(found))
    if found["best"]:
        write_text(plan.run / BEST, _best_yaml(plan, found))
    write_json(plan.run / SWEEP, validated(Sweep, found))


def _entry(plan: Plan, trial: FrozenTrial) -> dict[str, Any]:
    notes = trial.user_attrs
    state = {
        TrialState.WAITING: "waiting",
        TrialState.RUNNING: "running",
        TrialState.COMPLETE: "complete",
        TrialState.PRUNED: notes.get("why", "pruned"),
    }.get(trial.state) or ("failed" if notes.get("why") == FAILED else "waiting")
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    return {
        "point": notes["point"],
        "state": state,
        "params": space.as_point(plan.sweep, params),
        "value": trial.value if trial.state == TrialState.COMPLETE else notes.get("best"),
        "best_epoch": notes.get("best_epoch"),
        "epochs": int(notes.get("epochs") or len(trial.intermediate_values)),
        "seconds": float(notes.get("seconds") or 0.0),
        "reason": notes.get("reason", "") if state in ENDED else "",
        "values": notes.get("values", []),
        "halved": bool(notes.get("halved")),
        "attempt": notes["attempt"],
        "by_epoch": [[epoch, value] for epoch, value in sorted(trial.intermediate_values.items())],
    }


def _confirmed(sweep: SweepSettings, again: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The points that all fresh seeds were tried on, the best mean first; a seed that collapsed counts with what it had."""
    by_point: dict[str, list[dict[str, Any]]] = {}
    for entry in again:
        by_point.setdefault(entry["point"].partition("/")[0], []).append(entry)
    found = []
    for point, entries in by_point.items():
        values = [entry["value"] for entry in entries if entry["value"] is not None]
        if len(values) == len(entries) and all(entry["state"] in ENDED for entry in entries):
            found.append(
                {
                    "point": point,
                    "params": entries[0]["params"],
                    "values": values,
                    "mean": statistics.fmean(values),
                    "deviation": statistics.stdev(values) if len(values) > 1 else 0.0,
                    "collapsed": sum(entry["state"] == "collapsed" for entry in entries),
                }
            )
    sign = 1 if sweep.objective.is_lowered else -1
    return sorted(found, key=lambda entry: (sign * entry["mean"], entry["point"]))


def _best(sweep: SweepSettings, points: list[dict[str, Any]], confirmed: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The best mean over fresh seeds; until there is one, the best point of the search."""
    if confirmed:
        first = confirmed[0]
        kept = {key: first[key] for key in ("point", "params", "deviation", "values")}
        return {**kept, "value": first["mean"], "is_confirmed": True}
    complete = [point for point in points if point["state"] == "complete"]
    if not complete:
        return None
    choose = min if sweep.objective.is_lowered else max
    first = choose(complete, key=lambda point: float(point["value"]))
    kept = {key: first[key] for key in ("point", "params", "value")}
    return {**kept, "deviation": None, "values": [first["value"]], "is_confirmed": False}


def _importance(board: TrialQueue) -> dict[str, float]:
    """How much of the score's variance each field explains (fANOVA over the points that were trained to their end)."""
    complete = board.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < 4 or len({trial.value for trial in complete}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(board.study, evaluator=evaluator)
    return {field: float(share) for field, share in found.items()}


def _csv(found: dict[str, Any]) -> str:
    fields = [dimension["field"] for dimension in found["dimensions"]]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    shown = ("point", "state", "value", "best_epoch", "epochs", "seconds")
    writer.writerow([*shown, *fields, "reason"])
    for entry in (*found["trials"], *found["confirmations"]):
        point = [entry["params"].get(field, "") for field in fields]
        writer.writerow([*(entry[name] for name in shown), *point, entry["reason"]])
    return table.getvalue()


def _best_yaml(plan: Plan, found: dict[str, Any]) -> str:
    best, sweep = found["best"], plan.sweep
    settings = space.settings_of(sweep, best["params"] | {"name": f"{sweep.name}-best"})
    metric, tried = sweep.objective.metric, sum(found["counts"][state] for state in ENDED)
    how = (
        f"mean {best['value']:.4f} ± {best['deviation']:.4f} over {len(best['values'])} fresh seeds"
        if best["is_confirmed"]
        else f"{best['value']:.4f} with one choice of seeds, not confirmed"
    )
    lines = [
        f"Point {best['point']} of the sweep {sweep.name}: {metric} on dev {how};",
        f"chosen among {tried} points, so a little of it is luck. Test was not touched.",
        "",
        f"  emokit train {sweep.experiment.modality} {BEST} --data DIR --run runs/{sweep.name}-best",
    ]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines) + "\n" + settings.as_yaml()
