"""Fine-tuning: killed and resumed, ended and resumed, on two processes, with LoRA; and what it refuses."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState, GradientState
from safetensors.torch import load_file

from inference.maira_seg import checkpoint
from inference.maira_seg.checkpoint import MAIRA_SEG
from inference.training import checkpoints, finetune, records, start
from tests.inference import tiny_model

ROOT = Path(__file__).resolve().parents[2]
STUDIES, STEPS = 8, 6
KILLED_AT_STEP = """
import os, signal
from inference.training import finetune
whole = finetune.one_step
def killed(run, step):
    if step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(run, step)
finetune.one_step = killed
"""
KILLED_WHILE_SAVING = """
import os, signal
from inference.training import checkpoints, finetune
def killed(folder):
    os.kill(os.getpid(), signal.SIGKILL)
checkpoints._flush = killed
"""


@pytest.fixture(autouse=True)
def a_fresh_accelerator():
    """accelerate keeps its state for the life of a process."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A bundle to start from, and the phantoms."""
    made = tmp_path_factory.mktemp("finetune")
    checkpoint.save(tiny_model.bundle(), made / "start")
    records.phantoms(made / "cache", finetune.SEED_PHANTOMS, STUDIES, size=64, processes=1)
    return made


@pytest.fixture(scope="module")
def uninterrupted(folder) -> list[dict]:
    """The losses of a run nobody disturbed."""
    finetune.main(words(folder, "whole"))
    AcceleratorState._reset_state(reset_partial_state=True)
    return history(folder / "whole")


def words(folder: Path, out: str, *more: object) -> list[str]:
    """The command line of a small run into a folder of this name."""
    fixed = {
        "--from": folder / "start", "--out": folder / out, "--cache": folder / "cache", "--studies": STUDIES,
        "--steps": STEPS, "--batch": 4, "--save-every": 2, "--rate": 0.01, "--threads": 1, "--device": "cpu",
    }  # fmt: skip
    return [str(word) for pair in fixed.items() for word in pair] + [str(word) for word in more]


def history(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "checkpoints" / "losses.jsonl").read_text().splitlines()]


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / MAIRA_SEG)


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def in_another_process(program: str, line: list[str]) -> int:
    """Runs the program, then the command; returns how it ended."""
    whole = f"import sys\n{program}\nfinetune.main(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", whole, *line], cwd=ROOT, check=False).returncode


# A run and what it leaves


def test_it_trains_all_but_the_encoder_and_leaves_a_bundle(folder, uninterrupted):
    assert [line["step"] for line in uninterrupted] == list(range(1, STEPS + 1))
    assert uninterrupted[-1]["loss"] < uninterrupted[0]["loss"]
    left = checkpoint.load(folder / "whole" / "bundle")
    assert left.about["finetuned"]["steps"] == STEPS
    assert left.about["purpose"] == "test"
    moved = changed(weights(folder / "start"), weights(folder / "whole" / "bundle"))
    assert {name.split(".")[0] for name in moved} == {"projector", "extractor", "slots", "language_model"}
    same = ("segmenter.safetensors", "applicability.safetensors", "tokenizer.json")
    for name in same:
        assert (folder / "whole/bundle" / name).read_bytes() == (folder / "start" / name).read_bytes()


def test_it_keeps_the_last_two_checkpoints(folder, uninterrupted):
    kept = sorted(path.name for path in (folder / "whole" / "checkpoints").glob("step-*"))
    assert kept == ["step-00000004", "step-00000006"]


