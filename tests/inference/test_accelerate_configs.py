"""The configurations for `accelerate launch`, read as accelerate reads them."""

from pathlib import Path

import pytest
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser

from tests.inference import tiny_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["ddp", "fsdp"])
def test_the_configurations_name_only_options_accelerate_knows(name):
    path = ROOT / "deploy" / "accelerate" / f"{name}.yaml"
    read = load_config_from_file(str(path))
    assert read.distributed_type.value == {"ddp": "MULTI_GPU", "fsdp": "FSDP"}[name]
    known = {action.dest for action in launch_command_parser()._actions}
    assert set(yaml.safe_load(path.read_text()).get("fsdp_config", {})) <= known


def test_the_layers_that_are_sharded_are_the_models():
    path = ROOT / "deploy" / "accelerate" / "fsdp.yaml"
    named = yaml.safe_load(path.read_text())["fsdp_config"]["fsdp_transformer_layer_cls_to_wrap"]
    layers = [part for part in tiny_model.model().modules() if type(part).__name__ == named]
    assert len(layers) == tiny_model.CONFIG.language.depth
