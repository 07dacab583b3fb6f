"""Words to ids and back: a byte-level BPE trained on reports, and the control tokens of the prompt and
the draft.

A draft is written as sentences, each

    <section:findings> <finding:pleural_effusion> <side:right> <certainty:present> text...
    <cite:lung_right> <end>

so that its coded meaning and its evidence come from the same pass that writes the words.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from inference.contract import Certainty, Section, Side, SlotState

PAD, BOS, EOS, END = "<pad>", "<bos>", "<eos>", "<end>"
IMAGE, MASK, POSITION, REPORT = "<image>", "<mask>", "<pos>", "<report>"
NO_FINDING = "none"
MAX_SENTENCE_TOKENS = 64
ENGLISH = ("en",)


def control_tokens(
    structures: Sequence[str], findings: Sequence[str], languages: Sequence[str] = ENGLISH
) -> list[str]:
    """Every control token, in the order that gives them their ids. `<report>` asks for the first language."""
    return [
        PAD, BOS, EOS, END, IMAGE, MASK, POSITION, REPORT,
        *(f"<section:{section}>" for section in Section),
        *(f"<finding:{finding}>" for finding in (NO_FINDING, *findings)),
        *(f"<side:{side or 'none'}>" for side in Side),
        *(f"<certainty:{certainty}>" for certainty in Certainty),
        *(f"<state:{state}>" for state in SlotState),
        *(f"<slot:{structure}>" for structure in structures),
        *(f"<cite:{structure}>" for structure in structures),
        *(f"<report:{language}>" for language in languages[1:]),
    ]  # fmt: skip


@dataclass(frozen=True)
class CodedSentence:
    """A sentence as the model writes it: codes, words, and the structures it cites."""

    section: Section
    finding: str
    side: Side
    certainty: Certainty
    text: str
    cites: tuple[str, ...] = ()


class Processor:
    """The tokenizer and the sentence grammar around it."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        structures: Sequence[str],
        findings: Sequence[str],
        languages: Sequence[str] = ENGLISH,
    ) -> None:
        self.tokenizer = tokenizer
        self.structures = tuple(structures)
        self.findings = tuple(findings)
        self.languages = tuple(languages)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        *,
        vocabulary: int,
        structures: Sequence[str],
        findings: Sequence[str],
        languages: Sequence[str] = ENGLISH,
    ) -> "Processor":
        """A new tokenizer whose words are learned from `texts`; control tokens take the first ids."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=control_tokens(structures, findings, languages),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer, structures, findings, languages)

    @classmethod
    def around(
        cls,
        tokenizer: Tokenizer,
        structures: Sequence[str],
        findings: Sequence[str],
        languages: Sequence[str] = ENGLISH,
    ) -> "Processor":
        """Somebody else's tokenizer with our control tokens behind its own, ids and pieces of which stay. The
        tokenizer is changed."""
        named = control_tokens(structures, findings, languages)
        tokenizer.add_special_tokens([AddedToken(token, special=True) for token in named])
        return cls(tokenizer, structures, findings, languages)

    @classmethod
    def load(
        cls,
        path: Path,
        structures: Sequence[str],
        findings: Sequence[str],
        languages: Sequence[str] = ENGLISH,
    ) -> "Processor":
        return cls(Tokenizer.from_file(str(path)), structures, findings, languages)

    def save(self, path: Path) -> None:
        self.tokenizer.save(str(path))

    def id(self, token: str) -> int:
        """The id of a control token."""
        found = self.tokenizer.token_to_id(token)
        assert found is not None, f"the tokenizer has no {token}"
        return int(found)

    @cached_property
    def controls(self) -> tuple[int, ...]:
        """The ids of the control tokens."""
        named = control_tokens(self.structures, self.findings, self.languages)
        return tuple(self.id(token) for token in named)

    def report_token(self, language: str) -> int:
        """The id that ends a prompt and asks for a report in one of the languages."""
        return self.id(REPORT if language == self.languages[0] else f"<report:{language}>")

    @cached_property
    def words(self) -> range:
        """The ids of pieces of text: all that were not added to the vocabulary by name."""
        named = self.tokenizer.get_added_tokens_decoder()
        pieces = [token for token in range(self.tokenizer.get_vocab_size()) if token not in named]
        words = range(pieces[0], pieces[-1] + 1)
        assert len(words) == len(pieces), f"ids of text are scattered over {words}"
        return words

    @cached_property
    def cite_ids(self) -> dict[int, str]:
        return {self.id(f"<cite:{structure}>"): structure for structure in self.structures}

    @cached_property
    def codes(self) -> dict[int, str]:
        """Control id -> the value it stands for, of sections, findings, sides and certainties."""
        kinds = {
            "section": [str(section) for section in Section],
            "finding": [NO_FINDING, *self.findings],
            "side": [str(side) or NO_FINDING for side in Side],
            "certainty": [str(certainty) for certainty in Certainty],
        }
        pairs = itertools.chain.from_iterable(((k, v) for v in values) for k, values in kinds.items())
        return {self.id(f"<{kind}:{value}>"): value for kind, value in pairs}

    def encode(self, sentences: Sequence[CodedSentence]) -> list[int]:
        """The ids of a whole draft, ending in `<eos>`."""
        ids: list[int] = []
        for sentence in sentences:
            ids += [
                self.id(f"<section:{sentence.section}>"),
                self.id(f"<finding:{sentence.finding or NO_FINDING}>"),
                self.id(f"<side:{sentence.side or NO_FINDING}>"),
                self.id(f"<certainty:{sentence.certainty}>"),
                *self.tokenizer.encode(sentence.text, add_special_tokens=False).ids,
                *(self.id(f"<cite:{structure}>") for structure in sentence.cites),
                self.id(END),
            ]
        return [*ids, self.id(EOS)]

    def spell(self, text: str, length: int) -> list[int]:
        """The ids of plain text, cut or padded on the right to a length. Nothing in the text is taken for a
        control token."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        kept = [token for token in ids if token in self.words][:length]
        return kept + [self.id(PAD)] * (length - len(kept))

    def decode(self, ids: Sequence[int]) -> list[CodedSentence]:
        """The sentences of a draft. A last sentence cut off before `<end>` is dropped, as is a
        malformed one."""
        return [sentence for sentence, _ in self.decode_spans(ids)]

    def decode_spans(self, ids: Sequence[int]) -> list[tuple[CodedSentence, range]]:
        """What `decode` gives, each sentence with the places of its ids: from its section to before
        `<end>`."""
        end, eos = self.id(END), self.id(EOS)
        sentences = []
        start = 0
        for place, token in enumerate(ids):
            if token == eos:
                break
            if token != end:
                continue
            sentence = self._sentence(ids[start:place])
            if sentence is not None:
                sentences.append((sentence, range(start, place)))
            start = place + 1
        return sentences

    def _sentence(self, ids: Sequence[int]) -> CodedSentence | None:
        head = [self.codes.get(token, "") for token in ids[:4]]
        words = [token for token in ids[4:] if token in self.words]
        text = self.tokenizer.decode(words).strip()
        if len(head) < 4 or not all(head) or not text:
            return None
        section, finding, side, certainty = head
        cites = dict.fromkeys(self.cite_ids[token] for token in ids[4:] if token in self.cite_ids)
        return CodedSentence(
            section=Section(section),
            finding="" if finding == NO_FINDING else finding,
            side=Side("" if side == NO_FINDING else side),
            certainty=Certainty(certainty),
            text=text,
            cites=tuple(cites),
        )