def test_progress_is_one_json_object_a_line(folder, capsys):
    finetune.main(words(folder, "told"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["run"] for line in lines} == {"finetune"}
    assert [line["checkpoint"] for line in lines if line["step"] in (2, 4, 6)] == [2, 4, 6]
    assert lines[-1]["share"] == 1.0


def test_a_training_folder_will_do_in_place_of_a_bundle(folder, monkeypatch):
    monkeypatch.setitem(start.PRESETS, "demo", tiny_model.CONFIG)
    trained = folder / "trained"
    trained.mkdir()
    for name in (MAIRA_SEG, "segmenter.safetensors", "tokenizer.json"):
        shutil.copy(folder / "start" / name, trained)
    settings = tiny_model.bundle().segmenter.config.to_dict()
    (trained / "segmenter.json").write_text(json.dumps(settings))
    finetune.main(words(folder, "from-trained", "--from", trained, "--steps", 1))
    left = start.load(folder / "from-trained" / "bundle", "demo")
    assert left.bundle is None
    assert left.segmenter is not None
    assert changed(weights(trained), weights(left.folder))


# Interruptions


def test_a_run_killed_twice_and_resumed_gives_the_losses_and_weights_of_one_that_was_not(
    folder, uninterrupted, capsys
):
    out = folder / "killed"
    assert in_another_process(KILLED_AT_STEP, words(folder, "killed")) == -signal.SIGKILL
    assert [line["step"] for line in history(out)] == [1, 2, 3]
    line = words(folder, "killed", "--resume")
    assert in_another_process(KILLED_WHILE_SAVING, line) == -signal.SIGKILL
    left = {path.name for path in (out / "checkpoints").glob("step-*")}
    assert left == {"step-00000002", "step-00000004.part"}
    finetune.main(line)
    assert history(out) == uninterrupted
    assert not changed(weights(folder / "whole" / "bundle"), weights(out / "bundle"))
    assert not list((out / "checkpoints").glob("*.part"))
    steps = [json.loads(printed)["step"] for printed in capsys.readouterr().out.splitlines()]
    assert min(steps) == 3


def test_sigterm_finishes_the_step_and_leaves_a_checkpoint(folder, uninterrupted, monkeypatch):
    whole = finetune.one_step

    def terminated(run, step):
        if step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return whole(run, step)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(finetune, "one_step", terminated)
    with pytest.raises(SystemExit) as ended:
        finetune.main(words(folder, "ended"))
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    out = folder / "ended"
    assert [path.name for path in sorted((out / "checkpoints").glob("step-*"))][-1] == "step-00000003"
    assert not (out / "bundle").exists()
    monkeypatch.setattr(finetune, "one_step", whole)
    finetune.main(words(folder, "ended", "--resume"))
    assert history(out) == uninterrupted


def test_resume_begins_where_there_is_no_checkpoint_yet(folder, uninterrupted):
    left = folder / "begun" / "checkpoints"
    (left / "step-00000002.part").mkdir(parents=True)
    (left / "losses.jsonl").write_text('{"step": 1, "lo')
    finetune.main(words(folder, "begun", "--resume"))
    assert history(folder / "begun") == uninterrupted


def test_a_run_killed_while_its_bundle_was_written_only_writes_the_bundle(folder, uninterrupted, monkeypatch):
    out = folder / "unwritten"
    shutil.copytree(folder / "whole", out)
    shutil.rmtree(out / "bundle")
    (out / "bundle.part").mkdir()
    monkeypatch.setattr(finetune, "one_step", None)
    finetune.main(words(folder, "unwritten", "--resume"))
    assert not changed(weights(folder / "whole" / "bundle"), weights(out / "bundle"))
    assert history(out) == uninterrupted


# Several processes, several parts


def test_two_processes_with_half_the_batch_each_give_the_losses_of_one(folder, uninterrupted):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = ["-m", "accelerate.commands.launch", "--config_file", "deploy/accelerate/ddp.yaml"]
    launch += ["--num_processes", "2", "--main_process_ip", "127.0.0.1", "--main_process_port", str(port)]
    done = subprocess.run(
        [sys.executable, *launch, "-m", "inference.training.finetune", *words(folder, "two")],
        cwd=ROOT,
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(printed) == len({line["step"] for line in printed}), "only the main process reports"
    out = folder / "two"
    assert (out / "checkpoints/step-00000004/random_states_1.pkl").is_file(), "two processes were there"
    assert_close(history(out), uninterrupted)
    # One process goes on from a checkpoint of two.
    shutil.rmtree(out / "checkpoints" / "step-00000006")
    finetune.main(words(folder, "two", "--resume"))
    assert_close(history(out), uninterrupted)


def test_parts_one_after_the_other_give_the_losses_of_the_whole_batch(folder, uninterrupted):
    finetune.main(words(folder, "parts", "--accumulate", 4))
    assert_close(history(folder / "parts"), uninterrupted)


def assert_close(one: list[dict], other: list[dict]) -> None:
    assert [line["step"] for line in one] == [line["step"] for line in other]
    assert [line["rate"] for line in one] == [line["rate"] for line in other]
    for mine, theirs in zip(one, other, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], abs=1e-5)


# LoRA and precision


def test_lora_changes_projections_control_tokens_and_what_stands_before_the_llama(folder):
    finetune.main(words(folder, "lora", "--lora", 2))
    before, after = weights(folder / "start"), weights(folder / "lora" / "bundle")
    embedding = "language_model.model.embed_tokens.weight"
    llama = {name for name in changed(before, after) if name.startswith("language_model.")}
    layers = range(tiny_model.CONFIG.language.depth)
    parts = [f"self_attn.{name}_proj" for name in "qkvo"] + [f"mlp.{n}_proj" for n in ("gate", "up", "down")]
    expected = {f"language_model.model.layers.{i}.{part}.weight" for i in layers for part in parts}
    assert llama == expected | {embedding}
    rows = (before[embedding] != after[embedding]).any(dim=1).nonzero().flatten()
    assert int(rows.max()) < tiny_model.processor().words.start
    others = {name.split(".")[0] for name in changed(before, after)}
    assert others == {"projector", "extractor", "slots", "language_model"}
    kept = load_file(folder / "lora" / "checkpoints" / "step-00000006" / checkpoints.TRAINED)
    assert not [name for name in kept if "base_layer" in name], "weights that don't train are not kept"


def test_lora_goes_on_from_its_checkpoint(folder):
    finetune.main(words(folder, "lora-whole", "--lora", 2))
    out = folder / "lora-resumed"
    shutil.copytree(folder / "lora-whole", out)
    shutil.rmtree(out / "checkpoints" / "step-00000006")
    finetune.main(words(folder, "lora-resumed", "--lora", 2, "--resume"))
    assert history(out) == history(folder / "lora-whole")
    assert not changed(weights(folder / "lora-whole" / "bundle"), weights(out / "bundle"))


def test_mixed_precision_keeps_what_trains_in_single_precision(folder):
    more = ("--precision", "bf16", "--lora", 2, "--gradient-checkpointing")
    finetune.main(words(folder, "half", *more))
    kept = load_file(folder / "half" / "checkpoints" / "step-00000006" / checkpoints.TRAINED)
    assert {tensor.dtype for tensor in kept.values()} == {torch.float32}
    left = weights(folder / "half" / "bundle")
    assert {tensor.dtype for tensor in left.values()} == {torch.float32}
    norm = "language_model.model.norm.weight"
    assert torch.equal(left[norm], weights(folder / "start")[norm].bfloat16().float())
    losses_of_run = [line["loss"] for line in history(folder / "half")]
    assert losses_of_run[-1] < losses_of_run[0]


# What it refuses


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--batch", 5, "--accumulate", 2), "--batch 5 can't be divided among 1 processes in 2 parts"),
        (("--steps", 0), "--steps must be at least 1"),
        (("--save-every", 0), "--save-every must be at least 1"),
        (("--lora", -1), "--lora and --seed can't be negative"),
        (("--rate", 0), "--rate must be above 0"),
        (("--precision", "fp8"), "invalid choice: 'fp8'"),
        (("--masks", "none"), "invalid Masks value: 'none'"),
    ],
)
def test_it_refuses_options_that_make_no_sense(folder, capsys, more, said):
    with pytest.raises(SystemExit) as ended:
        finetune.main(words(folder, "refused", *more))
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not (folder / "refused").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_it_refuses_a_gpu_that_is_not_there(folder, capsys):
    with pytest.raises(SystemExit):
        finetune.main(words(folder, "refused", "--device", "cuda"))
    assert "torch sees no GPU" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda p: shutil.rmtree(p), "holds no config.json"),
        (lambda p: (p / "config.json").unlink() or (p / "tokenizer.json").unlink(), "no tokenizer.json"),
        (lambda p: (p / MAIRA_SEG).write_bytes(b"not weights"), "spoiled"),
    ],
)
def test_it_refuses_a_start_that_is_no_model(folder, tmp_path, spoil, said):
    spoiled = tmp_path / "spoiled"
    shutil.copytree(folder / "start", spoiled)
    spoil(spoiled)
    with pytest.raises(SystemExit, match=said):
        finetune.main(words(folder, "refused", "--from", spoiled))


