"""Is this image inside what the model was validated on?

The Mahalanobis distance of an image's features from those of a reference population. A score is that distance
over the population's own held-out quantile, so 1 is the edge of every domain and scores compare. Several
populations (phantoms, real chests) make one gate: an image inside any of them is inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inference.contract import Gate

SHRINKAGE = 0.05
OUTSIDE = "outside-domain"
NOT_UPRIGHT = "not-upright"


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


@dataclass(frozen=True)
class Plane:
    """A plane between two populations whose distances alone do not tell them apart: chests as they hang from
    inverted and turned ones, phantoms from radiographs. weight (D,), bias (), float64."""

    weight: Tensor
    bias: Tensor

    def holds(self, features: Tensor) -> bool:
        """Whether an image with these features (D,) is on the side it must be on."""
        return float(features.double() @ self.weight + self.bias) > 0

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """In single precision, as they are stored."""
        return {f"{prefix}.weight": self.weight.float(), f"{prefix}.bias": self.bias.float()}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], prefix: str) -> "Plane":
        return cls(tensors[f"{prefix}.weight"].double(), tensors[f"{prefix}.bias"].double())


def fit_plane(inside: Tensor, outside: Tensor, *, decay: float = 1e-3) -> Plane:
    """Logistic regression of (N, D) features of images that belong against (K, D) of others, both of the
    same weight."""
    features = torch.cat([inside, outside]).double()
    mean, spread = features.mean(dim=0), features.std(dim=0).clamp_min(1e-6)
    known = (features - mean) / spread
    wanted = torch.cat([torch.ones(len(inside)), torch.zeros(len(outside))]).double()
    share = torch.where(wanted > 0, 0.5 / len(inside), 0.5 / len(outside))
    weight = torch.zeros(known.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        each = F.binary_cross_entropy_with_logits(known @ weight + bias, wanted, reduction="none")
        loss = (each * share).sum() + decay * weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    plane = weight.detach() / spread
    return Plane(plane, bias.detach() - plane @ mean)


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


def shut(found: Gate, reason: str) -> Gate:
    """The same gate, closed for a reason of its own."""
    return Gate(open=False, score=found.score, threshold=found.threshold, reason=reason)


def closed(reason: str) -> Gate:
    """A gate that was shut before any distance was measured; the score is 0 because there is none."""
    return Gate(open=False, score=0.0, threshold=1.0, reason=reason)
