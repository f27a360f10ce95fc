"""Steps of distribution matching: DM and CSDM."""

import numpy as np
import torch

# Classes are balanced, so that amplitude and phase weigh the same.
ALPHA = 0.5


class DistributionMatching:
    """One step of DM (Zhao and Bilen, WACV 2023), class by class."""

    def __init__(self, inputs):
        self.inputs = inputs
        self.setting = inputs.setting
        self.device = inputs.device
        self.real = inputs.normalized("real")
        labels = inputs.arrays["labels"]
        self.classes = [
            np.flatnonzero(labels == label)
            for label in range(self.setting["classes"])
        ]
        self.synthetic = inputs.images("images").requires_grad_(True)

    def real_batch(self, label):
        """Random real images of a class."""
        shuffled = np.random.permutation(self.classes[label])
        return self.real[shuffled[:self.setting["realBatch"]]]

    def synthetic_batch(self, label):
        """The synthetic images of a class."""
        count = self.setting["perClass"]
        return self.synthetic[label * count:(label + 1) * count]

    def frozen_network(self):
        """The step's network."""
        network = self.inputs.network()
        for parameter in network.parameters():
            parameter.requires_grad = False
        return network

    def loss(self):
        """Squared distance between mean embeddings, summed over classes."""
        network = self.frozen_network()
        loss = torch.tensor(0.0, device=self.device)
        for label in range(self.setting["classes"]):
            real = network.embed(self.real_batch(label)).detach()
            synthetic = network.embed(self.synthetic_batch(label))
            difference = torch.mean(real, dim=0) - torch.mean(synthetic, dim=0)
            loss += torch.sum(difference ** 2)
        return loss

    def run(self):
        """Loss of the step; its gradient is left in the images."""
        self.synthetic.grad = None
        loss = self.loss()
        loss.backward()
        return loss.item()

    def outcome(self, loss):
        """What is compared."""
        norm = self.synthetic.grad.norm().item()
        return {"loss": loss, "norms": {"images": norm}}


class SpectralMatching(DistributionMatching):
    """One step of CSDM (arXiv 2603.01698), with a Gaussian kernel."""

    def __init__(self, inputs):
        super().__init__(inputs)
        self.unit_frequencies = inputs.tensor("frequencies")

    def bandwidth(self, features):
        """Median distance between some of the real features.

        It is computed as a user would. Which features it is of is drawn by
        dice, so the step goes on with the bandwidth that ours found.
        """
        drawn = torch.randperm(len(features))[:self.setting["points"]]
        points = features[drawn]
        pairs = torch.triu_indices(len(points), len(points), offset=1)
        distances = torch.cdist(points, points)[pairs[0], pairs[1]]
        median = distances.median().item()
        return self.inputs.facts.get("bandwidth", median)

    def frequencies(self, width, bandwidth):
        """Frequencies, drawn as a user would; the case's replace them."""
        count = self.setting["frequencies"]
        drawn = torch.randn(count, width, device=self.device) / bandwidth
        return drawn.copy_(self.unit_frequencies / bandwidth)

    def loss(self):
        network = self.frozen_network()
        labels = range(self.setting["classes"])
        real = [
            network.embed(self.real_batch(label)).detach() for label in labels
        ]
        bandwidth = self.bandwidth(torch.cat(real))
        frequencies = self.frequencies(real[0].shape[1], bandwidth)
        loss = torch.tensor(0.0, device=self.device)
        for label in labels:
            synthetic = network.embed(self.synthetic_batch(label))
            loss += spectral_distance(real[label], synthetic, frequencies)
        return loss * 2 * bandwidth ** 2


def spectral_distance(real, synthetic, frequencies):
    """Weighted squared differences of amplitude and phase."""
    real_angles = real @ frequencies.t()
    real_re = torch.cos(real_angles).mean(dim=0)
    real_im = torch.sin(real_angles).mean(dim=0)
    angles = synthetic @ frequencies.t()
    re = torch.cos(angles).mean(dim=0)
    im = torch.sin(angles).mean(dim=0)
    real_amplitude = torch.sqrt(real_re ** 2 + real_im ** 2)
    amplitude = torch.sqrt(re ** 2 + im ** 2)
    amplitudes = (real_amplitude - amplitude) ** 2
    product = real_re * re + real_im * im
    phases = 2 * (real_amplitude * amplitude - product)
    return (ALPHA * amplitudes + (1 - ALPHA) * phases).mean()
