"""A place as people paste it: in quotes, as a file: address, as an address of the hub."""

import pytest
from foreign import publish, random_model

from model.checkpoint import CheckpointError
from model.importers import hub, inspect_folder
from model.importers.pasted_path import as_path, hub_name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return publish(random_model("gpt2"), tmp_path_factory.mktemp("a place") / "my model")


@pytest.mark.parametrize(
    "spelling",
    ["{}", '"{}"', "'{}'", "“{}”", " ‘{}’ ", "`{}`", "'\"{}\"'", "{}/", "file://{}", "file://localhost{}", "file:{}"],
)
def test_a_pasted_path_finds_its_folder(folder, spelling):
    assert inspect_folder(spelling.format(folder)).folder.path == folder
    assert inspect_folder(spelling.format(str(folder).replace(" ", "%20")) if "file" in spelling else folder).name


def test_a_blank_as_a_shell_writes_it_is_a_blank(folder):
    assert inspect_folder(str(folder).replace(" ", "\\ ")).folder.path == folder


def test_a_folder_whose_name_has_quotes_is_found_as_it_is_typed(tmp_path):
    publish(random_model("gpt2"), tmp_path / '"quoted"')
    assert inspect_folder(tmp_path / '"quoted"').folder.path.name == '"quoted"'
    assert as_path(f"'{tmp_path}/\"quoted\"'").endswith('"quoted"')


@pytest.mark.parametrize("place", ["https://huggingface.co/gpt2", "hf.co/a/b", "http://example.org/x", "s3://a/b"])
def test_an_address_is_no_folder_and_says_what_to_do(place):
    with pytest.raises(CheckpointError) as error:
        inspect_folder(place)
    message = str(error.value)
    assert message.startswith(f"“{place}” is a web address, not a folder") and "“Ask the Hub”" in message


@pytest.mark.parametrize("place", ["file://[/x", "'", '""', "file:", "file:///nowhere"])
def test_a_pasted_path_that_leads_nowhere_is_one_sentence(place):
    with pytest.raises(CheckpointError, match=r"is not a folder on this machine|holds no model|is a file"):
        inspect_folder(place)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://huggingface.co/distilbert/distilgpt2", "distilbert/distilgpt2"),
        ("https://huggingface.co/distilbert/distilgpt2/tree/main?x=1#y", "distilbert/distilgpt2"),
        ("huggingface.co/gpt2/", "gpt2"),
        ("http://www.hf.co/a/b/blob/main/config.json", "a/b"),
        ("'distilbert/distilgpt2'", "distilbert/distilgpt2"),
        ("gpt2", "gpt2"),
    ],
)
def test_an_address_of_the_hub_is_the_name_of_its_model(address, name):
    assert hub_name(address) == name and hub.is_name(address)


@pytest.mark.parametrize(
    "address",
    ["https://huggingface.co/datasets/a/b", "https://huggingface.co/", "https://example.org/a/b", "/home/me/x"],
)
def test_other_addresses_are_no_names(address):
    assert not hub.is_name(address)
    with pytest.raises(CheckpointError, match="is not a name on the hub; names look like gpt2"):
        hub.ask(address)
