"""Ways of doing the same work, each in a process of its own, in turns: other load hits them alike."""
from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tfgan_suite.errors import UserError

HERE = Path(__file__).resolve()


@dataclass
class Times:
    """What was measured of one way.

    Attributes:
        seconds: of each turn.
        worked: of all processors in each turn: other load hardly changes them.
        first: seconds to the first result: building, tracing, one iteration.
        operations: multiplications and additions of one iteration; None where they are not counted.
    """

    seconds: list[float]
    worked: list[float]
    first: float
    operations: float | None


class Worker:
    """A process that does one way whenever it is asked (`worker.py`).

    Args:
        way: kind and precision: 'ours float32', 'torch bfloat16', 'before float32', 'gemm float32'.
        package: the checkout whose package is measured.
    """

    def __init__(self, way: str, case: dict, package: Path, errors):
        self.way, self.errors = way, errors
        paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3",
               "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
               "OMP_NUM_THREADS": str(case["threads"]), "OMP_WAIT_POLICY": "PASSIVE"}  # who waits sleeps
        command = [sys.executable, str(HERE.with_name("worker.py")), way, json.dumps(case)]
        self.process = subprocess.Popen(command, cwd=package, env=env, stdin=subprocess.PIPE, stderr=errors,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def heard(self) -> dict:
        """The next thing that it says.

        Raises:
            UserError: it has ended.
        """
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(f"{self.way}: the process that measures it ended ({last[:300]}); leave this way "
                            f"or case out")
        return json.loads(line)

    def turn(self) -> dict:
        """What one iteration took: `seconds` and `worked`."""
        self.process.stdin.write("\n")
        return self.heard()

    def close(self) -> None:
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def measure(ways: dict[str, Path], case: dict, rounds: int, warm_up: int = 1) -> dict[str, Times]:
    """Times of each way of a case.

    Args:
        ways: name -> the checkout whose package it uses.
        case: see `worker.ours`.
        rounds: turns of each, after `warm_up` that do not count.

    Raises:
        UserError: a way cannot be measured here.
    """
    found = {}
    with contextlib.ExitStack() as stack:
        workers = []
        for way, package in ways.items():
            worker = Worker(way, case, package, stack.enter_context(tempfile.TemporaryFile("w+")))
            stack.callback(worker.close)
            said = worker.heard()  # one after the other, or they would disturb each other
            found[way] = Times([], [], said["first"], said["operations"])
            workers.append(worker)
        for turn in range(warm_up + rounds):
            for worker in workers:
                took = worker.turn()
                if turn >= warm_up:
                    found[worker.way].seconds.append(took["seconds"])
                    found[worker.way].worked.append(took["worked"])
    return found
