"""Trainings on the machines of a Ray cluster: processes that `RayTrainer`s look after.

Ray finds the places, by CPUs and GPUs, and notices machines that die. All that is written of a
study is written by the search, on one machine.
"""

import secrets
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridgen.errors import GridgenError, UsageError
from gridgen.files import make_folder, write_file
from gridgen.study.engine.carrying import INITIAL, LOG, RUN, carried_back, packed
from gridgen.study.engine.messages import Message
from gridgen.study.engine.ray_cluster import ANSWER_SECONDS, RayCluster, connected, fitting
from gridgen.study.engine.ray_trainer import RayMachine, RayTrainer, versions
from gridgen.study.engine.worker import told_of

SIGN = ".cluster"
"""A file in the search's folder, by which a machine knows whether it sees that folder."""
POLL_SECONDS = 30.0
"""How long a trainer waits for its training to say something before it answers that it has not."""


@dataclass
class RayPlace:
    """A trainer, with the training that it has and the answer of it that is waited for."""

    trainer: Any
    answer: Any
    machine: RayMachine | None = None
    number: int = 0
    job: dict[str, Any] = field(default_factory=dict)
    log: Path = Path()
    begun: bool = False


class RayProcesses:
    """Processes on machines of a cluster, as `TrainingProcesses`.

    `folder` is that of the search. Machines that see it train in it; from others what a training
    has written is carried back at its end. Errors: `UsageError` where no cluster answers.
    """

    def __init__(self, cluster: RayCluster, device: str, folder: Path) -> None:
        self._ray, self._ours = connected(cluster.address)
        self._sign, self._word = folder.absolute() / SIGN, secrets.token_hex(16)
        gpus = cluster.gpus
        if gpus is None:
            has_any = self._ray.cluster_resources().get("GPU", 0) > 0
            gpus = 1.0 if has_any and device != "cpu" else 0.0
        self._each = {"CPU": cluster.cpus, "GPU": gpus}
        self._signed = False
        self._idle: list[RayPlace] = []
        self._places: dict[int, RayPlace] = {}
        self._waiting: list[Message] = []

    def __str__(self) -> str:
        machines = sum(each["Alive"] for each in self._ray.nodes())
        takes = " and ".join(f"{many:g} {kind}" for kind, many in self._each.items() if many)
        many = self.fitting
        if not many:
            return (
                f"Ray: machines {machines}; none has {takes}, which a training takes, so it waits"
            )
        return f"Ray: machines {machines}, trainings that fit at once {many}, each {takes}"

    @property
    def fitting(self) -> int:
        """How many trainings fit into the cluster as it is now."""
        return sum(
            min(
                fitting(node["Resources"].get(kind, 0), many, whole=kind == "GPU")
                for kind, many in self._each.items()
                if many
            )
            for node in self._ray.nodes()
            if node["Alive"]
        )

    def begin(self, number: int, job: dict[str, Any], log: Path) -> None:
        """Have a trainer begin a training, one that is free or a new one."""
        place = self._idle.pop() if self._idle else self._new_place()
        self._give(place, number, job, log)

    def messages(self, seconds: float | None = None) -> list[Message]:
        """What was said by the first that answers."""
        found, self._waiting = self._waiting, []
        if found:
            return found
        answers = {place.answer: place for place in self._places.values()}
        if not answers:
            time.sleep(0 if seconds is None else min(seconds, 1.0))
            return []
        ready, _ = self._ray.wait(list(answers), timeout=seconds)
        return [message for each in ready for message in self._answered(answers[each])]

    def signal(self, number: int, which: signal.Signals) -> None:
        """Send a signal to a training; one that has not begun, or whose trainer was given up, is
        over by any that would end it.
        """
        place = self._places.get(number)
        if place is not None and place.machine is not None and not place.begun:
            # It may have begun without having been heard.
            ready, _ = self._ray.wait([place.answer], timeout=ANSWER_SECONDS)
            self._waiting += [message for _ in ready for message in self._answered(place)]
            place = self._places.get(number)
        if place is not None and place.begun:
            place.trainer.signal.remote(number, int(which))
        elif which != signal.SIGCONT:
            if place is not None:
                self._drop(place)
            self._waiting.append(Message(number, {"code": -which}))

    @contextmanager
    def held(self, numbers: Iterable[int]) -> Iterator[None]:
        """Stop those of the trainings meanwhile that run on this machine."""
        here = self._ray.get_runtime_context().get_node_id()
        asked = [self._places[each] for each in numbers if each in self._places]
        held = [each for each in asked if each.machine is not None and each.machine.node == here]
        try:
            self._told([each.trainer.hold.remote(each.number) for each in held])
            yield
        finally:
            self._told([each.trainer.go.remote() for each in held])

    def close(self) -> None:
        """End all trainers, whose trainings end with them, and leave the cluster."""
        for place in (*self._idle, *self._places.values()):
            self._kill(place)
        self._idle.clear()
        self._places.clear()
        self._sign.unlink(missing_ok=True)
        if self._ours:
            self._ray.shutdown()

    def _new_place(self) -> RayPlace:
        if not self._signed:
            make_folder(self._sign.parent)
            write_file(self._sign, self._word)
            self._signed = True
        made = self._ray.remote(RayTrainer).options(
            num_cpus=self._each["CPU"],
            num_gpus=self._each["GPU"],
            max_restarts=0,
            max_concurrency=2,
            scheduling_strategy="SPREAD",
        )
        trainer = made.remote(max(1, int(self._each["CPU"])), self._sign, self._word)
        return RayPlace(trainer, trainer.machine.remote())

    def _give(self, place: RayPlace, number: int, job: dict[str, Any], log: Path) -> None:
        """Have a place do a training, as soon as it is known where that is."""
        place.number, place.job, place.log, place.begun = number, job, log, False
        self._places[number] = place
        if place.machine is not None:
            self._begin(place, place.machine)

    def _freed(self, place: RayPlace) -> None:
        """Keep a trainer that is free, or give it the training of one for which there is no room:
        it would wait for ever for what the free one holds.
        """
        waiting = next((each for each in self._places.values() if each.machine is None), None)
        if waiting is None:
            self._idle.append(place)
            return
        self._drop(waiting)
        self._give(place, waiting.number, waiting.job, waiting.log)

    def _begin_on(self, place: RayPlace, machine: RayMachine) -> None:
        """Begin the training of a new trainer. Errors: `UsageError` where it has other code."""
        try:
            _require_same_versions(machine)
        except UsageError:
            self._drop(place)
            raise
        place.machine = machine
        self._begin(place, machine)

    def _begin(self, place: RayPlace, machine: RayMachine) -> None:
        carried = None
        if not machine.sees:
            initial = place.job["init"]
            paths = {RUN: Path(place.job["folder"]), LOG: place.log}
            carried = packed(paths | ({} if initial is None else {INITIAL: Path(initial)}))
        place.answer = place.trainer.begin.remote(place.number, place.job, place.log, carried)

    def _answered(self, place: RayPlace) -> Iterator[Message]:
        """What a trainer's answer says; it is asked again until its training is over."""
        number = place.number
        try:
            answer = self._ray.get(place.answer)
        except self._ray.exceptions.RayTaskError as error:
            # Its trainer lives, but what it would have said is gone.
            last = str(error).strip().splitlines()[-1]
            self._drop(place)
            yield from self._failed(
                place, {"error": last, "kind": "environment", "name": "RunError"}
            )
            return
        except self._ray.exceptions.RayError as error:
            yield self._lost(place, error)
            return
        if place.machine is None:
            self._begin_on(place, RayMachine(*answer))
            return
        for said in answer:
            place.begun = True
            if "carried" in said:
                try:
                    carried_back(said["carried"], Path(place.job["folder"]), place.log)
                except (GridgenError, OSError) as error:
                    self._drop(place)
                    yield from self._failed(place, told_of(error))
                    return
                continue
            if said.get("kind") == "environment":
                said["error"] = f"{said['error']} (on {place.machine.name})"
            if "code" in said:
                del self._places[number]
                self._freed(place)
            yield Message(number, said)
        if number in self._places:
            place.answer = place.trainer.messages.remote(place.number, POLL_SECONDS)

    @staticmethod
    def _failed(place: RayPlace, said: dict[str, Any]) -> list[Message]:
        """An error, and that the training is over."""
        return [Message(place.number, said), Message(place.number, {"code": 1})]

    def _lost(self, place: RayPlace, error: Exception) -> Message:
        """That a trainer is gone. Errors: `UsageError` where it could not even be made."""
        text = str(error)
        self._drop(place)
        if place.machine is None and "creation task" in text:
            last = text.strip().splitlines()[-1]
            raise UsageError(f"no training can begin on a machine of the cluster: {last}")
        said: dict[str, Any] = {"code": -signal.SIGKILL, "lost": self._what_is_lost(place)}
        # Ray ends idle trainers too where memory runs low.
        if place.begun and "running low on memory" in text:
            said["starved"] = True
        return Message(place.number, said)

    def _what_is_lost(self, place: RayPlace) -> str:
        if place.machine is None:
            return "the machine where it was to begin was lost"
        alive = {each["NodeID"] for each in self._ray.nodes() if each["Alive"]}
        if place.machine.node in alive:
            return f"Ray's process for it on {place.machine.name} was lost"
        return f"the machine {place.machine.name} was lost"

    def _drop(self, place: RayPlace) -> None:
        self._places.pop(place.number, None)
        self._kill(place)

    def _kill(self, place: RayPlace) -> None:
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(place.trainer)

    def _told(self, answers: list[Any]) -> None:
        """Wait until trainers have done what they were told, those that are lost left out."""
        for each in answers:
            with suppress(self._ray.exceptions.RayError):
                self._ray.get(each, timeout=ANSWER_SECONDS)


def _require_same_versions(machine: RayMachine) -> None:
    """Errors: `UsageError` where a machine would train by other code."""
    for name, here in versions().items():
        there = machine.versions[name]
        if there != here:
            fact = f"{machine.name} has {name} {there}, this machine {here}"
            raise UsageError(f"{fact}; install the same on all machines of the cluster")
