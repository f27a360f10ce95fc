"""The numbers that a case starts from."""

import numpy as np
import torch

from convnet import ConvNet


class Inputs:
    """A case's arrays on a device, in PyTorch's layout: NCHW and OIHW."""

    def __init__(self, job):
        self.arrays = dict(np.load(job["file"]))
        self.setting = job["setting"]
        self.device = torch.device(job["device"])
        # What our worker drew by dice that are not in the file; known from
        # the first check on.
        self.facts = {}

    def tensor(self, name):
        """An array as it is."""
        return torch.from_numpy(self.arrays[name]).to(self.device)

    def images(self, name):
        """Float images, stored [n, height, width, channels]."""
        return self.tensor(name).permute(0, 3, 1, 2).contiguous()

    def normalized(self, name):
        """Byte images as (pixel / 255 - mean) / std."""
        levels = torch.arange(256, dtype=torch.float64) / 255
        levels = (levels - self.setting["mean"]) / self.setting["std"]
        pixels = torch.from_numpy(self.arrays[name]).permute(0, 3, 1, 2)
        return levels.float()[pixels.long()].contiguous().to(self.device)

    def labels(self, name):
        """Labels as cross-entropy takes them."""
        return self.tensor(name).long()

    def parameters(self, prefix="network."):
        """Tensors of a network, in the order of its parameters."""
        names = [name for name in self.arrays if name.startswith(prefix)]
        return [
            self.images(name) if self.arrays[name].ndim == 4
            else self.tensor(name)
            for name in names
        ]

    def network(self):
        """A network that draws its weights, and is then given the case's."""
        sizes = ["channels", "classes", "width", "depth", "side"]
        network = ConvNet(*[self.setting[size] for size in sizes])
        network.to(self.device)
        set_parameters(network, self.parameters())
        network.train()
        return network


def set_parameters(network, values):
    """Gives a network these weights."""
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), values):
            parameter.copy_(value)
