"""Processor seconds that a study of two views takes the bundle on one core, masks of both views included:

    python -m benchmarks.two_views [--bundle inference/weights/demo] [--studies 40] [--write]

Prints JSON lines: median, 95th percentile and worst, of the draft and of measuring its evidence after it, in
each language. The limit is 1.5 s for the draft.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from inference.contract import ImageInput, StudyInput, ViewPosition
from inference.maira_seg import drafter
from inference.maira_seg.drafter import MairaSegDrafter
from inference.phantom import study as phantom
from inference.training import results

COMMAND = "python -m benchmarks.two_views"
SEED = 15
SIDE = 1024
"""Pixels of the longer side, as the application keeps for a model."""
VIEWS = (ViewPosition.PA, ViewPosition.LEFT_LATERAL)


def study(index: int, language: str) -> StudyInput:
    made = phantom.generate(SEED, index, size=SIDE, views=VIEWS, with_prior=False)
    images = tuple(
        ImageInput(str(place), image.grayscale(), image.view_position)
        for place, image in enumerate(made.images)
    )
    return StudyInput(study_instance_uid=f"{SEED}.{index}", images=images, language=language)


def measure(bundle: MairaSegDrafter, language: str, studies: int) -> tuple[dict[str, list[float]], int]:
    """Processor seconds of each study (a busy machine blurs them less than the clock's) by what was done, and
    in how many studies both views were outlined. Studies without prose have no evidence to measure."""
    spent: dict[str, list[float]] = {"draft_s": [], "evidence_s": []}
    outlined = 0
    bundle.draft(study(studies, language))
    for index in range(studies):
        given = study(index, language)
        start = time.process_time()
        output = bundle.draft(given)
        drafted = time.process_time()
        spent["draft_s"].append(drafted - start)
        if output.sentences:
            bundle.explain(given, output.sentences)
            spent["evidence_s"].append(time.process_time() - drafted)
        outlined += len({mask.sop_instance_uid for mask in output.masks}) == len(VIEWS)
    return spent, outlined


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("inference/weights/demo"))
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    bundle = drafter.load(options.bundle)
    rows: list[results.Row] = []
    for language in bundle.bundle.model.config.languages:
        spent, outlined = measure(bundle, language, options.studies)
        for metric, values in spent.items():
            common = {"population": f"{language}, two views", "views": "multi", "command": COMMAND}
            told = {
                metric: values,
                metric.replace("_s", "_p95_s"): [float(np.percentile(values, 95))],
            }
            rows += [results.spread("two-views", "seg", name, part, **common) for name, part in told.items()]
            shown = {"median": float(np.median(values)), "p95": told[metric.replace("_s", "_p95_s")][0]}
            print(
                json.dumps({"language": language, "what": metric, **shown, "worst": max(values)}), flush=True
            )
        print(json.dumps({"language": language, "both_views_outlined": outlined, "of": options.studies}))
    if options.write:
        results.put(rows)


if __name__ == "__main__":
    main()
