"""The door to the model: `load(bundle)` gives a drafter, `draft(study)` gives masks and sentences, and
`explain(study, sentences)` what each mask does to each sentence.

Runs on the processor, without gradients, one study at a time. The draft reads one frontal image; masks are
made for every image, frontal or lateral, that lies inside the domain of its view's segmenter.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from inference.contract import (
    DraftOutput,
    Gate,
    ImageInput,
    InferenceError,
    Mask,
    Sentence,
    StudyInput,
    Support,
    ViewPosition,
    bundle_digest,
)
from inference.imaging import masks as rle
from inference.maira_seg import applicability, checkpoint, confidence, decode, evidence, record, vision
from inference.maira_seg import processor as words
from inference.maira_seg.model import layout_for
from inference.maira_seg.processor import CodedSentence
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD, PromptInputs
from inference.segmentation.geometry import MIN_SIDE, Letterbox
from inference.segmentation.segmenter import Segmenter, Square
from inference.segmentation.views import View, view_of
from inference.structures import BY_CODE, Group

NO_FRONTAL, TOO_SMALL, NO_LUNGS, BLANK = "no-frontal-view", "image-too-small", "no-lungs-found", "blank-image"
NO_MEMORY = "not enough memory"
"""What torch says, in a plain RuntimeError, when the processor's memory runs out."""
PREFERENCE = (ViewPosition.PA, ViewPosition.AP, ViewPosition.UNKNOWN)
LEAST_SUPPORT = 0.01
"""Nats: a mask that is not cited and does less to a sentence is not told of."""


@dataclass(frozen=True)
class Slots:
    """What the prompt is told about one image: coverage (M, S, S) in 0..1, states (M,), structures to
    cite."""

    coverage: Tensor
    states: Tensor
    citable: tuple[str, ...]


@dataclass(frozen=True)
class Outlines:
    """What a segmenter said of one image. outside: the image is none the draft was measured on."""

    segmenter: Segmenter
    square: Square
    outside: bool


def load(bundle: Path) -> "MairaSegDrafter":
    """A drafter from a bundle folder.

    Raises
    ------
    InferenceError
        Permanent, when the folder is no readable bundle.
    """
    return MairaSegDrafter(checkpoint.load(bundle), bundle_digest(bundle))


