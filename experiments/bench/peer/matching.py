"""Steps of distribution matching: DM and CSDM."""

import numpy as np
import torch

# Classes are balanced, so that amplitude and phase weigh the same.
ALPHA = 0.5


class DistributionMatching:
    """One step of DM (Zhao and Bilen, WACV 2023), class by class as in its code."""

    def __init__(self, inputs):
        self.inputs = inputs
        self.setting = inputs.setting
        self.real = inputs.normalized("real")
        labels = inputs.arrays["labels"]
        self.classes = [np.flatnonzero(labels == label) for label in range(self.setting["classes"])]
        self.synthetic = inputs.images("images").requires_grad_(True)

    def real_batch(self, label):
        """Random real images of a class."""
        shuffled = np.random.permutation(self.classes[label])[: self.setting["realBatch"]]
        return self.real[shuffled]

    def synthetic_batch(self, label):
        """The synthetic images of a class."""
        count = self.setting["perClass"]
        return self.synthetic[label * count : (label + 1) * count]

    def frozen_network(self):
        """The step's network."""
        network = self.inputs.network()
        for parameter in network.parameters():
            parameter.requires_grad = False
        return network

    def loss(self):
        """Squared distance between mean embeddings, summed over classes."""
        network = self.frozen_network()
        loss = torch.tensor(0.0, device=self.inputs.device)
        for label in range(self.setting["classes"]):
            real = network.embed(self.real_batch(label)).detach()
            synthetic = network.embed(self.synthetic_batch(label))
            loss += torch.sum((torch.mean(real, dim=0) - torch.mean(synthetic, dim=0)) ** 2)
        return loss

    def run(self):
        """Loss of the step, whose gradient is left in the images."""
        self.synthetic.grad = None
        loss = self.loss()
        loss.backward()
        return loss.item()

    def outcome(self, loss):
        """What is compared."""
        return {"loss": loss, "norms": {"images": self.synthetic.grad.norm().item()}}


class SpectralMatching(DistributionMatching):
    """One step of CSDM (arXiv 2603.01698): characteristic functions at frequencies of a Gaussian kernel."""

    def __init__(self, inputs):
        super().__init__(inputs)
        self.unit_frequencies = inputs.tensor("frequencies")

    def bandwidth(self, features):
        """Median distance between some of the real features.

        It is computed as a user would; the step then takes the one of `facts`, since which features are drawn
        differs.
        """
        points = features[torch.randperm(len(features))[: self.setting["points"]]]
        row, column = torch.triu_indices(len(points), len(points), offset=1)
        median = torch.cdist(points, points)[row, column].median().item()
        return self.inputs.facts.get("bandwidth", median)

    def frequencies(self, width, bandwidth):
        """Frequencies are drawn as a user would; the step then takes those of the case."""
        drawn = torch.randn(self.setting["frequencies"], width, device=self.inputs.device) / bandwidth
        return drawn.copy_(self.unit_frequencies / bandwidth)

    def loss(self):
        network = self.frozen_network()
        labels = range(self.setting["classes"])
        real = [network.embed(self.real_batch(label)).detach() for label in labels]
        bandwidth = self.bandwidth(torch.cat(real))
        frequencies = self.frequencies(real[0].shape[1], bandwidth)
        loss = torch.tensor(0.0, device=self.inputs.device)
        for label in labels:
            synthetic = network.embed(self.synthetic_batch(label))
            loss += spectral_distance(real[label], synthetic, frequencies)
        return loss * 2 * bandwidth**2


def spectral_distance(real, synthetic, frequencies):
    """Weighted squared differences of amplitude and phase, averaged over frequencies."""
    real_angles = real @ frequencies.t()
    real_re = torch.cos(real_angles).mean(dim=0)
    real_im = torch.sin(real_angles).mean(dim=0)
    angles = synthetic @ frequencies.t()
    re = torch.cos(angles).mean(dim=0)
    im = torch.sin(angles).mean(dim=0)
    real_amplitude = torch.sqrt(real_re**2 + real_im**2)
    amplitude = torch.sqrt(re**2 + im**2)
    between_amplitudes = (real_amplitude - amplitude) ** 2
    between_phases = 2 * (real_amplitude * amplitude - real_re * re - real_im * im)
    return (ALPHA * between_amplitudes + (1 - ALPHA) * between_phases).mean()
