"""The ConvNet of dataset condensation, as its users have it in PyTorch."""

import torch
from torch import nn


class ConvNet(nn.Module):
    """Blocks of 3x3 convolution, instance norm, ReLU and 2x2 average pooling.

    One linear layer follows. The network of Zhao et al. (2021); instance norm
    is a group norm with one group for each channel.
    """

    def __init__(self, channels, classes, width, depth, side):
        super().__init__()
        layers = []
        for _ in range(depth):
            layers += [
                nn.Conv2d(channels, width, kernel_size=3, padding=1),
                nn.GroupNorm(width, width, affine=True),
                nn.ReLU(inplace=True),
                nn.AvgPool2d(kernel_size=2, stride=2),
            ]
            channels = width
            side //= 2
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(width * side * side, classes)

    def embed(self, images):
        """Input of the classifier, [n, width * side * side], channel-major."""
        return self.features(images).flatten(1)

    def forward(self, images):
        return self.classifier(self.embed(images))
