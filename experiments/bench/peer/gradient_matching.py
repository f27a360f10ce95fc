"""One update of gradient matching (DC; Zhao et al., ICLR 2021)."""

import torch
from torch import nn

from matching import DistributionMatching


class GradientMatching(DistributionMatching):
    """The network's gradients on real and synthetic images of each class."""

    def __init__(self, inputs):
        super().__init__(inputs)
        # DC carries one network through many updates of the images.
        self.network = inputs.network()
        self.criterion = nn.CrossEntropyLoss()

    def loss(self):
        parameters = list(self.network.parameters())
        self.network.zero_grad()
        loss = torch.tensor(0.0, device=self.device)
        for label in range(self.setting["classes"]):
            real = self.training_loss(self.real_batch(label), label)
            real_gradient = torch.autograd.grad(real, parameters)
            real_gradient = [one.detach().clone() for one in real_gradient]

            synthetic = self.training_loss(self.synthetic_batch(label), label)
            gradient = torch.autograd.grad(
                synthetic, parameters, create_graph=True
            )
            for one, target in zip(gradient, real_gradient):
                loss += distance(one, target)
        return loss

    def training_loss(self, images, label):
        """Cross-entropy of images of one class."""
        labels = torch.full((len(images),), label, device=self.device)
        return self.criterion(self.network(images), labels)


def distance(gradient, real):
    """One minus the cosine of each output's weights, summed.

    Biases, and scales and shifts of norms, do not count.
    """
    if gradient.dim() == 1:
        return torch.tensor(0.0, device=gradient.device)
    gradient = gradient.flatten(1)
    real = real.flatten(1)
    product = torch.sum(gradient * real, dim=1)
    lengths = torch.norm(gradient, dim=1) * torch.norm(real, dim=1)
    return torch.sum(1 - product / (lengths + 1e-6))
