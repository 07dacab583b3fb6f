"""How large an experiment is. Who changes a plan changes its name, or rows of two experiments get mixed."""

from dataclasses import dataclass, field
from typing import Any

TRAIN_SEED = 12
"""Phantoms that no segmenter was trained on: their predicted masks are out of its fold."""
DEVELOPMENT_SEED = 22
TEST_SEED = 21
"""The frozen test set. Nothing is chosen by looking at it."""


@dataclass(frozen=True)
class Plan:
    """masks: `true` or `predicted`, to train and to test with. settings: names in `arms.SETTINGS`.
    start_steps: of the start that all settings with one encoder share, before `steps` of each alone."""

    name: str
    settings: tuple[str, ...]
    seeds: tuple[int, ...]
    masks: str
    train_studies: int
    test_studies: int
    test_seed: int
    steps: int
    start_steps: int = 0
    batch: int = 16
    rate: float = 1.5e-3
    wordings: int = 4
    also_true: tuple[str, ...] = field(default=())
    """Settings that are tested with the true masks besides, on the weights trained with predicted ones."""
    damaged: tuple[str, ...] = field(default=())
    """Settings that are tested with spoiled prompts besides."""
    warm: bool = False
    """Begin with the bundle's language model and tokenizer; projector, extractor and slots are new all the
    same."""
    bfloat16: bool = False
    """Train with matrix products in bfloat16."""
    whole: bool = False
    """On whole studies, with lateral and prior images, so that settings may show those."""

    def arguments(self) -> dict[str, Any]:
        """What a run depends on besides its setting and seed."""
        return {
            "masks": self.masks, "train_studies": self.train_studies, "test_studies": self.test_studies,
            "test_seed": self.test_seed, "steps": self.steps, "batch": self.batch, "rate": self.rate,
            "wordings": self.wordings, "start_steps": self.start_steps,
            "warm": self.warm, "bfloat16": self.bfloat16, "whole": self.whole,
        }  # fmt: skip


CONTROLLED = ("baseline", "seg", "names", "shuffled")
TOKENS = ("baseline-16-tokens", "baseline-256-tokens", "seg-16-tokens", "seg-256-tokens")
ARMS = (
    "baseline", "seg", "names", "som", "shuffled", "baseline-mask-encoder", "seg-findings", "names-findings",
    "seg-mask-encoder", "names-mask-encoder",
)  # fmt: skip
MULTI = (
    "baseline", "seg", *(f"{arm}-multi" for arm in ("baseline", "seg", "names", "som", "shuffled")),
    "seg-findings-multi", "names-findings-multi",
)  # fmt: skip
WARM = ("baseline", "seg", "names", "som", "shuffled", "seg-findings", "names-findings")
MASKED = ("seg", "names", "som", "seg-findings", "names-findings")
REPORTED_WITH_TRUE = ("seg", "names", "seg-findings", "names-findings", "seg-mask-encoder")
ABLATION = ("seg-mask-token", "seg-spatial-token", "seg-anatomy", "seg-devices")
PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan("smoke", ("baseline", "seg"), (0,), "true", 48, 16, DEVELOPMENT_SEED, steps=4, start_steps=2,
        batch=4), Plan("pilot", CONTROLLED, (0,), "true", 2000, 500, DEVELOPMENT_SEED, steps=500,
        start_steps=6000), Plan("tokens", TOKENS, (0,), "true", 2000, 500, DEVELOPMENT_SEED, steps=500,
        start_steps=6000), Plan("arms", ARMS, (0, 1, 2), "predicted", 4000, 2000, TEST_SEED, steps=500,
        start_steps=6000, also_true=MASKED), Plan("ablation", ABLATION, (0, 1, 2), "predicted", 4000, 2000,
        TEST_SEED, steps=500, start_steps=6000), Plan(
            "arms-large", (*ARMS, *ABLATION), (0, 1, 2), "predicted", 8000, 2000, TEST_SEED, steps=200,
            start_steps=2500, batch=64, also_true=REPORTED_WITH_TRUE, damaged=("seg",), bfloat16=True,
        ), Plan("arms-warm", WARM, (0, 1, 2), "predicted", 4000, 2000, TEST_SEED,
        steps=200, start_steps=1800, also_true=("seg", "seg-findings"), damaged=("seg",), warm=True,
        bfloat16=True),
        Plan("multi", MULTI, (0, 1, 2), "predicted", 4000, 2000, TEST_SEED, steps=200, start_steps=2500,
        batch=32, also_true=("seg-multi", "seg-findings-multi"), bfloat16=True, whole=True),
        Plan("multi-smoke", ("baseline", "baseline-multi", "seg-multi"), (0,), "predicted", 48, 16,
        DEVELOPMENT_SEED, steps=4, start_steps=2, batch=4, whole=True),
    )
}  # fmt: skip
