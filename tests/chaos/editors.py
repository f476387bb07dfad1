"""The drill of editors (F-04): two people save the same record again and again, and nothing that was saved is lost."""

from __future__ import annotations

import argparse
import time
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the settings
from django.core.management import call_command  # noqa: E402

from kit.rules.checks import run as broken_invariants  # noqa: E402
from tests.chaos import cluster  # noqa: E402
from tests.concurrency.crowd import Crowd  # noqa: E402
from tests.concurrency.editing import race  # noqa: E402

NAME, PEOPLE, CONTROL = "chaos_editors", 2, 30


class Editors:
    """One run, and its control: the version is compared, but nobody waits for who is saving."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.rounds = given.rounds
        self.seed = given.seed

    def run(self) -> dict[str, Any]:
        """The figures and the faults."""
        cluster.empty(NAME)
        call_command("migrate", interactive=False, verbosity=0)
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        crowd, begin = Crowd(PEOPLE), time.monotonic()
        try:
            outcome, words = race(crowd, PEOPLE, self.rounds)
            took = round(time.monotonic() - begin, 1)
            control, left = race(crowd, PEOPLE, CONTROL, control=True)
        finally:
            crowd.stop()
        lost = outcome["saved"] - len(words)
        faults = [f"{lost} changes lost"] * bool(lost) + ["words twice"] * (len(words) != len(set(words)))
        faults += [f"answers: {outcome}"] * (outcome["saved"] + outcome["overtaken"] != PEOPLE * self.rounds)
        faults += ["nobody met anybody"] * (not outcome["overtaken"])
        faults += ["the control loses nothing"] * (control["saved"] <= len(left))
        faults += [f"{code}: {row}" for code, rows in broken_invariants().items() for row in rows]
        return {
            "seed": self.seed, "seconds": took, "rounds": self.rounds, **outcome, "lost": lost,
            "control: saved, of them lost": [control["saved"], control["saved"] - len(left)], "faults": faults,
        }  # fmt: skip
