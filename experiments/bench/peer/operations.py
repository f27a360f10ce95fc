"""Overhead of calls on tiny tensors."""

import torch

MULTIPLICATIONS = 20


class Addition:
    """One sum for each call, freed at once."""

    def __init__(self, inputs):
        self.calls = inputs.setting["calls"]
        self.x = inputs.tensor("x")
        self.y = inputs.tensor("y")

    def run(self):
        """All calls; the last result."""
        x, y = self.x, self.y
        for _ in range(self.calls):
            result = x + y
        return result

    def outcome(self, result):
        """What is compared."""
        return {"loss": result.sum().item(), "norms": {}}


class Chain(Addition):
    """Twenty multiplications and a sum."""

    def value(self):
        """The chain's value."""
        result = self.x
        for _ in range(MULTIPLICATIONS):
            result = result * self.y
        return result.sum()

    def run(self):
        for _ in range(self.calls):
            result = self.value()
        return result


class ChainGradient(Chain):
    """The chain and its gradient."""

    def __init__(self, inputs):
        super().__init__(inputs)
        self.x.requires_grad_(True)

    def run(self):
        for _ in range(self.calls):
            value = self.value()
            (gradient,) = torch.autograd.grad(value, self.x)
        return value, gradient

    def outcome(self, result):
        value, gradient = result
        norms = {"gradient": gradient.norm().item()}
        return {"loss": value.item(), "norms": norms}