def test_it_refuses_the_segmenters_masks_where_there_is_none(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(start.PRESETS, "demo", tiny_model.CONFIG)
    for name in (MAIRA_SEG, "tokenizer.json"):
        shutil.copy(folder / "start" / name, tmp_path)
    with pytest.raises(SystemExit, match="has no segmenter: --masks true"):
        finetune.main(words(folder, "refused", "--from", tmp_path))


def test_it_refuses_to_start_anew_where_a_run_is(folder, uninterrupted):
    with pytest.raises(SystemExit, match="holds a run: --resume goes on with it"):
        finetune.main(words(folder, "whole"))
    assert history(folder / "whole") == uninterrupted


def test_it_refuses_to_go_on_with_other_settings(folder, uninterrupted):
    with pytest.raises(SystemExit, match="belongs to a run with batch 4, seed 0: give the same"):
        finetune.main(words(folder, "whole", "--resume", "--seed", 1, "--batch", 2))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("state.json", None, "state.json is missing or not as written"),
        ("state.json", b"{}", "state.json is missing or not as written"),
        (checkpoints.TRAINED, None, "trained.safetensors is missing or cut short"),
        ("optimizer.bin", b"PK", "optimizer.bin is missing or cut short"),
    ],
)
def test_it_refuses_a_broken_checkpoint_and_says_what_to_do(folder, uninterrupted, name, content, said):
    out = folder / "broken"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder / "whole", out)
    last = out / "checkpoints" / "step-00000006"
    (last / name).unlink()
    if content is not None:
        (last / name).write_bytes(content)
    with pytest.raises(SystemExit, match=said) as ended:
        finetune.main(words(folder, "broken", "--resume"))
    assert str(last) in str(ended.value)
    assert "Delete this folder to go on from the checkpoint before it" in str(ended.value)


@pytest.mark.parametrize("name", [checkpoints.TRAINED, "optimizer.bin"])
def test_it_refuses_a_checkpoint_whose_bytes_were_changed(folder, uninterrupted, name):
    out = folder / "changed"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder / "whole", out)
    path = out / "checkpoints" / "step-00000006" / name
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(SystemExit, match="Delete this folder"):
        finetune.main(words(folder, "changed", "--resume"))
