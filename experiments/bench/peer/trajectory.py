"""One update of trajectory matching.

MTT (Cazenavette et al., CVPR 2022) and TESLA (Cui et al., ICML 2023).
"""

import torch
from torch import nn


class FlatNetwork(nn.Module):
    """A network as a function of one vector, as MTT has its student."""

    def __init__(self, network):
        super().__init__()
        owners = [
            (module, name, parameter.shape)
            for module in network.modules()
            for name, parameter in module.named_parameters(recurse=False)
        ]
        for module, name, _ in owners:
            delattr(module, name)
        self.network = network
        self.owners = owners
        self.sizes = [shape.numel() for _, _, shape in owners]

    def forward(self, images, flat):
        parts = flat.split(self.sizes)
        for (module, name, shape), part in zip(self.owners, parts):
            setattr(module, name, part.view(shape))
        return self.network(images)


class TrajectoryMatching:
    """SGD on synthetic images, and backpropagation through all its steps."""

    def __init__(self, inputs):
        self.setting = inputs.setting
        self.device = inputs.device
        self.student = FlatNetwork(inputs.network())
        self.start = flat(inputs.parameters())
        self.target = flat(inputs.parameters("target."))
        self.images = inputs.images("images").requires_grad_(True)
        self.labels = inputs.labels("synthetic_labels")
        self.step_size = torch.tensor(
            self.setting["stepSize"], device=self.device, requires_grad=True
        )
        self.criterion = nn.CrossEntropyLoss()

    def run(self):
        """Loss; its gradient is left in the images and the step size."""
        self.images.grad = None
        self.step_size.grad = None
        parameters = [self.start.clone().requires_grad_(True)]
        for _ in range(self.setting["steps"]):
            order = torch.randperm(len(self.images), device=self.device)
            output = self.student(self.images[order], parameters[-1])
            loss = self.criterion(output, self.labels[order])
            (gradient,) = torch.autograd.grad(
                loss, parameters[-1], create_graph=True
            )
            parameters.append(parameters[-1] - self.step_size * gradient)
        missed = torch.sum((parameters[-1] - self.target) ** 2)
        loss = missed / torch.sum((self.start - self.target) ** 2)
        loss.backward()
        return loss.item()

    def outcome(self, loss):
        """What is compared."""
        norms = {
            "images": self.images.grad.norm().item(),
            "stepSize": self.step_size.grad.abs().item(),
        }
        return {"loss": loss, "norms": norms}


class Tesla(TrajectoryMatching):
    """Two passes, each of which holds the graph of one step at a time.

    As TESLA's code has it: the first pass asks for graphs that it does not
    use, and drops them step by step. But for its factor 2 on the images'
    gradient, which the code loses: without, the two sides would differ.
    """

    def run(self):
        parameters = [self.start.clone().requires_grad_(True)]
        total = torch.zeros_like(self.start)
        orders, batches = [], []
        for _ in range(self.setting["steps"]):
            order = torch.randperm(len(self.images), device=self.device)
            orders.append(order)
            batches.append(self.images[order])
            gradient = self.gradient(batches[-1], order, parameters[-1])
            gradient = gradient.detach().clone()
            parameters.append(
                parameters[-1] - self.step_size.item() * gradient
            )
            total += gradient

        distance = torch.sum((self.start - self.target) ** 2)
        beta = self.step_size.item()
        images_gradient = torch.zeros_like(self.images)
        for order, batch, at in zip(orders, batches, parameters):
            gradient = self.gradient(batch, order, at)
            along = beta * (self.target - self.start) + beta**2 * total
            (slope,) = torch.autograd.grad(
                2 * (along @ gradient) / distance, batch
            )
            with torch.no_grad():
                images_gradient[order] += slope
        self.images.grad = images_gradient

        missed = self.start - self.step_size * total - self.target
        loss = missed.dot(missed) / distance
        (self.step_size.grad,) = torch.autograd.grad(loss, self.step_size)
        return loss.item()

    def gradient(self, batch, order, parameters):
        """Of the training loss on a mini-batch, in the parameters."""
        output = self.student(batch, parameters)
        loss = self.criterion(output, self.labels[order])
        return torch.autograd.grad(
            loss, parameters, create_graph=True, retain_graph=True
        )[0]


def flat(parameters):
    """All parameters as one vector."""
    return torch.cat([one.reshape(-1) for one in parameters])
