"""Memory and speed of the published scale on one GPU, with random weights.

    python -m benchmarks.paper_scale [--preset 7b] [--device cuda] [--tokens 128] [--rank 16] [--repeats 5]

Builds the whole model on the device in bfloat16, looks at a random image with random masks, reads the prompt,
decodes by our cached loop and by transformers' `generate`, and takes LoRA steps with gradient checkpointing.
Speed does not hang on what the weights say, so random ones will do. Prints one JSON object. In it
`share_of_bandwidth` sets the bytes that one token must read (weights and cache once) against a copy within
the device's memory, timed in the same run and counted as read and written.
Needs torch and transformers, and peft for the LoRA step, which is left out without it. Django is not loaded.
"""

import argparse
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import transformers
from torch import Tensor

from inference.maira_seg import decode
from inference.maira_seg.config import PRESETS, LanguageConfig
from inference.maira_seg.model import MairaSeg, layout_for
from inference.maira_seg.processor import Processor
from inference.maira_seg.prompt import PRESENT, PromptInputs, PromptLayout
from inference.training import losses

try:
    from inference.training import lora
except ModuleNotFoundError as missing:
    if missing.name != "peft":
        raise
    lora = None  # type: ignore[assignment]

DTYPE = torch.bfloat16
COPIED_BYTES = {"cuda": 2**32, "cpu": 2**28}
"""Size of the buffer that is copied: far beyond any cache."""
WORDS = ("The lungs are clear.", "Small right pleural effusion.", "The heart is enlarged.")
NEVER = -1
"""A stop token that no model writes: every draft has the full length."""
Report = dict[str, Any]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", choices=sorted(PRESETS), default="7b")
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    parser.add_argument("--tokens", type=int, default=128, help="decoded, at least 2")
    parser.add_argument("--rank", type=int, default=16, help="of the LoRA step, 0 to leave it out")
    parser.add_argument("--repeats", type=int, default=5, help="medians are of this many")
    options = parser.parse_args(arguments)
    if options.tokens < 2 or options.repeats < 1:
        parser.error("--tokens must be at least 2 and --repeats at least 1")
    print(json.dumps(measure(options), indent=1))


def measure(options: argparse.Namespace) -> Report:
    """Everything the command prints."""
    torch.manual_seed(0)
    device = torch.device(options.device)
    config = PRESETS[options.preset]
    report = machine(device)
    with measured(report, "build", device):
        model = build(options.preset, device)
    processor = Processor.train(
        WORDS,
        vocabulary=config.language.vocabulary,
        structures=config.structures,
        findings=config.findings,
        languages=config.languages,
    )
    layout = layout_for(config, processor)
    report |= {"preset": options.preset, "dtype": str(DTYPE).removeprefix("torch.")} | sizes(model)
    report["copy_bytes_per_second"] = copy_speed(device, options.repeats)
    with measured(report, "reading", device), torch.inference_mode():
        report |= reading(model, layout, device, options)
    report["share_of_bandwidth"] = report["bytes_per_second"] / report["copy_bytes_per_second"]
    if options.rank and lora is not None:
        with measured(report, "lora", device):
            report["lora"] = lora_step(model, layout, processor, device, options)
    else:
        report["lora"] = "left out: --rank 0" if lora is not None else "left out: peft is not installed"
    return report


def machine(device: torch.device) -> Report:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    return {"device": name, "python": platform.python_version(), **versions}


@contextmanager
def measured(report: Report, part: str, device: torch.device) -> Iterator[None]:
    """Seconds and the most memory of one part; on the processor the peak is that of the process so far."""
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    start = now(device)
    yield
    report[f"{part}_seconds"] = now(device) - start
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    report[f"{part}_peak_bytes"] = torch.cuda.max_memory_allocated(device) if on_gpu else resident


def now(device: torch.device) -> float:
    """The clock, after all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def median_seconds(act: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Once to warm up, then the median of `repeats`."""
    act()
    seconds = []
    for _ in range(repeats):
        start = now(device)
        act()
        seconds.append(now(device) - start)
    return statistics.median(seconds)


def build(preset: str, device: torch.device) -> MairaSeg:
    """The model with fresh random weights, made on the device in `DTYPE`: nothing passes through the host."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(DTYPE)
    try:
        with device:
            return MairaSeg(PRESETS[preset]).eval()
    finally:
        torch.set_default_dtype(usual)


def sizes(model: MairaSeg) -> Report:
    parameters = list(model.parameters())
    return {
        "parameters": sum(p.numel() for p in parameters),
        "language_parameters": sum(p.numel() for p in model.language_model.parameters()),
        "weight_bytes": sum(p.numel() * p.element_size() for p in parameters),
    }


def copy_speed(device: torch.device, repeats: int) -> float:
    """Bytes a second of a copy within the device's memory, read and written bytes counted."""
    source = torch.randint(0, 127, (COPIED_BYTES[device.type],), dtype=torch.int8, device=device)
    target = torch.empty_like(source)
    seconds = median_seconds(lambda: target.copy_(source), device, repeats)
    return 2 * source.numel() / seconds


