"""The arms of the comparison: what each shows the language model of the same images and the same masks.

All arms have one prompt, as long in each: image tokens, then a slot for every structure with its state and
two tokens. What an arm does not show is a learned dummy.

| arm | image tokens | states | mask and spatial token |
|---|---|---|---|
| baseline | plain | all withheld | dummies |
| som | of the image with marks drawn into it | told | dummies |
| seg | plain | told | shown |
| names | plain | told | dummies |
| shuffled | plain | of another patient | of another patient's masks |

With `multi` views the prompt has places for a lateral view, a prior frontal image and the prior's report,
whether a study has them or not; an arm then treats the masks of every image alike.

The publication's body was not at hand (see docs/model.md): what `som` looks like, and the controls, are ours.
"""

from dataclasses import dataclass
from enum import StrEnum

from inference.structures import Group


class Views(StrEnum):
    """What of a study is in the prompt: the frontal image alone, or the lateral and the prior as well."""

    FRONTAL = "frontal"
    MULTI = "multi"


class Arm(StrEnum):
    """What is shown of the masks."""

    BASELINE = "baseline"
    SOM = "som"
    SEG = "seg"
    NAMES = "names"
    SHUFFLED = "shuffled"


LANDMARKS = (Group.ANATOMY, Group.DEVICE)
EVERYTHING = (Group.ANATOMY, Group.DEVICE, Group.FINDING)


@dataclass(frozen=True)
class Setting:
    """One cell of the experiment. groups: structures whose slots may tell anything. tokens: which of the two
    tokens of a mask are shown (mask token, spatial token). mask_encoder: features of the encoder that was
    supervised with masks, in place of the one that saw labels alone. grid: image tokens along one side, the
    configuration's where 0. views: what of the study is in the prompt."""

    arm: Arm
    groups: tuple[Group, ...] = LANDMARKS
    tokens: tuple[bool, bool] = (True, True)
    mask_encoder: bool = False
    grid: int = 0
    views: Views = Views.FRONTAL

    def __post_init__(self) -> None:
        hidden = self.arm in (Arm.BASELINE, Arm.SOM, Arm.NAMES)
        object.__setattr__(self, "tokens", (False, False) if hidden else self.tokens)


SETTINGS: dict[str, Setting] = {
    **{str(arm): Setting(arm) for arm in Arm},
    "baseline-mask-encoder": Setting(Arm.BASELINE, mask_encoder=True),
    "seg-findings": Setting(Arm.SEG, EVERYTHING),
    "names-findings": Setting(Arm.NAMES, EVERYTHING),
    "som-findings": Setting(Arm.SOM, EVERYTHING),
    "seg-mask-token": Setting(Arm.SEG, tokens=(True, False)),
    "seg-spatial-token": Setting(Arm.SEG, tokens=(False, True)),
    "seg-anatomy": Setting(Arm.SEG, (Group.ANATOMY,)),
    "seg-devices": Setting(Arm.SEG, (Group.DEVICE,)),
    "seg-mask-encoder": Setting(Arm.SEG, mask_encoder=True),
    "names-mask-encoder": Setting(Arm.NAMES, mask_encoder=True),
    "baseline-16-tokens": Setting(Arm.BASELINE, grid=4),
    "baseline-256-tokens": Setting(Arm.BASELINE, grid=16),
    "seg-16-tokens": Setting(Arm.SEG, grid=4),
    "seg-256-tokens": Setting(Arm.SEG, grid=16),
    **{f"{arm}-multi": Setting(arm, views=Views.MULTI) for arm in Arm},
    "seg-findings-multi": Setting(Arm.SEG, EVERYTHING, views=Views.MULTI),
    "names-findings-multi": Setting(Arm.NAMES, EVERYTHING, views=Views.MULTI),
    "baseline-mask-encoder-multi": Setting(Arm.BASELINE, mask_encoder=True, views=Views.MULTI),
}
"""By the name that the results give it."""
