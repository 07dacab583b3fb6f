"""Is this image inside what the model was validated on?

The Mahalanobis distance of an image's features from those of a reference population. A score is that distance
over the population's own held-out quantile, so 1 is the edge of every domain and scores compare. Several
populations (phantoms, real chests) make one gate: an image inside any of them is inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.contract import Gate

SHRINKAGE = 0.05
OUTSIDE = "outside-domain"


@dataclass(frozen=True)
class Domain:
    """A population of images. mean (D,), precision (D, D), float64; reach: the distance at its edge."""

    mean: Tensor
    precision: Tensor
    reach: Tensor

    def score(self, features: Tensor) -> Tensor:
        """(N, D) -> (N,): 1 at the edge of the population, more outside."""
        return distance(features.double(), self.mean, self.precision) / self.reach

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """In single precision, as they are stored."""
        values = {"mean": self.mean, "precision": self.precision, "reach": self.reach}
        return {f"{prefix}.{name}": value.float() for name, value in values.items()}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], prefix: str) -> "Domain":
        return cls(*(tensors[f"{prefix}.{name}"].double() for name in ("mean", "precision", "reach")))


def distance(features: Tensor, mean: Tensor, precision: Tensor) -> Tensor:
    """(N, D) -> (N,) Mahalanobis distance."""
    centred = features - mean
    return torch.einsum("nd,de,ne->n", centred, precision, centred).clamp_min(0).sqrt()


def fit(features: Tensor, held_out: Tensor, *, quantile: float, shrinkage: float = SHRINKAGE) -> Domain:
    """A domain from (N, D) features; its edge is the quantile of the distances of (K, D) held-out ones.

    The covariance is shrunk towards its own diagonal: few images must not make the distance explode.
    """
    known = features.double()
    mean = known.mean(dim=0)
    covariance = torch.cov(known.T)
    diagonal = torch.diag(covariance.diagonal())
    floor = torch.eye(len(mean), dtype=torch.float64) * covariance.diagonal().mean() * 1e-4
    precision = torch.linalg.inv((1 - shrinkage) * covariance + shrinkage * diagonal + floor)
    reach = torch.quantile(distance(held_out.double(), mean, precision), quantile)
    return Domain(mean, precision, reach)


def gate(domains: Sequence[Domain], features: Tensor) -> Gate:
    """One image (D,) against its populations: open when it is inside any of them."""
    score = min(float(domain.score(features[None])[0]) for domain in domains)
    return Gate(open=score <= 1.0, score=score, threshold=1.0, reason="" if score <= 1.0 else OUTSIDE)


def closed(reason: str) -> Gate:
    """A gate that was shut before any distance was measured; the score is 0 because there is none."""
    return Gate(open=False, score=0.0, threshold=1.0, reason=reason)
