"""Child processes with limits: the only way in which we open a file that somebody else made (S-13, F-18, F-20)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
REFUSED = 3  # the child's exit code when it says why
OUT_OF_TIME = (-24, -9)  # SIGXCPU, and SIGKILL after it
# Isolated: neither the environment nor the present folder decides what is imported; our own code comes last.
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); from kit.exchange.children.common import main;"
    "sys.exit(main(sys.argv[2], *map(int, sys.argv[3:6]), *sys.argv[6:]))"
)


@dataclass(frozen=True)
class Limits:
    """What a child may use: bytes of memory, seconds of the processor, bytes written, seconds altogether.

    `waiting` is for a child that does not even use the processor.
    """

    memory: int
    seconds: int
    written: int
    waiting: int


class Refused(Exception):
    """The child refused the file or died of it: `facts["error"]` is a code; who asked puts it into words."""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(facts["error"])


def run_limited(name: str, *given: str, output: IO[bytes], limits: Limits) -> None:
    """Let the child `kit.exchange.children.<name>` write to the file `output`; raises Refused."""
    command = [sys.executable, "-I", "-c", _BOOT, str(ROOT), name]
    command += [str(limits.memory), str(limits.seconds), str(limits.written), *given]
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=limits.waiting,
            check=False,
            env={"LANG": "C.UTF-8"},
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise Refused(error="time") from None
    if ended.returncode == REFUSED:
        raise Refused(**json.loads(ended.stderr.splitlines()[-1]))
    if ended.returncode in OUT_OF_TIME:
        raise Refused(error="time")
    if ended.returncode:
        # Whatever ends a child that has its limits: what it was given needs too much memory.
        raise Refused(error="memory")
