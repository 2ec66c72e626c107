"""A model without numbers has the shapes of a real one, and PyTorch's compiler is not imported to build it."""

import subprocess
import sys

import pytest
import torch

from model import checkpoint
from model.compute.shapes_only import shapes_only
from model.run import get_model

LOAD_ALL = """
import sys
from model.checkpoint import load, names
for name in names():
    load(name)
print("torch._dynamo" in sys.modules)
"""


@pytest.mark.parametrize("architecture", checkpoint.ARCHITECTURES)
def test_a_model_of_any_architecture_has_its_shapes_and_no_data(architecture):
    name = next(name for name in checkpoint.names() if checkpoint.architecture(name) == architecture)
    with shapes_only():
        without_data = checkpoint.ARCHITECTURES[architecture][1](checkpoint.load_card(name).config)
    assert all(parameter.is_meta for parameter in without_data.parameters())
    actual = {key: tensor.shape for key, tensor in get_model(name)[0].named_parameters()}
    assert {key: tensor.shape for key, tensor in without_data.named_parameters()} == actual


def test_after_it_models_are_initialised_again():
    with shapes_only():
        torch.nn.Embedding(50, 40)
    torch.manual_seed(0)
    assert torch.nn.Embedding(50, 40).weight.std().item() == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_no_shipped_model_takes_the_compiler_of_pytorch_with_it():
    """It is two seconds and 800 modules that nothing here needs."""
    printed = subprocess.run([sys.executable, "-c", LOAD_ALL], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "False"
