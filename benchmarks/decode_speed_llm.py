"""Tokens a second of a draft: our cached loop beside `transformers.generate` on the same weights and prompts.

    python -m benchmarks.decode_speed_llm [--bundle FOLDER] [--studies 4] [--repeats 5] [--write]

Each prompt (a held-out phantom's) is decoded by both, turn by turn in one run, prefill included, without and
with the draft's grammar (theirs as a logits processor), on one thread and on two. Both must give the same
tokens, else the run ends. A ratio is our speed over theirs of the same turn: above 1 we are faster.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from inference.contract import StudyInput, bundle_digest
from inference.maira_seg import checkpoint, decode, drafter
from inference.maira_seg import processor as words
from inference.maira_seg.prompt import PromptInputs
from inference.training import records, results
from inference.training.report import outlined

COMMAND = "python -m benchmarks.decode_speed_llm"
OURS, THEIRS = "ours", "transformers-generate"
THREADS = (1, 2)


@dataclass(frozen=True)
class Prompt:
    """One study's prompt, (1, P, H) embedded, and the structures its draft may cite."""

    embedded: Tensor
    citable: tuple[str, ...]


class Asked(drafter.MairaSegDrafter):
    """A drafter that keeps its prompts and writes nothing."""

    def __init__(self, bundle: checkpoint.Bundle, digest: str) -> None:
        super().__init__(bundle, digest)
        self.prompts: list[Prompt] = []

    def tokens(self, inputs: PromptInputs, citable: tuple[str, ...]) -> list[int]:
        self.prompts.append(Prompt(self.bundle.model.prompt(self.layout, inputs), citable))
        return []

    def grammar(self, prompt: Prompt) -> decode.DraftGrammar:
        vocabulary = self.bundle.model.config.language.vocabulary
        return decode.DraftGrammar(self.bundle.processor, vocabulary, prompt.citable)


class Allowed(LogitsProcessor):
    """A grammar as transformers wants it."""

    def __init__(self, grammar: decode.Grammar) -> None:
        self.grammar = grammar

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if input_ids.shape[1]:  # none at first: the prompt is embedded
            self.grammar.take(int(input_ids[0, -1]))
        return scores.masked_fill(~self.grammar.allowed(), -torch.inf)


def ours(asked: Asked, prompt: Prompt, *, with_grammar: bool) -> list[int]:
    return decode.greedy(
        asked.bundle.model.language_model,
        prompt.embedded,
        stop=asked.bundle.processor.id(words.EOS),
        limit=asked.bundle.model.config.max_report_tokens,
        grammar=asked.grammar(prompt) if with_grammar else None,
    )


def theirs(asked: Asked, prompt: Prompt, *, with_grammar: bool) -> list[int]:
    wanted = GenerationConfig(
        do_sample=False,
        max_new_tokens=asked.bundle.model.config.max_report_tokens,
        eos_token_id=asked.bundle.processor.id(words.EOS),
        pad_token_id=asked.bundle.processor.id(words.PAD),
    )
    found = asked.bundle.model.language_model.generate(  # type: ignore[misc]
        inputs_embeds=prompt.embedded,
        attention_mask=torch.ones(prompt.embedded.shape[:2], dtype=torch.long),
        generation_config=wanted,
        logits_processor=LogitsProcessorList([Allowed(asked.grammar(prompt))] if with_grammar else []),
    )
    return found[0].tolist()


ARMS: dict[str, Callable[..., list[int]]] = {OURS: ours, THEIRS: theirs}


def measure(asked: Asked, repeats: int, *, with_grammar: bool) -> dict[str, list[float]]:
    """Tokens a second of every turn, by arm.

    Raises
    ------
    ValueError
        When the two do not give the same tokens.
    """
    speeds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for number, prompt in enumerate(asked.prompts):
        expected = {arm: write(asked, prompt, with_grammar=with_grammar) for arm, write in ARMS.items()}
        if expected[OURS] != expected[THEIRS]:
            raise ValueError(f"prompt {number}: the two loops give different tokens")
        for _turn in range(repeats):
            for arm, write in ARMS.items():
                start = time.perf_counter()
                tokens = write(asked, prompt, with_grammar=with_grammar)
                speeds[arm].append(len(tokens) / (time.perf_counter() - start))
                assert tokens == expected[arm], f"prompt {number}: {arm} does not repeat itself"
    return speeds


def rows(speeds: dict[str, list[float]], population: str) -> list[results.Row]:
    common = {"population": population, "command": COMMAND}
    ratios = [mine / other for mine, other in zip(speeds[OURS], speeds[THEIRS], strict=True)]
    return [
        *(
            results.spread("decode-speed-llm", arm, "tokens_per_s", values, **common)
            for arm, values in speeds.items()
        ),
        results.spread("decode-speed-llm", OURS, "ratio", ratios, **common),
    ]


def prompts(bundle: Path, studies: int) -> Asked:
    """The drafter with the prompts of the first held-out phantoms that lie inside its domain."""
    asked = Asked(checkpoint.load(bundle), bundle_digest(bundle))
    for index in range(studies):
        image = records.image_input(outlined.held_out(index))
        asked.draft(StudyInput(image.sop_instance_uid, (image,)))
    if not asked.prompts:
        raise ValueError(f"none of {studies} phantoms lies inside the draft's domain")
    return asked


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, default=Path("inference/weights/demo"))
    parser.add_argument("--studies", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args(arguments)
    asked = prompts(options.bundle, options.studies)
    found = []
    before = torch.get_num_threads()
    for threads in THREADS:
        torch.set_num_threads(threads)
        for with_grammar in (False, True):
            population = f"{'grammar' if with_grammar else 'no grammar'}, threads: {threads}"
            found += rows(measure(asked, options.repeats, with_grammar=with_grammar), population)
            print(
                json.dumps({row["arm"] + " " + row["metric"]: row["mean"] for row in found[-3:]}), flush=True
            )
    torch.set_num_threads(before)
    if options.write:
        results.put(found, options.results, bundle=asked.digest)


if __name__ == "__main__":
    main()
