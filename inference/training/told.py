"""What a bundle's model writes when it is told of masks: many studies at once, masks of anybody's choice.

For measurements that put other masks into the prompt than the segmenter's. Squares go in as training sees
them; gates are not asked."""

from dataclasses import dataclass

import torch
from torch import Tensor

from inference.maira_seg import decode, record
from inference.maira_seg import processor as words
from inference.maira_seg.checkpoint import Bundle
from inference.maira_seg.model import layout_for
from inference.maira_seg.processor import CodedSentence
from inference.maira_seg.prompt import PRESENT
from inference.segmentation import trust
from inference.training.features import slot_states

LOOKED_AT_ONCE = 16
WRITTEN_AT_ONCE = 100


@dataclass(frozen=True)
class Looked:
    """features (N, L, 1 + P, C) of the encoder, probabilities (N, M, S, S) of the segmenter (half
    precision) and the masks (N, M, S, S) bool cut from them."""

    features: Tensor
    probabilities: Tensor
    masks: Tensor


@torch.inference_mode()
def look(bundle: Bundle, images: Tensor) -> Looked:
    """images (N, 1, S, S) in 0..1."""
    parts = []
    for some in images.split(LOOKED_AT_ONCE):
        probabilities, _ = bundle.segmenter.probabilities(some)
        masks = bundle.segmenter.cut(probabilities)
        parts.append((bundle.model.vision(some), probabilities.half(), masks))
    features, probabilities, masks = (torch.cat(part) for part in zip(*parts, strict=True))
    return Looked(features, probabilities, masks)


def states(bundle: Bundle, looked: Looked, masks: Tensor, *, gate: bool = True) -> Tensor:
    """(N, M) slot states of these masks: present where they agree with the segmenter's probabilities, with
    the trust gate off wherever there is a mask."""
    pairs = zip(looked.probabilities, masks, strict=True)
    believed = torch.stack([trust.soft_dice(some.float(), mask) for some, mask in pairs])
    return slot_states(masks, believed, bundle.segmenter.config.trust_threshold if gate else -1.0)


@torch.inference_mode()
def write(bundle: Bundle, looked: Looked, masks: Tensor, shown: Tensor) -> list[list[CodedSentence]]:
    """The drafts of N studies whose prompts show these masks in these states (N, M), as the application would
    show them: contradictions left out."""
    model, processor = bundle.model, bundle.processor
    layout = layout_for(model.config, processor)
    found: list[list[CodedSentence]] = []
    for rows in torch.arange(len(shown)).split(WRITTEN_AT_ONCE):
        told = [
            [code for code, state in zip(model.config.structures, row, strict=True) if state == PRESENT]
            for row in shown[rows].tolist()
        ]
        inputs = model.look(looked.features[rows], masks[rows].float(), shown[rows])
        written = decode.greedy_batch(
            model.language_model,
            model.prompt(layout, inputs),
            stop=processor.id(words.EOS),
            limit=model.config.max_report_tokens,
            grammars=[
                decode.DraftGrammar(processor, model.config.language.vocabulary, cites) for cites in told
            ],
        )
        for ids, trusted in zip(written, told, strict=True):
            once = list(dict.fromkeys(processor.decode(ids)))
            found.append(record.kept(once, trusted, model.config.not_denied))
    return found