class MairaSegDrafter:
    """A `contract.Drafter`."""

    def __init__(self, bundle: checkpoint.Bundle, digest: str) -> None:
        self.digest = digest
        self.bundle = bundle
        self.layout = layout_for(bundle.model.config, bundle.processor)
        self._draft_domains = [bundle.domains[name] for name in checkpoint.DRAFT_DOMAINS]
        self._mask_domains = [
            bundle.domains[name] for name in checkpoint.MASK_DOMAINS if name in bundle.domains
        ]
        self._lateral_domains = [bundle.domains[checkpoint.LATERAL_DOMAIN]] if bundle.lateral else []

    def draft(self, study: StudyInput) -> DraftOutput:
        """Segment and draft. See `contract.Drafter`.

        Raises
        ------
        InferenceError
            Permanent: `bad-image` (not finite), `bad-mask` (does not fit its image).
            Transient: `out-of-memory`.
        """
        with _checks(study):
            return self._draft(study)

    def explain(self, study: StudyInput, sentences: Sequence[Sentence]) -> tuple[Support, ...]:
        """What each mask does to each sentence. See `contract.Drafter`.

        The prompt is made again from the study, as for the draft: the same study gives the same numbers.

        Raises
        ------
        InferenceError
            As `draft`, and permanent `not-its-draft`: the bundle does not draft this study, or not with such
            sentences.
        """
        return tuple(
            one
            for one in self.ablate(study, sentences)
            if abs(one.nats) >= LEAST_SUPPORT
            or one.structure in {cited.structure for cited in sentences[one.sentence].evidence}
        )

    def ablate(self, study: StudyInput, sentences: Sequence[Sentence]) -> tuple[Support, ...]:
        """`explain` with every mask that was shown, however little it does."""
        with _checks(study):
            return self._ablate(study, sentences)

    @torch.inference_mode()
    def _draft(self, study: StudyInput) -> DraftOutput:
        started = time.perf_counter()
        masks, lateral_gate = self._lateral(study)
        frontal = _of_view(study, View.FRONTAL)
        reason = _unusable(frontal)
        if reason:
            seconds = {"segment": time.perf_counter() - started} if lateral_gate else {}
            closed = applicability.closed(reason)
            return DraftOutput(tuple(masks), (), lateral_gate or closed, closed, seconds)
        usable = [image for image in frontal if not _unusable([image])]
        main = _drafted_from(usable)
        for image in (i for i in usable if i is not main):
            masks += self._segment(image, study)[0]
        main_masks, square, masks_gate, draft_gate, features = self._segment(main, study)
        segmented = time.perf_counter()
        sentences: tuple[Sentence, ...] = ()
        if draft_gate.open:
            trusted = [mask.structure for mask in (*main_masks, *masks) if mask.trusted]
            slots = self._slots(square, main_masks, study.human_masks, main.sop_instance_uid)
            language = self._language(study.language)
            written = self._write(features, slots, language)
            sentences = tuple(
                _sentence(one, slots, main.sop_instance_uid, language, self._confidence(one, written))
                for one in self.kept(list(written), trusted)
            )
        seconds = {"segment": segmented - started, "write": time.perf_counter() - segmented}
        return DraftOutput((*main_masks, *masks), sentences, masks_gate, draft_gate, seconds)

    def _lateral(self, study: StudyInput) -> tuple[list[Mask], Gate | None]:
        """Masks of the lateral images, and a gate of theirs: an open one, where one is open. None where there
        is nothing to look at, or nobody to look."""
        masks: list[Mask] = []
        gates = []
        for image in _of_view(study, View.LATERAL):
            if self.bundle.lateral is None or _unusable([image]):
                continue
            square = self.bundle.lateral.look(image)
            gates.append(applicability.gate(self._lateral_domains, square.descriptor))
            if gates[-1].open:
                made = Outlines(self.bundle.lateral, square, outside=False)
                masks += self._masks(image, made, study.human_masks)
        return masks, next((gate for gate in gates if gate.open), gates[-1] if gates else None)

    def _segment(self, image: ImageInput, study: StudyInput) -> tuple[list[Mask], Square, Gate, Gate, Tensor]:
        """Masks of one image, its two gates, and the encoder's features (1, L, 1 + N, C)."""
        square = self.bundle.segmenter.look(image)
        features = self.bundle.model.vision(square.pixels[None])
        described = vision.descriptor(features)[0]
        draft_gate = applicability.gate(self._draft_domains, described)
        masks_gate = applicability.gate(self._mask_domains, square.descriptor)
        if masks_gate.open and not self._lungs_found(square):
            masks_gate = applicability.shut(masks_gate, NO_LUNGS)
        if self.bundle.phantom_like is not None and not self.bundle.phantom_like.holds(described):
            draft_gate = applicability.shut(draft_gate, applicability.OUTSIDE)
        if self.bundle.upright is not None and not self.bundle.upright.holds(described):
            masks_gate = applicability.shut(masks_gate, applicability.NOT_UPRIGHT)
            draft_gate = applicability.shut(draft_gate, applicability.NOT_UPRIGHT)
        made = Outlines(self.bundle.segmenter, square, outside=not draft_gate.open)
        masks = self._masks(image, made, study.human_masks) if masks_gate.open else []
        return masks, square, masks_gate, draft_gate, features

    def _lungs_found(self, square: Square) -> bool:
        config = self.bundle.segmenter.config
        lungs = [config.structures.index(code) for code in ("lung_right", "lung_left")]
        return bool(square.masks[lungs].any(dim=0).any())

    def _masks(self, image: ImageInput, made: Outlines, human: tuple[Mask, ...]) -> list[Mask]:
        """The model's masks, a person's in place of the model's where there is one.

        Outside the drafter's domain only anatomy is outlined: findings and devices were never measured there.
        """
        config, square = made.segmenter.config, made.square
        drawn = {mask.structure: mask for mask in human if mask.sop_instance_uid == image.sop_instance_uid}
        masks = [_checked(mask, image) for mask in drawn.values()]
        for index, code in enumerate(config.structures):
            if code in drawn or (made.outside and BY_CODE[code].group != Group.ANATOMY):
                continue
            pixels = made.segmenter.to_image(square, index)
            if not pixels.any():
                continue
            trust = float(square.trust[index])
            proven = code in config.validated_outside if made.outside else code not in config.unproven
            trusted = trust >= config.trust_threshold and proven
            masks.append(
                Mask(code, image.sop_instance_uid, _size(image), rle.encode(pixels), round(trust, 4), trusted)
            )
        return [mask for mask in masks if rle.area(mask.counts, mask.size)]

    def _slots(self, square: Square, masks: list[Mask], human: tuple[Mask, ...], uid: str) -> Slots:
        """The constant slots: a mask to show, or that there is none, or that it is not to be believed."""
        config = self.bundle.segmenter.config
        by_code = {mask.structure: mask for mask in masks}
        drawn = {mask.structure for mask in human if mask.sop_instance_uid == uid}
        coverage = square.masks.float()
        states = torch.full((len(config.structures),), ABSENT)
        for index, code in enumerate(config.structures):
            mask = by_code.get(code)
            if code in drawn:
                coverage[index] = _shrunk(mask, square.box) if mask else 0.0
            if mask is not None:
                states[index] = PRESENT if mask.trusted else WITHHELD
            elif code not in drawn and square.masks[index].any():
                states[index] = WITHHELD
        citable = tuple(code for i, code in enumerate(config.structures) if states[i] == PRESENT)
        return Slots(coverage, states, citable)

    def _language(self, wanted: str) -> str:
        """The language of the draft when this one is wanted (`ja`, `ja-JP`): another that the bundle writes,
        its first, where it does not write this."""
        known = self.bundle.model.config.languages
        return next((language for language in known if language == wanted.split("-")[0].lower()), known[0])

    def _write(self, features: Tensor, slots: Slots, language: str) -> dict[CodedSentence, float]:
        """The sentences as the model wrote them, each once, and the probability of what each claims."""
        inputs = self._prompt(features, slots, language)
        ids = self.tokens(inputs, slots.citable)
        written = self.bundle.processor.decode_spans(ids)
        if not written:
            return {}
        report = torch.tensor(ids)
        logits = self.bundle.model(self.layout, inputs, report[None])
        codes = confidence.code_log_probabilities(logits, report, [span for _, span in written])[0]
        return confidence.claims([sentence for sentence, _ in written], codes)

    def _prompt(self, features: Tensor, slots: Slots, language: str) -> PromptInputs:
        seen = self.bundle.model.look(features, slots.coverage[None], slots.states[None])
        return replace(seen, languages=torch.tensor([self.bundle.model.config.languages.index(language)]))

    def _confidence(self, sentence: CodedSentence, written: dict[CodedSentence, float]) -> float | None:
        if self.bundle.confidence is None:
            return None
        return self.bundle.confidence.of(sentence.finding, sentence.certainty, written[sentence])

    @torch.inference_mode()
    def _ablate(self, study: StudyInput, sentences: Sequence[Sentence]) -> tuple[Support, ...]:
        usable = [image for image in _of_view(study, View.FRONTAL) if not _unusable([image])]
        if not usable:
            raise InferenceError("not-its-draft", "no image to draft from", permanent=True)
        main = _drafted_from(usable)
        masks, square, _, gate, features = self._segment(main, study)
        ids = self.bundle.processor.encode([_coded(sentence) for sentence in sentences])
        spans = [span for _, span in self.bundle.processor.decode_spans(ids)]
        if not gate.open or len(spans) != len(sentences):
            raise InferenceError("not-its-draft", f"{len(sentences)} sentences", permanent=True)
        if not spans:
            return ()
        slots = self._slots(square, masks, study.human_masks, main.sop_instance_uid)
        prompt = self._prompt(features, slots, self._language(sentences[0].language))
        found = evidence.ablate(self.bundle.model, self.layout, prompt, ids, spans)
        structures = [self.bundle.model.config.structures[slot] for slot in found.slots[:, 1].tolist()]
        return tuple(
            Support(place, structure, main.sop_instance_uid, nats)
            for place, drops in enumerate(found.drops.tolist())
            for structure, nats in zip(structures, drops, strict=True)
        )

    def kept(self, written: list[CodedSentence], trusted: list[str]) -> list[CodedSentence]:
        """What of it may be shown beside the trusted masks of the study's images."""
        return record.kept(written, trusted, self.bundle.model.config.not_denied)

    def tokens(self, inputs: PromptInputs, citable: tuple[str, ...]) -> list[int]:
        """The ids of the draft for one study's prompt."""
        model, processor = self.bundle.model, self.bundle.processor
        grammar = decode.DraftGrammar(processor, model.config.language.vocabulary, citable)
        return decode.greedy(
            model.language_model,
            model.prompt(self.layout, inputs),
            stop=processor.id(words.EOS),
            limit=model.config.max_report_tokens,
            grammar=grammar,
        )


