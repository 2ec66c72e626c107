"""Where the arithmetic runs."""

import pytest
import torch

from model.compute.device import VARIABLE, choose_device, describe, keep_freed_memory


def test_the_variable_decides(device, monkeypatch):
    monkeypatch.setenv(VARIABLE, device.type)
    assert choose_device().type == device.type


def test_without_it_the_best_device_present_is_taken(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device().type == best
    monkeypatch.setenv(VARIABLE, "")
    assert choose_device().type == best


def test_cuda_comes_before_mps_and_mps_before_the_cpu(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device().type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device().type == "cuda"


@pytest.mark.parametrize("name", ["toaster", "cuda:99", "meta", "; rm -rf /"])
def test_a_device_that_is_not_there_is_refused_by_name(monkeypatch, name):
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(ValueError, match=f'{VARIABLE} asks for "{name}", which this machine does not have'):
        choose_device()


def test_a_device_is_described_in_words_a_person_can_read(device):
    words = describe(device)
    assert words
    if device.type == "cpu":
        assert words == "CPU"


def test_keeping_freed_memory_can_be_asked_for_anywhere_and_twice():
    keep_freed_memory()
    keep_freed_memory()
