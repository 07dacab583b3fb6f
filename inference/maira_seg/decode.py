"""Greedy decoding with a key-value cache, over transformers' Llama, and the grammar that keeps a draft
parseable."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, LlamaForCausalLM

from inference.contract import Certainty, Section, Side
from inference.maira_seg import processor as words
from inference.maira_seg.processor import MAX_SENTENCE_TOKENS, NO_FINDING, Processor
from inference.structures import BY_CODE, FINDINGS_BY_CODE, Group

MAX_SENTENCES = 32


class Grammar(Protocol):
    """Says which tokens may come next, and is told which one came."""

    def allowed(self) -> Tensor:
        """Bool (vocabulary,)."""
        ...

    def take(self, token: int) -> None: ...


@torch.inference_mode()
def greedy(
    model: LlamaForCausalLM, prompt: Tensor, *, stop: int, limit: int, grammar: Grammar | None = None
) -> list[int]:
    """The most likely next token, again and again, until `stop` (included) or `limit` tokens.

    prompt: embedded, (1, P, H). Without a grammar this gives the tokens of `generate(do_sample=False)`.
    """
    assert prompt.shape[0] == 1, f"one study at a time, got {prompt.shape[0]}"
    cache = DynamicCache(config=model.config)
    embed = model.get_input_embeddings()
    step = prompt
    tokens: list[int] = []
    while len(tokens) < limit:
        logits = model(inputs_embeds=step, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[
            0, -1
        ]
        if grammar is not None:
            logits = logits.masked_fill(~grammar.allowed(), -torch.inf)
        token = int(logits.argmax())
        tokens.append(token)
        if token == stop:
            break
        if grammar is not None:
            grammar.take(token)
        step = embed(torch.tensor([[token]]))
    return tokens


class Record:
    """What a draft has said so far, and what it may still say without contradicting itself or its masks.

    - A finding is stated once for a side in each section, and not again once it was denied.
    - What a trusted mask shows is not denied, nor what the model cannot tell to be absent (`not_denied`).
    - The impression states what the findings state and denies nothing that they state.
    """

    def __init__(self, citable: Sequence[str], not_denied: Sequence[str]) -> None:
        shown = [BY_CODE[code] for code in citable if BY_CODE[code].group != Group.ANATOMY]
        self._shown = {(structure.finding, structure.side) for structure in shown}
        self._not_denied = frozenset(not_denied)
        self._said: dict[tuple[str, str], dict[Side, Certainty]] = {}

    def note(self, section: str, finding: str, side: Side, certainty: Certainty) -> None:
        if finding in FINDINGS_BY_CODE:
            self._said.setdefault((section, finding), {})[side] = certainty

    def sides(self, section: str, finding: str) -> list[Side]:
        """The sides that can still be spoken of; a finding without sides has none."""
        sided = finding in FINDINGS_BY_CODE and FINDINGS_BY_CODE[finding].sided
        return [side for side in (Side if sided else [Side.NONE]) if self.certainties(section, finding, side)]

    def certainties(self, section: str, finding: str, side: Side) -> list[Certainty]:
        """What can still be said of a finding on a side; nothing when all is said."""
        if finding not in FINDINGS_BY_CODE:
            return list(Certainty)
        said = self._said.get((section, finding), {})
        if any(_overlap(side, other) for other in said):
            return []
        may = set(Certainty)
        if FINDINGS_BY_CODE[finding].sided and side == Side.NONE:
            may = {Certainty.ABSENT}
        if finding in self._not_denied or self._is_shown(finding, side):
            may.discard(Certainty.ABSENT)
        if section == Section.IMPRESSION:
            may &= self._in_keeping(finding, side)
        return [certainty for certainty in Certainty if certainty in may]

    def _is_shown(self, finding: str, side: Side) -> bool:
        return any(code == finding and _overlap(side, shown) for code, shown in self._shown)

    def _in_keeping(self, finding: str, side: Side) -> set[Certainty]:
        """What the impression may say of it after these findings."""
        found = self._said.get((Section.FINDINGS, finding), {})
        stated = [other for other, certainty in found.items() if certainty != Certainty.ABSENT]
        if any(_overlap(side, other) for other in stated):
            return {Certainty.PRESENT, Certainty.UNCERTAIN}
        return {Certainty.ABSENT}


def _overlap(one: Side, other: Side) -> bool:
    """Whether two statements of a finding speak of the same place; without a side it is the whole chest."""
    return one == other or {one, other} != {Side.RIGHT, Side.LEFT}


class DraftGrammar:
    """Sentence after sentence: section, finding, side, certainty, words, citations of masks that exist, end.

    Findings come before the impression. What may be said of a finding, `Record` knows.
    """

    def __init__(
        self,
        processor: Processor,
        vocabulary: int,
        citable: Sequence[str],
        not_denied: Sequence[str] = (),
    ) -> None:
        self._processor = processor
        self._vocabulary = vocabulary
        self._end, self._eos = processor.id(words.END), processor.id(words.EOS)
        self._words = torch.zeros(vocabulary, dtype=torch.bool)
        self._words[processor.first_word : processor.tokenizer.get_vocab_size()] = True
        self._citable = {processor.id(f"<cite:{structure}>") for structure in citable}
        self._record = Record(citable, not_denied)
        self._place = 0  # 0 section, 1 finding, 2 side, 3 certainty, 4 words, 5 citations
        self._written = self._sentences = 0
        self._section, self._finding, self._side = "", "", Side.NONE
        self._cited: set[int] = set()

    def allowed(self) -> Tensor:
        if self._place < 4:
            return self._only(self._head())
        if self._written >= MAX_SENTENCE_TOKENS:
            return self._only([self._end])
        ends = [self._end, *(self._citable - self._cited)]
        if self._place == 5:
            return self._only(ends)
        mask = self._words.clone()
        if self._written:
            mask[ends] = True
        return mask

    def take(self, token: int) -> None:
        if token == self._end:
            self._place, self._written, self._cited = 0, 0, set()
            self._sentences += 1
        elif self._place < 4:
            self._take_head(self._processor.codes[token])
            self._place += 1
        elif token in self._citable:
            self._place = 5
            self._cited.add(token)
        else:
            self._written += 1

    def _take_head(self, value: str) -> None:
        if self._place == 0:
            self._section = value
        elif self._place == 1:
            self._finding = value
        elif self._place == 2:
            self._side = Side.NONE if value == NO_FINDING else Side(value)
        else:
            self._record.note(self._section, self._finding, self._side, Certainty(value))

    def _head(self) -> list[int]:
        options = (self._sections, self._findings, self._sides, self._certainties)[self._place]()
        return [self._processor.id(option) for option in options] + self._may_stop()

    def _may_stop(self) -> list[int]:
        return [self._eos] if self._place == 0 and self._sentences else []

    def _sections(self) -> list[str]:
        if self._sentences >= MAX_SENTENCES:
            return []
        sections = [Section.IMPRESSION] if self._section == Section.IMPRESSION else list(Section)
        return [f"<section:{section}>" for section in sections]

    def _findings(self) -> list[str]:
        sayable = (code for code in self._processor.findings if self._record.sides(self._section, code))
        return [f"<finding:{finding}>" for finding in (NO_FINDING, *sayable)]

    def _sides(self) -> list[str]:
        sides = self._record.sides(self._section, self._finding)
        return [f"<side:{side or NO_FINDING}>" for side in sides]

    def _certainties(self) -> list[str]:
        certainties = self._record.certainties(self._section, self._finding, self._side)
        return [f"<certainty:{certainty}>" for certainty in certainties]

    def _only(self, ids: Sequence[int]) -> Tensor:
        mask = torch.zeros(self._vocabulary, dtype=torch.bool)
        mask[list(ids)] = True
        return mask
