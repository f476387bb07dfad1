"""One process of the drill: runs random commands, and writes down each one only after it is committed."""

from __future__ import annotations

import json
import os
import time
import traceback
import uuid
from pathlib import Path
from random import Random
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import pghistory  # noqa: E402 - needs the settings
from django.db import InterfaceError, OperationalError, connection  # noqa: E402
from django.urls import reverse  # noqa: E402

from kit.values.errors import BusinessError  # noqa: E402
from oa.organisation.models import User  # noqa: E402
from oa.records.idempotency import BUSY, once  # noqa: E402
from tests.chaos.commands import COMMANDS  # noqa: E402

reverse("desk")  # reads all addresses, once for all processes that are forked off

NAMESPACE = uuid.UUID("6f6c0a5e-3b0e-4f0a-9a63-5d0c3b7f1a11")
REPLAYED = 0.1  # of the operations send an earlier form again
TRIES = 5  # at rows that others hold
PATIENCE = 60  # seconds without a server


class Worker:
    """The operations of one place among the processes; whoever is killed has a successor who goes on there."""

    def __init__(self, folder: str, database: str, seed: int, place: int) -> None:
        self.folder, self.seed, self.place = Path(folder), seed, place
        connection.close()
        connection.settings_dict["NAME"] = database
        self.notes = self.folder / f"acks-{place}"
        self.intents = self.folder / f"intents-{place}"
        if self.notes.exists() and not self.notes.read_bytes().endswith(b"\n"):
            self.notes.open("a").write("\n")  # a predecessor died in the middle of a line
        self.acks = [note for note in read_notes(self.notes) if note["what"] == "ack"]

    def work(self) -> None:
        """Until the driver says stop or is gone; the first is what the predecessor died at, every other time."""
        parent = os.getppid()
        begun = len(self.intents.read_text().split()) if self.intents.exists() else 0
        done = max((note["turn"] for note in read_notes(self.notes)), default=-1)
        if begun and done < begun - 1 and begun % 2:
            self._turn(begun - 1, again=True)
        for turn in range(begun, 10**9):
            if (self.folder / "stop").exists() or os.getppid() != parent:
                break
            with self.intents.open("a") as file:
                file.write(f"{turn}\n")
            self._turn(turn)
        connection.close()

    def _turn(self, turn: int, *, again: bool = False) -> None:
        """One operation from its own dice, so that the same seed asks for the same things."""
        dice = Random(f"{self.seed}:{self.place}:{turn}")
        begin = time.perf_counter()
        note: dict[str, Any] = {"turn": turn, "again": again}
        try:
            replay = self.acks and dice.random() < REPLAYED
            note |= self._replay(dice) if replay else self._first(dice, turn)
        except Exception:
            note |= {"what": "error", "text": traceback.format_exc()}
        note["seconds"] = round(time.perf_counter() - begin, 4)
        if note["what"] == "ack":
            self.acks.append(note)
        self._write(note)

    def _first(self, dice: Random, turn: int) -> dict[str, Any]:
        name = dice.choices(list(COMMANDS), [command.weight for command in COMMANDS.values()])[0]
        key = str(uuid.uuid5(NAMESPACE, f"{self.seed}:{self.place}:{turn}"))
        state = dice.getstate()

        def effect() -> Any:
            dice.setstate(state)
            result = COMMANDS[name].run(dice, self._person(name))
            if result is None:
                raise NothingToDo
            return result

        return {"command": name, "key": key, **self._sent(name, key, effect)}

    def _replay(self, dice: Random) -> dict[str, Any]:
        """The form of an earlier operation again: it must get what it got then."""
        earlier = dice.choice(self.acks)
        key = earlier["key"]

        def effect() -> Any:
            raise AssertionError("a form that was sent again had an effect")

        got = self._sent(earlier["command"], key, effect)
        facts = ("label", "pk", "number", "amount")
        same = got["what"] == "ack" and got["repeated"] and all(got[fact] == earlier[fact] for fact in facts)
        assert same, f"first {earlier}, then {got}"
        return {"what": "replay", "command": earlier["command"], "key": key, "lost": got.get("lost", 0)}

    def _sent(self, name: str, key: str, effect: Any) -> dict[str, Any]:
        """Send a form until there is an answer: busy rows and lost servers are met with the same key again."""
        end, busy, lost = time.monotonic() + PATIENCE, 0, 0
        while True:
            try:
                by = self._person(name)
                with pghistory.context(user=by.pk, url="/chaos/"):
                    result, repeated = once(key, by, f"chaos {name}", effect)
                return {"what": "ack", "repeated": repeated, "busy": busy, "lost": lost, **facts_of(result)}
            except NothingToDo:
                return {"what": "nothing"}
            except BusinessError as error:
                if not held(error):
                    return {"what": "refused", "text": str(error)}
                busy += 1
                if busy >= TRIES:
                    raise
            except (OperationalError, InterfaceError) as error:
                if not disconnected(error) or time.monotonic() > end:
                    raise
                lost += 1
                connection.close()
                time.sleep(0.2)

    @staticmethod
    def _person(name: str) -> User:
        return User.objects.get(username=COMMANDS[name].who)

    def _write(self, note: dict[str, Any]) -> None:
        """On the disk before anything else happens: what is written here is what a person was told."""
        with self.notes.open("a") as file:
            file.write(json.dumps(note) + "\n")
            file.flush()
            os.fsync(file.fileno())


class NothingToDo(Exception):
    """There is no record that the command could be done to; nothing is remembered."""


def facts_of(result: Any) -> dict[str, Any]:
    """What an answer says of a record, of what never changes."""
    if isinstance(result, str):
        return {"label": "", "pk": None, "number": result, "amount": ""}
    number = getattr(result, "number", None) or ""
    amount = next((getattr(result, name) for name in ("total", "amount") if hasattr(result, name)), None)
    shown = "" if amount is None else f"{amount:.2f}"
    return {"label": result._meta.label_lower, "pk": result.pk, "number": number, "amount": shown}


def held(error: BusinessError) -> bool:
    """Whether a refusal only means that others hold the rows."""
    return getattr(getattr(error.__cause__, "__cause__", None), "sqlstate", "") in BUSY


def disconnected(error: Exception) -> bool:
    """Whether the server went away: no state at all, connection exceptions, shutdowns and starts."""
    state = getattr(error.__cause__, "sqlstate", None) or ""
    return state == "" or state.startswith(("08", "57P"))


def read_notes(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a file of notes; a last one that was cut off was never told to anybody."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1] if line.endswith("}")]


def work(folder: str, database: str, seed: int, place: int) -> None:
    """What a process does from its start on."""
    Worker(folder, database, seed, place).work()