def reading(
    model: MairaSeg, layout: PromptLayout, device: torch.device, options: argparse.Namespace
) -> Report:
    """Encoder, prompt and decoding, under `torch.inference_mode`."""
    images, masks = random_study(model, device)
    repeats = options.repeats
    states = torch.full(masks.shape[:2], PRESENT, device=device)
    look_seconds = median_seconds(lambda: model.look(model.vision(images), masks, states), device, repeats)
    prompt = model.prompt(layout, model.look(model.vision(images), masks, states))
    llama = model.language_model
    first = median_seconds(lambda: decode.greedy(llama, prompt, stop=NEVER, limit=1), device, repeats)
    whole = median_seconds(
        lambda: decode.greedy(llama, prompt, stop=NEVER, limit=options.tokens), device, repeats
    )
    theirs = median_seconds(lambda: generated(model, prompt, options.tokens), device, repeats)
    ours = decode.greedy(llama, prompt, stop=NEVER, limit=options.tokens)
    speed = (options.tokens - 1) / (whole - first)
    token_bytes = bytes_per_token(model, prompt.shape[1], options.tokens)
    return {
        "image_tokens": layout.image_tokens,
        "prompt_tokens": prompt.shape[1],
        "encoder_seconds": look_seconds,
        "prompt_seconds": first,
        "decoded_tokens": options.tokens,
        "decode_seconds": whole,
        "tokens_per_second": speed,
        "generate_tokens_per_second": (options.tokens - 1) / (theirs - first),
        "same_tokens_as_generate": agreeing(ours, generated(model, prompt, options.tokens)),
        "bytes_per_token": token_bytes,
        "bytes_per_second": token_bytes * speed,
    }


def random_study(model: MairaSeg, device: torch.device) -> tuple[Tensor, Tensor]:
    """images (1, 1, S, S) in 0..1 and masks (1, M, S, S) in 0 and 1."""
    size = model.config.vision.image_size
    images = torch.rand(1, 1, size, size, device=device).to(DTYPE)
    masks = torch.rand(1, len(model.config.structures), size, size, device=device) < 0.1
    return images, masks.to(DTYPE)


def generated(model: MairaSeg, prompt: Tensor, tokens: int) -> list[int]:
    """What transformers' own greedy decoding writes."""
    return model.language_model.generate(  # type: ignore[misc]
        inputs_embeds=prompt,
        attention_mask=torch.ones(prompt.shape[:2], dtype=torch.long, device=prompt.device),
        do_sample=False,
        use_cache=True,
        max_new_tokens=tokens,
        min_new_tokens=tokens,
    )[0].tolist()


def agreeing(ours: list[int], theirs: list[int]) -> int:
    """How many tokens from the beginning are the same; bfloat16 leaves ties that either may break."""
    for place, (mine, their) in enumerate(zip(ours, theirs, strict=True)):
        if mine != their:
            return place
    return len(ours)


def bytes_per_token(model: MairaSeg, prompt: int, tokens: int) -> int:
    """The least that must be read to decode one more token: weights once, and the mean length of the cache.

    Of the embedding one row is read, unless it is the output layer too.
    """
    llama, shape = model.language_model, model.config.language
    weights = sum(p.numel() for p in llama.parameters())
    if not shape.tied_embeddings:
        weights -= (shape.vocabulary - 1) * shape.width
    # The first token comes from the prompt; the cache then holds prompt + 1 to prompt + tokens - 1 places.
    return (weights + cache_values(shape, prompt + tokens // 2)) * DTYPE.itemsize


def cache_values(shape: LanguageConfig, length: int) -> int:
    """Keys and values of every layer."""
    return 2 * shape.depth * shape.width * length


def lora_step(
    model: MairaSeg,
    layout: PromptLayout,
    processor: Processor,
    device: torch.device,
    options: argparse.Namespace,
) -> Report:
    """One study a step: forward, backward with checkpointed activations, AdamW on what trains."""
    with torch.inference_mode():
        images, masks = random_study(model, device)
        states = torch.full(masks.shape[:2], PRESENT, device=device)
        seen = model.look(model.vision(images), masks, states)
    # Cloned: what was made in inference mode cannot be learned from.
    inputs = PromptInputs(seen.patches.clone(), seen.pooled.clone(), seen.shrunk.clone(), seen.states.clone())
    length = min(model.config.max_report_tokens, model.config.language.positions - layout.length(images=1))
    words = torch.randint(1, model.config.language.vocabulary, (1, length), device=device)
    lora.attach(model, options.rank, processor.controls)
    model.train()
    lora.checkpoint_activations(model)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=1e-4)

    def step() -> None:
        with torch.autocast(device.type, DTYPE):
            logits = model(layout, inputs, words)
        loss = losses.report_loss(logits.float(), words, 0, processor.words, 1.0)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    seconds = median_seconds(step, device, options.repeats)
    return {
        "rank": options.rank,
        "trainable_parameters": sum(parameter.numel() for parameter in trainable),
        "sequence_tokens": layout.length(images=1) + length - 1,
        "step_seconds": seconds,
    }


if __name__ == "__main__":
    main()