@contextmanager
def _checks(study: StudyInput) -> Iterator[None]:
    """Numbers before, and memory that runs out, as errors of the contract."""
    if not all(np.isfinite(image.grayscale).all() for image in study.images):
        raise InferenceError("bad-image", "grayscale holds values that are not numbers", permanent=True)
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and NO_MEMORY not in str(error):
            raise
        raise InferenceError("out-of-memory", f"{len(study.images)} images", permanent=False) from error


def _sentence(coded: CodedSentence, slots: Slots, uid: str, language: str, sure: float | None) -> Sentence:
    return Sentence(
        section=coded.section,
        text=coded.text,
        language=language,
        finding=coded.finding,
        side=coded.side,
        certainty=coded.certainty,
        confidence=sure,
        evidence=evidence.cited(coded.cites, slots.citable, uid),
    )


def _coded(sentence: Sentence) -> CodedSentence:
    """As the model wrote it."""
    return CodedSentence(
        section=sentence.section,
        finding=sentence.finding,
        side=sentence.side,
        certainty=sentence.certainty,
        text=sentence.text,
        cites=tuple(one.structure for one in sentence.evidence),
    )


def _of_view(study: StudyInput, view: View) -> list[ImageInput]:
    return [image for image in study.images if view_of(image.view_position) is view]


