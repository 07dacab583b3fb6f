"""One architecture, every size: the numbers that make a MAIRA-Seg, with two named presets.

`7b` is the published scale: the encoder and language model of MAIRA-2 and Osprey's extractor. `demo` is what
is trained on phantoms and runs on two processor cores. The configuration travels beside the weights.
"""

from dataclasses import asdict, dataclass
from typing import Any

from inference.structures import FINDINGS, STRUCTURES


@dataclass(frozen=True)
class VisionConfig:
    """The frozen image encoder, a DINOv2 ViT. levels: blocks whose output is exposed (1-based, ascending).

    channels, mean, std: how grayscale 0..1 is presented (repeated, then standardised).
    """

    image_size: int
    patch_size: int
    width: int
    depth: int
    heads: int
    levels: tuple[int, ...]
    channels: int = 1
    mean: float = 0.5
    std: float = 0.25

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return self.image_size // self.patch_size


@dataclass(frozen=True)
class LanguageConfig:
    """The Llama. positions: longest sequence, prompt and report together. rope_scaling: linear factor
    or 1. rope_theta: base of the rotary frequencies. norm_eps: of its norms."""

    vocabulary: int
    width: int
    feed_forward: int
    depth: int
    heads: int
    positions: int
    rope_scaling: float = 1.0
    tied_embeddings: bool = False
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5


@dataclass(frozen=True)
class MairaSegConfig:
    """pooled_grid: image tokens along one side after pooling the patches. projector_layers: linear layers.

    extractor_width: where the levels of a mask token are summed. spatial_size: side of the resized mask that
    becomes the spatial token. max_images: views the prompt can tell apart. structures and findings: the
    vocabulary of slots, citations and codes, in this order. not_denied: findings the model misses too often:
    it may state them, and never says that they are absent. languages: of drafts, by their codes; the first is
    written where no other is asked for. context_tokens: places for the text of the prior report; without any
    it is not read.
    """

    name: str
    vision: VisionConfig
    language: LanguageConfig
    pooled_grid: int
    projector_layers: int
    extractor_width: int
    spatial_size: int
    max_images: int = 4
    max_report_tokens: int = 240
    structures: tuple[str, ...] = tuple(structure.code for structure in STRUCTURES)
    findings: tuple[str, ...] = tuple(finding.code for finding in FINDINGS)
    not_denied: tuple[str, ...] = ()
    context_tokens: int = 0
    languages: tuple[str, ...] = ("en",)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "MairaSegConfig":
        flat = dict(values)
        vision = _tuples(flat.pop("vision"))
        language = _tuples(flat.pop("language"))
        return cls(vision=VisionConfig(**vision), language=LanguageConfig(**language), **_tuples(flat))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


PRESETS: dict[str, MairaSegConfig] = {
    "demo": MairaSegConfig(
        name="demo",
        vision=VisionConfig(image_size=256, patch_size=16, width=192, depth=5, heads=6, levels=(1, 3, 5)),
        language=LanguageConfig(
            vocabulary=2048, width=192, feed_forward=512, depth=4, heads=6, positions=640,
            tied_embeddings=True,
        ),
        pooled_grid=8,
        projector_layers=2,
        extractor_width=192,
        spatial_size=32,
        max_report_tokens=320,
        languages=("en", "ja"),
    ),
    "7b": MairaSegConfig(
        name="7b",
        vision=VisionConfig(
            image_size=518, patch_size=14, width=768, depth=12, heads=12, levels=(3, 6, 9, 12),
            channels=3, mean=0.5307, std=0.2583,
        ),
        language=LanguageConfig(
            vocabulary=32207, width=4096, feed_forward=11008, depth=32, heads=32, positions=4096,
            rope_scaling=1.5,
        ),
        pooled_grid=37,
        projector_layers=4,
        extractor_width=1024,
        spatial_size=112,
    ),
}  # fmt: skip
