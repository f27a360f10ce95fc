"""Training and testing of networks, as DC, DM and MTT evaluate by them."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from inputs import set_parameters


class Training:
    """One epoch of SGD from the case's weights."""

    def __init__(self, inputs):
        self.setting = inputs.setting
        self.start = inputs.parameters()
        self.network = inputs.network()
        self.criterion = nn.CrossEntropyLoss()
        self.loader = DataLoader(
            TensorDataset(inputs.images("images"), inputs.labels("labels")),
            batch_size=self.setting["batchSize"],
            sampler=inputs.arrays["order"].tolist(),
        )

    def run(self):
        """Mean loss of the images, each before the step it takes part in."""
        set_parameters(self.network, self.start)
        optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=self.setting["learningRate"],
            momentum=self.setting["momentum"],
            weight_decay=self.setting["weightDecay"],
        )
        total, count = 0.0, 0
        for images, labels in self.loader:
            loss = self.criterion(self.network(images), labels)
            total += loss.item() * len(labels)
            count += len(labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return total / count

    @torch.no_grad()
    def outcome(self, loss):
        """What is compared: the loss, and how far the parameters went."""
        moved = torch.stack([
            (end - start).norm()
            for end, start in zip(self.network.parameters(), self.start)
        ])
        return {"loss": loss, "norms": {"displacement": moved.norm().item()}}


class Testing:
    """Accuracy on test images."""

    def __init__(self, inputs):
        self.network = inputs.network().eval()
        self.criterion = nn.CrossEntropyLoss(reduction="sum")
        self.loader = DataLoader(
            TensorDataset(inputs.normalized("real"), inputs.labels("labels")),
            batch_size=inputs.setting["batchSize"],
            shuffle=False,
        )

    @torch.no_grad()
    def run(self):
        """Images whose largest logit is that of their label."""
        correct = 0
        for images, labels in self.loader:
            predicted = self.network(images).argmax(dim=1)
            correct += (predicted == labels).sum().item()
        return correct

    @torch.no_grad()
    def outcome(self, _):
        """What is compared: cross-entropy, which tells more than accuracy."""
        total, count = 0.0, 0
        for images, labels in self.loader:
            total += self.criterion(self.network(images), labels).item()
            count += len(labels)
        return {"loss": total / count, "norms": {}}
