"""The ConvNet of dataset condensation, as its users have it in PyTorch."""

import torch
from torch import nn


class ConvNet(nn.Module):
    """Blocks of 3x3 convolution, instance norm, ReLU and 2x2 average pooling, then one linear layer.

    The network of Zhao et al. (2021). Instance norm is a group norm with one group for each channel.
    """

    def __init__(self, channels, classes, width, depth, side):
        super().__init__()
        layers = []
        for block in range(depth):
            layers += [
                nn.Conv2d(channels if block == 0 else width, width, kernel_size=3, padding=1),
                nn.GroupNorm(width, width, affine=True),
                nn.ReLU(inplace=True),
                nn.AvgPool2d(kernel_size=2, stride=2),
            ]
            side //= 2
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(width * side * side, classes)

    def embed(self, images):
        """The classifier's input, [n, width * side * side], channel-major."""
        return self.features(images).flatten(1)

    def forward(self, images):
        return self.classifier(self.embed(images))


class Inputs:
    """The numbers of a case on a device, in PyTorch's layout: images NCHW, filters OIHW."""

    def __init__(self, arrays, setting, device):
        self.arrays = arrays
        self.setting = setting
        self.device = device
        # What our worker drew by dice that are not in the file; known from the first check on.
        self.facts = {}

    def tensor(self, name):
        """An array as it is."""
        return torch.from_numpy(self.arrays[name]).to(self.device)

    def images(self, name):
        """Float images, stored [n, height, width, channels]."""
        return self.tensor(name).permute(0, 3, 1, 2).contiguous()

    def normalized(self, name):
        """Byte images as (pixel / 255 - mean) / std."""
        pixels = torch.from_numpy(self.arrays[name])
        levels = torch.arange(256, dtype=torch.float64) / 255
        table = ((levels - self.setting["mean"]) / self.setting["std"]).float()
        return table[pixels.permute(0, 3, 1, 2).long()].contiguous().to(self.device)

    def labels(self, name):
        """Labels as cross-entropy takes them."""
        return self.tensor(name).long()

    def parameters(self, prefix="network."):
        """A network's tensors in the order of its parameters."""
        names = [name for name in self.arrays if name.startswith(prefix)]
        stored = [self.tensor(name) for name in names]
        return [one.permute(0, 3, 1, 2).contiguous() if one.dim() == 4 else one for one in stored]

    def network(self):
        """A ConvNet made anew, which draws its weights, and then given those of the case."""
        setting = self.setting
        network = ConvNet(
            setting["channels"], setting["classes"], setting["width"], setting["depth"], setting["side"]
        ).to(self.device)
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), self.parameters()):
                parameter.copy_(value)
        network.train()
        return network
