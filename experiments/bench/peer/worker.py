"""Answers requests of the bench, one line of JSON for each.

The first line names the case; each further one asks to check, to time, or for the peak of memory. A worker ends
with its input.
"""

import json
import sys
import time

import numpy as np
import torch

from convnet import Inputs
from evaluation import Testing, Training
from gradient_matching import GradientMatching
from matching import DistributionMatching, SpectralMatching
from operations import Addition, Chain, ChainGradient
from trajectory import TrajectoryMatching

CASES = {
    "dm": DistributionMatching,
    "csdm": SpectralMatching,
    "gm": GradientMatching,
    "trajectory": TrajectoryMatching,
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
        self.device = torch.device(job["device"])
        self.setting = job["setting"]
        self.inputs = Inputs(dict(np.load(job["file"])), self.setting, self.device)
        self.step = CASES[job["case"]](self.inputs)

    def check(self, request):
        """The numbers to compare; `facts` are what ours drew by dice that are not in the file."""
        self.inputs.facts = request["facts"]
        return self.step.outcome(self.step.run())

    def time(self, _):
        """Seconds of one call."""
        self.synchronize()
        begun = time.perf_counter()
        self.step.run()
        self.synchronize()
        return {"seconds": (time.perf_counter() - begun) / self.setting.get("calls", 1)}

    def peak(self, _):
        """The most memory that was in use, of the GPU where there is one."""
        if self.device.type == "cuda":
            return {"bytes": torch.cuda.max_memory_allocated()}
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(one for one in status if one.startswith("VmHWM:"))
        return {"bytes": int(line.split()[1]) * 1024}

    def synchronize(self):
        """Waits for the device."""
        if self.device.type == "cuda":
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
        except Exception as error:  # the bench prints it and goes on without this peer
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
