"""How the processes that read are started: without the user's script, which would run again in each of them."""

import sys
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any


class _Process(SpawnProcess):
    """A process that does not import the main module again; it holds nothing that emokit's processes need.

    A script without `if __name__ == "__main__":` that calls `emokit.prepare` would otherwise start itself in each process.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        main: dict[str, Any] = vars(sys.modules["__main__"])
        before: dict[str, Any] = {name: main[name] for name in ("__spec__", "__file__") if name in main}
        main.update(dict.fromkeys(before))
        try:
            return SpawnProcess._Popen(process_obj)
        finally:
            main.update(before)


class Spawn(SpawnContext):
    """Starts processes by spawning: a fork of a process that has threads (torch, BLAS) can hang."""

    Process = _Process
