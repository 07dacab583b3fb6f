"""The mask-aware prompt: for every image its patches, then one constant slot per structure.

    <bos> [ image tokens ... <slot:lung_right> <state:present> MASK POSITION  <slot:lung_left> ... ] *
    images, prior report ... <report>

Every structure has its slot whether or not it was found, so the length and the words of the prompt do not
give the answer away; what was found is said by the state, and shown by the two tokens of the mask. An image's
place says what it is to the report (`Role`); one that a study lacks keeps its place, with nothing in it. So
does the text of the prior report. The last token asks for a language: `<report>` for the first,
`<report:ja>` for another.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import torch
from torch import Tensor

from inference.contract import SlotState
from inference.maira_seg import processor as words
from inference.maira_seg.config import MairaSegConfig
from inference.maira_seg.processor import Processor

STATES = tuple(SlotState)
PRESENT, ABSENT, WITHHELD = (
    STATES.index(s) for s in (SlotState.PRESENT, SlotState.ABSENT, SlotState.WITHHELD)
)


class Role(StrEnum):
    """What an image is to the report. Images stand in a prompt in this order."""

    FRONTAL = "frontal"
    LATERAL = "lateral"
    PRIOR = "prior"


CURRENT = (Role.FRONTAL, Role.LATERAL)
"""Images of the study that is reported: what they show may be cited."""


@dataclass(frozen=True)
class PromptInputs:
    """What the prompt shows, for B studies of I images each, M structures, L levels.

    patches: (B, I, T, C) pooled patches of the last level. pooled: (B, I, M, L, C) features under the masks.
    shrunk: (B, I, M, size*size) the masks, resized by area. states: (B, I, M) long, indices into `STATES`.
    tokens: which of a mask's two tokens a present slot shows, mask token and spatial token; what is not shown
    is a learned dummy. languages: (B,) long, the language of each report, an index into those of the
    configuration; the first where None. context: (B, C) long, the ids of the prior report's text, padded on
    the right to `context_tokens` of the configuration; None for a model that reads none.

    An image that a study lacks has patches of zeros and nothing but withheld slots.
    """

    patches: Tensor
    pooled: Tensor
    shrunk: Tensor
    states: Tensor
    tokens: tuple[bool, bool] = (True, True)
    languages: Tensor | None = None
    context: Tensor | None = None

    def to(self, device: torch.device | str) -> "PromptInputs":
        return self._each(lambda tensor: tensor.to(device))

    def select(self, rows: Tensor) -> "PromptInputs":
        """The studies at these indices."""
        return self._each(lambda tensor: tensor[rows])

    def _each(self, change: Callable[[Tensor], Tensor]) -> "PromptInputs":
        return replace(
            self,
            patches=change(self.patches),
            pooled=change(self.pooled),
            shrunk=change(self.shrunk),
            states=change(self.states),
            languages=None if self.languages is None else change(self.languages),
            context=None if self.context is None else change(self.context),
        )


class PromptLayout:
    """The ids of a prompt; places to be filled with image and mask tokens hold placeholder ids."""

    def __init__(self, config: MairaSegConfig, processor: Processor) -> None:
        self.image_tokens = config.pooled_grid**2
        self.context_tokens = config.context_tokens
        self.bos = processor.id(words.BOS)
        self.reports = torch.tensor([processor.report_token(language) for language in config.languages])
        self.image, self.mask = processor.id(words.IMAGE), processor.id(words.MASK)
        self.position = processor.id(words.POSITION)
        self.slots = torch.tensor([processor.id(f"<slot:{code}>") for code in config.structures])
        self.states = torch.tensor([processor.id(f"<state:{state}>") for state in STATES])

    def ids(self, states: Tensor, languages: Tensor | None = None, context: Tensor | None = None) -> Tensor:
        """states (B, I, M), languages (B,) or None, context (B, C) or None -> ids (B, P); P depends on the
        number of images alone."""
        batch, images, slots = states.shape
        device = states.device
        shown = self.states.to(device)[states]
        slot_ids = self.slots.to(device).expand(batch, images, slots)
        mask_ids, position_ids = torch.full_like(shown, self.mask), torch.full_like(shown, self.position)
        per_slot = torch.stack([slot_ids, shown, mask_ids, position_ids], dim=-1).flatten(2)
        image_ids = torch.full((batch, images, self.image_tokens), self.image, device=device)
        body = torch.cat([image_ids, per_slot], dim=-1).flatten(1)
        first = torch.full((batch, 1), self.bos, device=device)
        asked = torch.zeros(batch, dtype=torch.long) if languages is None else languages.cpu()
        told = torch.zeros(batch, 0, dtype=torch.long) if context is None else context
        assert told.shape[1] == self.context_tokens, f"{told.shape[1]} ids of text, not {self.context_tokens}"
        return torch.cat([first, body, told.to(device), self.reports[asked].to(device)[:, None]], dim=1)

    def length(self, images: int) -> int:
        """P: tokens of a prompt with this many images, prior report included."""
        return 2 + images * (self.image_tokens + 4 * len(self.slots)) + self.context_tokens
