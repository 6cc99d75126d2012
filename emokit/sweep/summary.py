"""The results of a sweep: `sweep.json` for reports, `trials.csv` for spreadsheets, `best.yaml` for `emokit train`."""

import statistics
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from emokit import runs
from emokit.files import write_csv, write_json, write_text
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
    """The content of `sweep.json`.

    Args:
        plan: the sweep.
        importance: compute the importance of each field, which takes a while.
    """
    sweep = plan.sweep
    points = [_entry(plan, trial) for trial in plan.search.fill().values()]
    counts = Counter(point["state"] for point in points)
    is_searched = sum(counts[state] for state in ENDED) == len(points)
    queue = plan.confirm() if is_searched and sweep.confirm.best else None
    confirmations = [_entry(plan, trial) for trial in queue.fill().values()] if queue else []
    confirmed = _confirmed(sweep, confirmations)
    environment = runs.read_environment(plan.run)
    return {
        "kind": "sweep",
        "name": sweep.name,
        "modality": sweep.experiment.modality,
        "experiment_name": sweep.experiment.settings["name"],
        "objective": {**sweep.objective.as_dict(), "lower_is_better": sweep.objective.is_minimized},
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
        "epochs": sum(point["epochs"] for point in (*points, *confirmations)),
        "is_complete": is_searched and all(point["state"] in ENDED for point in confirmations),
        "trials": points,
        "confirmations": confirmations,
        "confirmed": confirmed,
        "best": _best(sweep, points, confirmed),
        "importance": _importance(plan.search) if importance else {},
        "data_fingerprint": environment.get("data_fingerprint"),
        "started": environment.get("started"),
    }


def write(plan: Plan, summary: dict[str, Any]) -> None:
    """Write `trials.csv`, `best.yaml` if there is a best point, and last `sweep.json`."""
    _write_csv(plan.run / TRIALS, summary)
    if summary["best"]:
        write_text(plan.run / BEST, _best_yaml(plan, summary))
    write_json(plan.run / SWEEP, validated(Sweep, summary))


def _entry(plan: Plan, trial: FrozenTrial) -> dict[str, Any]:
    attrs = trial.user_attrs
    state = {
        TrialState.WAITING: "waiting",
        TrialState.RUNNING: "running",
        TrialState.COMPLETE: "complete",
        TrialState.PRUNED: attrs.get("outcome", "pruned"),
    }.get(trial.state) or ("failed" if attrs.get("outcome") == FAILED else "waiting")
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    return {
        "point": attrs["point"],
        "state": state,
        "params": space.as_point(plan.sweep, params),
        "value": trial.value if trial.state == TrialState.COMPLETE else attrs.get("best"),
        "best_epoch": attrs.get("best_epoch"),
        "epochs": int(attrs.get("epochs") or len(trial.intermediate_values)),
        "seconds": float(attrs.get("seconds") or 0.0),
        "reason": attrs.get("reason", "") if state in ENDED else "",
        "values": attrs.get("values", []),
        "halved": bool(attrs.get("halved")),
        "attempt": attrs["attempt"],
        "by_epoch": [[epoch, value] for epoch, value in sorted(trial.intermediate_values.items())],
    }


def _confirmed(sweep: SweepSettings, confirmations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The points whose fresh seeds have all ended, best mean first; a collapsed seed counts with its best epoch."""
    by_point: dict[str, list[dict[str, Any]]] = {}
    for entry in confirmations:
        by_point.setdefault(entry["point"].partition("/")[0], []).append(entry)
    confirmed = []
    for point, entries in by_point.items():
        values = [entry["value"] for entry in entries if entry["value"] is not None]
        if len(values) == len(entries) and all(entry["state"] in ENDED for entry in entries):
            confirmed.append(
                {
                    "point": point,
                    "params": entries[0]["params"],
                    "values": values,
                    "mean": statistics.fmean(values),
                    "deviation": statistics.stdev(values) if len(values) > 1 else 0.0,
                    "collapsed": sum(entry["state"] == "collapsed" for entry in entries),
                }
            )
    sign = 1 if sweep.objective.is_minimized else -1
    return sorted(confirmed, key=lambda entry: (sign * entry["mean"], entry["point"]))


def _best(sweep: SweepSettings, points: list[dict[str, Any]], confirmed: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The point with the best mean over fresh seeds; without one, the best point of the search."""
    if confirmed:
        best = confirmed[0]
        copied = {key: best[key] for key in ("point", "params", "deviation", "values")}
        return {**copied, "value": best["mean"], "is_confirmed": True}
    complete = [point for point in points if point["state"] == "complete"]
    if not complete:
        return None
    choose = min if sweep.objective.is_minimized else max
    best = choose(complete, key=lambda point: float(point["value"]))
    copied = {key: best[key] for key in ("point", "params", "value")}
    return {**copied, "deviation": None, "values": [best["value"]], "is_confirmed": False}


def _importance(queue: TrialQueue) -> dict[str, float]:
    """Field -> share of the score's variance that it explains (fANOVA over the complete points)."""
    complete = queue.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < 4 or len({trial.value for trial in complete}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        importances = optuna.importance.get_param_importances(queue.study, evaluator=evaluator)
    return {field: float(importance) for field, importance in importances.items()}


def _write_csv(path: Path, summary: dict[str, Any]) -> None:
    fields = [dimension["field"] for dimension in summary["dimensions"]]
    columns = ("point", "state", "value", "best_epoch", "epochs", "seconds")
    rows = [
        [*(entry[name] for name in columns), *(entry["params"].get(field, "") for field in fields), entry["reason"]]
        for entry in (*summary["trials"], *summary["confirmations"])
    ]
    write_csv(path, [*columns, *fields, "reason"], rows)


def _best_yaml(plan: Plan, summary: dict[str, Any]) -> str:
    best, sweep = summary["best"], plan.sweep
    settings = space.settings_of(sweep, best["params"] | {"name": f"{sweep.name}-best"})
    metric, num_ended = sweep.objective.metric, sum(summary["counts"][state] for state in ENDED)
    score = (
        f"mean {best['value']:.4f} ± {best['deviation']:.4f} over {len(best['values'])} fresh seeds"
        if best["is_confirmed"]
        else f"{best['value']:.4f}, not confirmed with fresh seeds"
    )
    lines = [
        f"Point {best['point']} of the sweep {sweep.name}: {metric} on dev {score}.",
        f"It is the best of {num_ended} points on dev, so the score is optimistic. Test was not read.",
        "",
        f"  emokit train {sweep.experiment.modality} {BEST} --data DIR --run runs/{sweep.name}-best",
    ]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines) + "\n" + settings.as_yaml()
