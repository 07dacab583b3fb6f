"""A MAIRA-Seg and a segmenter small enough to build in a test, with random weights."""

from dataclasses import replace

import torch

from inference.maira_seg.applicability import Domain
from inference.maira_seg.checkpoint import Bundle
from inference.maira_seg.config import PRESETS, LanguageConfig, MairaSegConfig, VisionConfig
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
from inference.segmentation.model import SegmenterConfig, build
from inference.segmentation.segmenter import Segmenter

TEXTS = (
    "The lungs are clear.",
    "Small right pleural effusion.",
    "The heart is enlarged.",
    "No pneumothorax is seen.",
)
CONFIG: MairaSegConfig = replace(
    PRESETS["demo"],
    name="tiny",
    vision=VisionConfig(image_size=64, patch_size=16, width=32, depth=2, heads=2, levels=(1, 2)),
    language=LanguageConfig(
        vocabulary=512, width=32, feed_forward=48, depth=2, heads=2, positions=512, tied_embeddings=True
    ),
    pooled_grid=2,
    extractor_width=24,
    spatial_size=8,
    max_report_tokens=60,
)


def processor() -> Processor:
    return Processor.train(
        TEXTS,
        vocabulary=512,
        structures=CONFIG.structures,
        findings=CONFIG.findings,
        languages=CONFIG.languages,
    )


def model(seed: int = 0) -> MairaSeg:
    torch.manual_seed(seed)
    return MairaSeg(CONFIG).eval()


def segmenter(seed: int = 0) -> Segmenter:
    torch.manual_seed(seed)
    config = SegmenterConfig(image_size=64, channels=(4, 8, 8), res_units=1)
    return Segmenter(config, build(config))


def wide_domain(width: int) -> Domain:
    """A domain that everything is inside of."""
    eye = torch.eye(width, dtype=torch.float64)
    return Domain(torch.zeros(width, dtype=torch.float64), eye, torch.tensor(1e6, dtype=torch.float64))


def bundle(seed: int = 0) -> Bundle:
    made = model(seed)
    drafts = 2 * len(CONFIG.vision.levels) * CONFIG.vision.width
    domains = {"draft.phantom": wide_domain(drafts), "masks.phantom": wide_domain(16)}
    return Bundle(segmenter(seed), made, processor(), domains, {"purpose": "test"})