def _drafted_from(usable: list[ImageInput]) -> ImageInput:
    return min(usable, key=lambda image: PREFERENCE.index(image.view_position))


def _unusable(images: list[ImageInput]) -> str:
    """Why none of these images can be looked at; empty when one can."""
    if not images:
        return NO_FRONTAL
    large = [image for image in images if min(image.grayscale.shape) >= MIN_SIDE]
    if not large:
        return TOO_SMALL
    return "" if any(np.ptp(image.grayscale) > 0 for image in large) else BLANK


def _size(image: ImageInput) -> tuple[int, int]:
    rows, cols = image.grayscale.shape
    return int(rows), int(cols)


def _checked(mask: Mask, image: ImageInput) -> Mask:
    """A person's mask, if it fits its image."""
    try:
        rle.validate(mask.size, mask.counts, _size(image))
    except ValueError as error:
        raise InferenceError("bad-mask", f"mask of {mask.structure}: {error}", permanent=True) from error
    if mask.structure not in BY_CODE:
        raise InferenceError("bad-mask", f"no structure {mask.structure}", permanent=True)
    return mask


def _shrunk(mask: Mask, box: Letterbox) -> Tensor:
    """A person's mask as coverage (S, S) of the square."""
    pixels = rle.decode(mask.counts, mask.size)
    return box.shrink(torch.from_numpy(pixels.astype(np.float32))[None])[0]
