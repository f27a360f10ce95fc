"""One update of gradient matching (DC; Zhao et al., ICLR 2021)."""

import torch
from torch import nn

from matching import DistributionMatching


class GradientMatching(DistributionMatching):
    """Gradients of the network on real and on synthetic images of each class, by DC's distance."""

    def __init__(self, inputs):
        super().__init__(inputs)
        # DC carries one network through many updates of the images.
        self.network = inputs.network()
        self.criterion = nn.CrossEntropyLoss()

    def loss(self):
        parameters = list(self.network.parameters())
        self.network.zero_grad()
        loss = torch.tensor(0.0, device=self.inputs.device)
        for label in range(self.setting["classes"]):
            real = self.real_batch(label)
            real_loss = self.criterion(self.network(real), self.targets(real, label))
            real_gradient = torch.autograd.grad(real_loss, parameters)
            real_gradient = [one.detach().clone() for one in real_gradient]

            synthetic = self.synthetic_batch(label)
            synthetic_loss = self.criterion(self.network(synthetic), self.targets(synthetic, label))
            gradient = torch.autograd.grad(synthetic_loss, parameters, create_graph=True)

            loss += sum(distance(one, other) for one, other in zip(gradient, real_gradient))
        return loss

    def targets(self, images, label):
        """The class's label for each image."""
        return torch.full((len(images),), label, dtype=torch.long, device=self.inputs.device)


def distance(gradient, real):
    """One minus the cosine of each output's weights, summed; biases and norms do not count."""
    if gradient.dim() == 1:
        return torch.tensor(0.0, device=gradient.device)
    gradient = gradient.flatten(1)
    real = real.flatten(1)
    product = torch.sum(gradient * real, dim=1)
    lengths = torch.norm(gradient, dim=1) * torch.norm(real, dim=1)
    return torch.sum(1 - product / (lengths + 1e-6))
