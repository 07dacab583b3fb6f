"""The command that measures the published scale, run at demonstration size on the processor."""

import json
import subprocess
import sys

import pytest
import torch

from benchmarks import paper_scale
from inference.maira_seg.config import PRESETS
from inference.maira_seg.model import MairaSeg

FEW = ["--preset", "demo", "--device", "cpu", "--tokens", "4", "--repeats", "1", "--rank", "2"]


@pytest.fixture(autouse=True)
def small_copies(monkeypatch):
    monkeypatch.setitem(paper_scale.COPIED_BYTES, "cpu", 2**20)


def test_it_prints_one_json_object_of_what_it_measured(capsys):
    paper_scale.main(FEW)
    report = json.loads(capsys.readouterr().out)
    demo = PRESETS["demo"]
    assert report["image_tokens"] == demo.pooled_grid**2
    assert report["prompt_tokens"] == 2 + demo.pooled_grid**2 + 4 * len(demo.structures)
    assert report["weight_bytes"] == 2 * report["parameters"]
    assert report["lora"]["trainable_parameters"] < report["parameters"]
    positive = ("prompt_seconds", "tokens_per_second", "share_of_bandwidth", "reading_peak_bytes")
    assert all(report[key] > 0 for key in positive)
    assert report["lora"]["step_seconds"] > 0


def test_our_loop_and_generate_write_the_same_tokens(capsys):
    paper_scale.main(FEW)
    assert json.loads(capsys.readouterr().out)["same_tokens_as_generate"] == 4
    assert paper_scale.agreeing([5, 6, 7], [5, 9, 7]) == 1


def test_the_bytes_of_a_token_are_weights_and_cache_at_the_papers_size():
    with torch.device("meta"):
        model = MairaSeg(PRESETS["7b"])
    # Llama-7B (Touvron et al., arXiv:2302.13971, table 2): 32 layers of 4 * 4096^2 + 3 * 4096 * 11008 weights
    # and two norms of 4096, a last norm, and an output layer of 32,207 rows; of the embedding, one row.
    layer = 4 * 4096**2 + 3 * 4096 * 11008 + 2 * 4096
    weights = 32 * layer + 4096 + 32207 * 4096 + 4096
    cache = 2 * 32 * 4096 * (1519 + 64)
    assert paper_scale.bytes_per_token(model, 1519, 128) == 2 * (weights + cache)


def test_it_runs_without_peft_and_loads_neither_django_nor_the_segmenter():
    program = (
        "import sys; sys.modules['peft'] = None; from benchmarks import paper_scale;"
        "assert paper_scale.lora is None;"
        "sys.exit(', '.join({'django', 'monai', 'pydicom'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("few", [["--tokens", "1"], ["--repeats", "0"]])
def test_it_refuses_numbers_that_give_no_speed(few, capsys):
    with pytest.raises(SystemExit):
        paper_scale.main([*FEW, *few])
    assert "at least" in capsys.readouterr().err
