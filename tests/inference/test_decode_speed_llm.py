"""The benchmark of decoding: both loops write the same, and a loop that does not ends it."""

import json

import pytest

from benchmarks import decode_speed_llm as benchmark
from inference.maira_seg import checkpoint
from inference.training.report import outlined
from tests.inference import tiny_model


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    checkpoint.save(tiny_model.bundle(), folder)
    return folder


@pytest.fixture
def asked(bundle, monkeypatch):
    monkeypatch.setattr(outlined, "SIZE", 96)
    return benchmark.prompts(bundle, 1)


@pytest.mark.parametrize("with_grammar", [False, True])
def test_both_loops_write_the_same_tokens(asked, with_grammar):
    prompt = asked.prompts[0]
    written = benchmark.ours(asked, prompt, with_grammar=with_grammar)
    assert written == benchmark.theirs(asked, prompt, with_grammar=with_grammar)
    assert len(written) > 10
    speeds = benchmark.measure(asked, 2, with_grammar=with_grammar)
    assert {arm: len(values) for arm, values in speeds.items()} == {"ours": 2, "transformers-generate": 2}


def test_loops_that_differ_are_not_compared(asked, monkeypatch):
    monkeypatch.setitem(benchmark.ARMS, benchmark.THEIRS, lambda *_args, **_more: [1, 2])
    with pytest.raises(ValueError, match="different tokens"):
        benchmark.measure(asked, 1, with_grammar=False)


def test_a_ratio_is_ours_over_theirs_turn_by_turn():
    rows = benchmark.rows({"ours": [200.0, 300.0], "transformers-generate": [100.0, 100.0]}, "grammar")
    assert [(row["arm"], row["metric"], row["mean"]) for row in rows] == [
        ("ours", "tokens_per_s", 250),
        ("transformers-generate", "tokens_per_s", 100),
        ("ours", "ratio", 2.5),
    ]
    assert (rows[2]["low"], rows[2]["high"]) == (2, 3)


def test_the_command_writes_a_table_of_its_own(bundle, monkeypatch, tmp_path):
    monkeypatch.setattr(outlined, "SIZE", 96)
    monkeypatch.setattr(benchmark, "THREADS", (1,))
    path = tmp_path / "results.json"
    given = ["--bundle", str(bundle), "--studies", "1", "--repeats", "1", "--results", str(path), "--write"]
    benchmark.main(given)
    rows = json.loads(path.read_text())["rows"]
    assert len(rows) == 6
    assert {row["population"] for row in rows} == {
        "grammar, threads: 1",
        "no grammar, threads: 1",
    }
    assert "| median | least to greatest |" in path.with_suffix(".md").read_text()
