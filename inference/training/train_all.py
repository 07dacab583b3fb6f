"""Everything, in order, into one bundle: `python -m inference.training.train_all --out
inference/weights/demo`.

Segmenter, its thresholds, encoder, language model, domains, confidence, segmenter of lateral views. What the
first three leave stays in `--work`, where `--resume` finds it. `evaluate` and `evidence` measure the bundle
afterwards; its card is written by hand.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

from inference.maira_seg.checkpoint import MAIRA_SEG, TOKENIZER, Bundle, load_weights, save
from inference.maira_seg.confidence import RAW, Confidence
from inference.maira_seg.config import PRESETS
from inference.maira_seg.drafter import MairaSegDrafter
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
from inference.training import calibrate, confidence, lateral, radiographs, records
from inference.training import train_encoder as encoder
from inference.training import train_maira_seg as maira_seg
from inference.training import train_segmenter as segmenter

CALIBRATION_STUDIES = 400
UPRIGHT_STUDIES = 150
DENIAL_STUDIES = 200
SHARES = {"segmenter": 0.36, "encoder": 0.24, "maira_seg": 0.25, "lateral": 0.15}
"""How a time limit is divided."""
STEPS = ("segmenter", "encoder", "maira_seg", "bundle", "lateral")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--work", type=Path, default=Path("var/training/run"))
    parser.add_argument("--cache", type=Path, default=Path("var/training"))
    parser.add_argument("--real", type=Path, default=None, help="folder of real radiographs with lung masks")
    parser.add_argument("--minutes", type=float, default=55, help="for all training together")
    parser.add_argument("--studies", type=int, default=4000, help="phantoms per population")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="that render phantoms and write reports")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--batch", type=int, default=0, help="of every part; 0 for each part's own")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--only", nargs="*", choices=STEPS, default=STEPS)
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    into = ["--bundle", str(options.out)]
    steps = {
        "segmenter": lambda: _segmenter(options),
        "encoder": lambda: encoder.main(_arguments(options, "encoder")),
        "maira_seg": lambda: maira_seg.main(_arguments(options, "maira_seg")),
        "bundle": lambda: assemble(options),
        "lateral": lambda: lateral.main([*_arguments(options, "lateral", options.out), *into]),
    }
    for name, run in steps.items():
        if name in options.only:
            run()


def _arguments(options: argparse.Namespace, part: str, out: Path | None = None) -> list[str]:
    shared = ["--out", out or options.work, "--cache", options.cache, "--studies", options.studies]
    shared += ["--seed", options.seed, "--threads", options.threads, "--steps", 10**6]
    shared += ["--processes", options.processes, "--device", options.device]
    shared += ["--batch", options.batch] if options.batch else []
    shared += ["--minutes", options.minutes * SHARES[part]]
    return [str(word) for word in shared] + (["--resume"] if options.resume else [])


def _segmenter(options: argparse.Namespace) -> None:
    real = ["--real", str(options.real)] if options.real else []
    segmenter.main(_arguments(options, "segmenter") + real)
    trained = maira_seg.load_segmenter(options.work)
    held_out = _held_out(options).to(options.device)
    trained.network.to(options.device)
    config = calibrate.thresholds(trained, held_out)
    (options.work / "segmenter.json").write_text(json.dumps(config.to_dict()) + "\n")


def _held_out(options: argparse.Namespace) -> records.Phantoms:
    return records.phantoms(
        options.cache, calibrate.SEED_PHANTOMS, CALIBRATION_STUDIES, processes=options.processes
    )


def assemble(options: argparse.Namespace) -> None:
    """Fit the domains and the confidence, and write the bundle's weights, configuration and tokenizer."""
    torch.set_num_threads(options.threads)
    generator = torch.Generator().manual_seed(options.seed)
    config = PRESETS["demo"]
    trained = maira_seg.load_segmenter(options.work)
    model = MairaSeg(config)
    load_weights(model, options.work / MAIRA_SEG)
    trained.network.to(options.device)
    model.vision.to(options.device)
    held_out = _held_out(options)
    described = calibrate.phantom_descriptors(model.vision, trained, held_out)
    real = squares = None
    if options.real:
        kept = [r for r in radiographs.read(options.real) if not r.held_out]
        squares = radiographs.squares(kept, trained.config.image_size)
        real = (calibrate.real_descriptors(trained, squares, generator), [r.patient for r in kept])
    some = held_out.images(torch.arange(UPRIGHT_STUDIES))
    upright = calibrate.upright(model.vision, some, squares, generator)
    population = torch.load(options.work / "descriptors.pt", weights_only=True)
    likeness = None
    if squares is not None:
        likeness = calibrate.phantom_like(model.vision, population["draft"].float(), squares, generator)
    trained.network.cpu()
    told = config.structures, config.findings, config.languages
    processor = Processor.load(options.work / TOKENIZER, *told)
    bundle = Bundle(
        segmenter=trained,
        model=model.cpu().eval(),
        processor=processor,
        domains=calibrate.domains(population, described, real),
        upright=upright,
        phantom_like=likeness,
        about={
            "purpose": "demonstration, not for clinical use",
            "trained_on": {"phantoms": options.studies, "real_lungs": bool(options.real)},
            "languages": list(config.languages),
        },
    )
    save(measured(bundle), options.out)


def measured(bundle: Bundle) -> Bundle:
    """With what only its own drafts can tell: which findings it may not deny, and its confidence."""
    silent = calibrate.not_denied(MairaSegDrafter(bundle, "calibration"), DENIAL_STUDIES)
    bundle.model.config = replace(bundle.model.config, not_denied=silent)
    return replace(bundle, confidence=_confidence(bundle))


def _confidence(bundle: Bundle) -> Confidence | None:
    """None of a bundle trained so little that it only states or only denies."""
    loaded = MairaSegDrafter(replace(bundle, confidence=RAW), "calibration")
    said = confidence.said(loaded, calibrate.SEED_PHANTOMS, DENIAL_STUDIES)
    return confidence.fit(said) if len({one.stated for one in said}) == 2 else None


if __name__ == "__main__":
    main()
