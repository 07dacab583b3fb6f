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
from inference.structures import FINDINGS_BY_CODE

MAX_SENTENCES = 32
KEPT = 0.7
"""Share of a batch still being written at which the rest is taken out: that copies the whole cache."""


class Grammar(Protocol):
    """Says which tokens may come next, and is told which one came."""

    def allowed(self) -> Tensor:
        """Bool (vocabulary,)."""
        ...

    def take(self, token: int) -> None: ...


def greedy(
    model: LlamaForCausalLM, prompt: Tensor, *, stop: int, limit: int, grammar: Grammar | None = None
) -> list[int]:
    """The most likely next token, again and again, until `stop` (included) or `limit` tokens.

    prompt: embedded, (1, P, H). Without a grammar this gives the tokens of `generate(do_sample=False)`.
    """
    assert prompt.shape[0] == 1, f"one study at a time, got {prompt.shape[0]}"
    grammars = None if grammar is None else [grammar]
    return greedy_batch(model, prompt, stop=stop, limit=limit, grammars=grammars)[0]


@torch.inference_mode()
def greedy_batch(
    model: LlamaForCausalLM,
    prompts: Tensor,
    *,
    stop: int,
    limit: int,
    grammars: Sequence[Grammar] | None = None,
) -> list[list[int]]:
    """`greedy` for many prompts of one length, (B, P, H), a grammar each. Studies that are done leave the
    batch when they are many."""
    cache = DynamicCache(config=model.config)
    embed = model.get_input_embeddings()
    written: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    done = [False] * len(rows)
    step = prompts
    for _ in range(limit):
        logits = model(inputs_embeds=step, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[
            :, -1
        ]
        if grammars is not None:
            anything = torch.ones(logits.shape[-1], dtype=torch.bool)
            allowed = torch.stack([anything if done[row] else grammars[row].allowed() for row in rows])
            logits = logits.masked_fill(~allowed.to(logits.device), -torch.inf)
        tokens = logits.argmax(dim=-1).tolist()
        for row, token in zip(rows, tokens, strict=True):
            if done[row]:
                continue
            written[row].append(token)
            done[row] = token == stop
            if grammars is not None and not done[row]:
                grammars[row].take(token)
        left = [place for place, row in enumerate(rows) if not done[row]]
        if not left:
            break
        if len(left) <= KEPT * len(rows):
            cache.batch_select_indices(torch.tensor(left, device=prompts.device))
            rows, tokens = [rows[place] for place in left], [tokens[place] for place in left]
        step = embed(torch.tensor([[token] for token in tokens], device=prompts.device))
    return written


class DraftGrammar:
    """Sentence after sentence: section, finding, side, certainty, words, citations of masks that exist, end.

    Findings come before the impression; a finding without sides has none. It keeps to form alone and steers
    no choice of meaning: what must not be shown is left out afterwards (`record.kept`).
    """

    def __init__(self, processor: Processor, vocabulary: int, citable: Sequence[str]) -> None:
        self._processor = processor
        self._vocabulary = vocabulary
        self._end, self._eos = processor.id(words.END), processor.id(words.EOS)
        self._words = torch.zeros(vocabulary, dtype=torch.bool)
        self._words[processor.words.start : processor.words.stop] = True
        self._citable = {processor.id(f"<cite:{structure}>") for structure in citable}
        self._place = 0  # 0 section, 1 finding, 2 side, 3 certainty, 4 words, 5 citations
        self._written = self._sentences = 0
        self._impression = False
        self._finding = ""
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
            self._impression = value == Section.IMPRESSION
        elif self._place == 1:
            self._finding = value

    def _head(self) -> list[int]:
        options = (self._sections, self._findings, self._sides, self._certainties)[self._place]()
        return [self._processor.id(option) for option in options] + self._may_stop()

    def _may_stop(self) -> list[int]:
        return [self._eos] if self._place == 0 and self._sentences else []

    def _sections(self) -> list[str]:
        if self._sentences >= MAX_SENTENCES:
            return []
        sections = [Section.IMPRESSION] if self._impression else list(Section)
        return [f"<section:{section}>" for section in sections]

    def _findings(self) -> list[str]:
        return [f"<finding:{finding}>" for finding in (NO_FINDING, *self._processor.findings)]

    def _sides(self) -> list[str]:
        sided = self._finding in FINDINGS_BY_CODE and FINDINGS_BY_CODE[self._finding].sided
        return [f"<side:{side or NO_FINDING}>" for side in (Side if sided else [Side.NONE])]

    def _certainties(self) -> list[str]:
        return [f"<certainty:{value}>" for value in Certainty]

    def _only(self, ids: Sequence[int]) -> Tensor:
        mask = torch.zeros(self._vocabulary, dtype=torch.bool)
        mask[list(ids)] = True
        return mask
