"""Eight processes with connections of their own."""

from __future__ import annotations

import multiprocessing
from importlib import import_module
from typing import Any

PROCESSES = 8


class Crowd:
    """Workers that start one command at the same moment, each in a process and a connection of its own."""

    def __init__(self, size: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.concurrency.worker"])
        worker = import_module("tests.concurrency.worker")
        self.gate = context.Barrier(size)
        self.pipes = []
        self.processes = []
        for _ in range(size):
            ours, theirs = context.Pipe()
            process = context.Process(target=worker.serve, args=(theirs, self.gate), daemon=True)
            process.start()
            self.pipes.append(ours)
            self.processes.append(process)

    def run(self, command: str, per_worker: list[dict[str, Any]], *, control: bool = False) -> list[Any]:
        """Run `command` of the worker module once per entry of `per_worker`; returns what each returned.

        With `control` the locks are taken away, to show that the test would notice.
        """
        from django.db import connection

        database = connection.settings_dict["NAME"]
        connection.close()
        for number, pipe in enumerate(self.pipes):
            given = per_worker[number] if number < len(per_worker) else None
            pipe.send((database, command, given, control))
        answers = [pipe.recv() for pipe in self.pipes]
        failures = [answer for answer in answers if isinstance(answer, str)]
        assert not failures, failures[0]
        return answers[: len(per_worker)]

    def stop(self) -> None:
        """End all workers."""
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            pipe.send(None)
            process.join(10)
            if process.is_alive():
                process.kill()
