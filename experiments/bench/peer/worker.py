"""Answers requests of the bench, one line of JSON for each.

The first line names the case; each further one asks to check, to time, or for
the peak of memory. A worker ends with its input.
"""

import json
import sys
import time

import torch

from evaluation import Testing, Training
from gradient_matching import GradientMatching
from inputs import Inputs
from matching import DistributionMatching, SpectralMatching
from operations import Addition, Chain, ChainGradient
from trajectory import Tesla, TrajectoryMatching

CASES = {
    "dm": DistributionMatching,
    "csdm": SpectralMatching,
    "gm": GradientMatching,
    "trajectory": TrajectoryMatching,
    "trajectory-exact": TrajectoryMatching,
    "trajectory-tesla": Tesla,
    "train": Training,
    "test": Testing,
    "ops": Addition,
    "ops-forward": Chain,
    "ops-gradient": ChainGradient,
}


class Worker:
    """One case, measured in this process."""

    def __init__(self, job):
        if job["device"] == "cpu":
            torch.set_num_threads(job["threads"])
        self.inputs = Inputs(job)
        self.on_gpu = self.inputs.device.type == "cuda"
        self.calls = self.inputs.setting.get("calls", 1)
        self.step = CASES[job["case"]](self.inputs)

    def check(self, request):
        """The numbers to compare."""
        self.inputs.facts = request["facts"]
        return self.step.outcome(self.step.run())

    def time(self, _):
        """Seconds of one call."""
        self.synchronize()
        begun = time.perf_counter()
        self.step.run()
        self.synchronize()
        return {"seconds": (time.perf_counter() - begun) / self.calls}

    def peak(self, _):
        """Most memory that was in use: the GPU's where there is one."""
        if self.on_gpu:
            return {"bytes": torch.cuda.max_memory_allocated()}
        try:
            with open("/proc/self/status", encoding="ascii") as status:
                fields = dict(line.split(":", 1) for line in status)
        except FileNotFoundError:  # Linux alone has it
            return {"bytes": None}
        return {"bytes": 1024 * int(fields["VmHWM"].split()[0])}

    def synchronize(self):
        """Waits for the device."""
        if self.on_gpu:
            torch.cuda.synchronize()


def answer(message):
    """Writes one line."""
    print(json.dumps(message), flush=True)


def main():
    """Serves requests until the input ends."""
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if worker is None:
                worker = Worker(request)
                answer({"version": torch.__version__})
            else:
                answer(getattr(worker, request["ask"])(request))
        except Exception as error:  # the bench says it and goes on without us
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
