"""Folders that somebody made to stall, fill or read the lab: each is refused in one sentence, at a bounded cost."""

import base64
import json
import os
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace as replace_fields
from pathlib import Path

import pytest
from foreign import MARKS, WORDS, edit, publish, random_model

from model.checkpoint import CheckpointError
from model.importers import bounded_read
from model.importers.child import guarded, parent
from model.importers.child.parent import MEGABYTE, Limits

SMALL = Limits(memory=500 * MEGABYTE, seconds=15.0, wall=200.0)
SHORT = Limits(memory=500 * MEGABYTE, seconds=2.0, wall=200.0)  # for what must reach its limit of time
GROWN = 150 * MEGABYTE  # that this process, which plays the server, may take for one folder
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"


@pytest.fixture(scope="module")
def sound():
    return {name: random_model(name) for name in ("gpt2", "bert")}


@pytest.fixture
def gpt2(sound, tmp_path):
    return publish(sound["gpt2"], tmp_path / "gpt2")


@pytest.fixture
def bert(sound, tmp_path):
    return publish(sound["bert"], tmp_path / "bert")


@pytest.fixture
def old_bert(bert):
    """One whose tokenizer is a vocab.txt."""
    (bert / TOKENIZER).unlink()
    (bert / "vocab.txt").write_text("\n".join([*MARKS, *WORDS]) + "\n", encoding="utf-8")
    return bert


@pytest.fixture
def children(monkeypatch):
    """The children that somebody has taken in this test."""
    children_taken, take = [], parent.taken

    def taken():
        children_taken.append(take())
        return children_taken[-1]

    monkeypatch.setattr(parent, "taken", taken)
    monkeypatch.setattr(guarded, "taken", taken)
    return children_taken


def anonymous():
    """Bytes of memory that this process has for itself."""
    return parent._memory(os.getpid())


def refused(folder, *words, most_seconds=120.0, limits=SMALL):
    """The folder ends in one sentence that holds one of these words, and costs the server next to nothing."""
    before, began = anonymous(), time.monotonic()
    with pytest.raises(CheckpointError) as error:
        offer = guarded.inspect_folder(str(folder), limits=limits)
        if limits is SHORT:  # the child will be ended: meanwhile the next one starts
            threading.Timer(0.2, parent.warm).start()
        if offer.config is None:
            guarded.load(offer, lambda share: None)
        else:
            guarded.check(offer, lambda share: None, limits)
    message = str(error.value)
    assert message.endswith(".") and "\n" not in message and "Traceback" not in message and len(message) < 400, message
    assert not words or any(word in message for word in words), message
    assert anonymous() - before < GROWN
    assert time.monotonic() - began < most_seconds


def change(folder, **parts):
    edit(folder / TOKENIZER, **parts)


def tokenizer_settings(folder):
    return json.loads((folder / TOKENIZER).read_text(encoding="utf-8"))


def test_a_sound_folder_is_not_refused(gpt2, bert, old_bert, outcome):
    limits = replace_fields(SHORT, seconds=20.0)  # a busy machine takes twice the time of a processor
    for folder in (gpt2, old_bert):
        guarded.check(guarded.inspect_folder(str(folder), limits=limits), lambda share: None, limits)
    outcome("loaded as before", 2)


# A tokenizer that grows


def replace(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}


TENFOLD = [replace({"String": letter}, other * 10) for letter, other in zip("abcdefghi", "bcdefghij", strict=True)]
GROWING = {
    "nine that each grow it tenfold": {"normalizer": {"type": "Sequence", "normalizers": TENFOLD}},
    "nine inside one another": {"normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Sequence", "normalizers": TENFOLD[:5]}, {"type": "Sequence", "normalizers": TENFOLD[5:]}]}},
    "nine that grow every letter": {"normalizer": {"type": "Sequence", "normalizers": [
        replace({"Regex": "."}, "aaaaaaaaaa")] * 9}},
    "a pattern that matches nothing": {"normalizer": replace({"Regex": "x*"}, "y" * 5000)},
    "a long text before it": {"normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "x" * 100}] * 9}},
    "a table that writes a book": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(
        struct.pack("<I", 4) + bytes(4) + b"x" * 10**6 + b"\0").decode()}},
    "a table that is none": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "€"}},
    "blanks that become books": {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁" * 9000}},
    "a decoder that grows it tenfold, nine times": {"decoder": {"type": "Sequence", "decoders": TENFOLD}},
    "a hundred normalizers of Unicode": {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKD"}] * 100}},
}  # fmt: skip


@pytest.mark.parametrize("how", GROWING)
def test_a_tokenizer_that_makes_a_text_grow(gpt2, how, outcome):
    change(gpt2, **GROWING[how])
    refused(gpt2, "times longer", "base64")
    outcome("refused in a sentence")


def test_what_grows_tenfold_nine_times_ends_a_process_that_reads_it(outcome):
    """The attack is real: the library ends the process where its memory runs out."""
    saved = {"version": "1.0", "added_tokens": [], "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}
    saved |= GROWING["nine that each grow it tenfold"]
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "from tokenizers import Tokenizer; Tokenizer.from_str(sys.argv[1]).encode('a' * 100)"
    )
    done = subprocess.run([sys.executable, "-c", code, json.dumps(saved)], capture_output=True, check=False)
    assert done.returncode < 0
    outcome("ends a process without these bounds")


# Ids


IDS = [4 * 10**9, 2**32 - 1, 2**63, 10**40, -1, -(10**9), 2.5, True, "7", None]


@pytest.mark.parametrize("index", IDS)
def test_an_id_of_a_piece_that_none_can_have(gpt2, index, outcome):
    model = tokenizer_settings(gpt2)["model"]
    model["vocab"]["zzz"] = index
    change(gpt2, model=model)
    refused(gpt2)
    outcome("refused in a sentence")


@pytest.mark.parametrize("index", IDS)
def test_an_id_of_an_added_token_that_none_can_have(gpt2, index, outcome):
    tokens = tokenizer_settings(gpt2)["added_tokens"]
    change(gpt2, added_tokens=[*tokens, tokens[0] | {"content": "zzz", "id": index}])
    refused(gpt2)
    outcome("refused in a sentence")


@pytest.mark.parametrize("index", IDS[:6])
def test_an_id_in_the_settings_that_none_can_have(old_bert, index, outcome):
    (old_bert / "added_tokens.json").write_text(json.dumps({"zzz": index}))
    refused(old_bert, "id")
    outcome("refused in a sentence")


# What is put around a text


def template(single, special):
    return {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": special}


TEXT, MARK = {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[CLS]", "type_id": 0}}
SPECIAL = {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}
MANY = {"[CLS]": {"id": "[CLS]", "ids": [2] * 100_000, "tokens": ["[CLS]"] * 100_000}}
FAR = {"[CLS]": {"id": "[CLS]", "ids": [4 * 10**9], "tokens": ["[CLS]"]}}
AROUND = {
    "a mark a hundred thousand times": template([TEXT, *[MARK] * 100_000], SPECIAL),
    "a mark of a hundred thousand ids": template([TEXT, MARK], MANY),
    "the text twice": template([TEXT, TEXT], SPECIAL),
    "the text twice, twenty times over": {"type": "Sequence", "processors": [template([TEXT, TEXT], SPECIAL)] * 20},
    "a mark far beyond the vocabulary": template([TEXT, MARK], FAR),
    "a mark just beyond it": {"type": "BertProcessing", "sep": ["[SEP]", 24], "cls": ["[CLS]", 2]},
}


@pytest.mark.parametrize("how", AROUND)
def test_marks_around_a_text_without_measure(gpt2, how, outcome):
    change(gpt2, post_processor=AROUND[how])
    refused(gpt2, "tokens around", "twice", "the id")
    outcome("refused in a sentence")


# Patterns


def splitting(pattern):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


EXPONENTIAL = [
    r"(a+)+$", r"(a|a)*b", r"(a|aa)+$", r"(.*)*x", r"(\w+\s?)*$", r"(x+x+)+y", r"(a?a)*b", r"((a{1,9}){1,9}){1,9}b",
    "a?" * 30 + "a" * 30 + "b", r"a*a*a*a*a*b", r"(a)\1", r"(?<n>a|b\g<n>c)", r"(a{1,1000}){1,1000}b",
    r"(?:a+)*+b*c*d*",
    "(" * 5000 + "a" + ")" * 5000, r"[a", r"a)", r"(a", r"(?R)", "a{1,99999}", "a**",
]  # fmt: skip


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_a_pattern_that_can_match_in_very_many_ways(gpt2, pattern, outcome):
    change(gpt2, pre_tokenizer=splitting(pattern))
    refused(gpt2, "regular expression", "cannot be read")
    outcome("refused in a sentence")


@pytest.mark.parametrize("pattern", [r"a*a*b", r"[xqq]*[qy]+Z", r"\p{Greek}+\p{L}+;"])
def test_a_pattern_whose_time_grows_with_the_third_power_of_the_text(gpt2, pattern, outcome):
    change(gpt2, pre_tokenizer=splitting(pattern))
    refused(gpt2, f"more than {SHORT.seconds:.0f} seconds of computing", limits=SHORT)
    outcome("ended at its limit of time")


GPT4 = "|".join(
    [
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ]
)
PUBLISHED = [  # Llama 3; GPT-4o; Bloom; Falcon; CLIP; GPT-2; T5
    GPT4,
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}",
    r" ?[^(\s|[.,!?…。，、।۔،])]+",
    r"[0-9][0-9][0-9]",
    r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r" {2,}",
]


@pytest.mark.parametrize("pattern", PUBLISHED)
def test_the_patterns_of_published_models_are_read(gpt2, pattern, outcome):
    change(gpt2, pre_tokenizer=splitting(pattern))
    guarded.check(guarded.inspect_folder(str(gpt2), limits=SMALL), lambda share: None)
    outcome("loaded as before")


# Shapes of files


def nested(depth):
    part = {"type": "NFC"}
    for _ in range(depth):
        part = {"type": "Sequence", "normalizers": [part]}
    return part


def test_parts_nested_deeper_than_any_tokenizer(gpt2, outcome):
    change(gpt2, normalizer=nested(100))
    refused(gpt2, "nested too deep")
    outcome("refused in a sentence")


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, "tokenizer_config.json", "special_tokens_map.json"])
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "{}" * 3, '"', '{"a": ' + "9" * 10_000 + "}"])
def test_json_that_no_model_would_have(gpt2, name, text, outcome):
    (gpt2 / name).write_text(text)
    refused(gpt2, name)
    outcome("refused in a sentence")


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, "tokenizer_config.json", "added_tokens.json"])
def test_a_file_of_a_hundred_gigabytes(gpt2, name, outcome):
    with (gpt2 / name).open("wb") as file:
        file.truncate(100 << 30)  # with a hole: it takes no room on the disk
    refused(gpt2, "are allowed")
    outcome("refused in a sentence")


def test_a_piece_of_a_megabyte(gpt2, outcome):
    model = tokenizer_settings(gpt2)["model"]
    model["vocab"]["z" * 10**6] = 21
    change(gpt2, model=model)
    refused(gpt2, "a token of more than")
    outcome("refused in a sentence")


@pytest.mark.parametrize("longest", [10**9, -1, "all", None])
def test_words_of_any_length_for_a_method_that_takes_the_third_power_of_it(gpt2, longest, outcome):
    change(gpt2, model=tokenizer_settings(gpt2)["model"] | {"max_input_chars_per_word": longest})
    refused(gpt2, "max_input_chars_per_word")
    outcome("refused in a sentence")


def test_json_that_takes_twenty_times_its_size_is_ended_at_the_limit(gpt2, outcome):
    (gpt2 / TOKENIZER).write_text('{"model": {"a": [' + "{}," * 15_000_000 + "{}]}}")
    refused(gpt2, "MB of memory")
    outcome("ended at its limit of memory")


# Devices and what the kernel shows as files


SPECIAL_FILES = [
    "/dev/zero",
    "/dev/urandom",
    "/dev/stdin",
    "/proc/self/environ",
    "/proc/self/maps",
    "/proc/kcore",
    "/sys/kernel/mm",
]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux")
@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, WEIGHTS])
@pytest.mark.parametrize("target", SPECIAL_FILES)
def test_a_link_to_a_device_or_to_the_kernel(gpt2, name, target, outcome):
    (gpt2 / name).unlink()
    (gpt2 / name).symlink_to(target)
    refused(gpt2)
    outcome("refused in a sentence")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux")
@pytest.mark.parametrize("target", SPECIAL_FILES)
def test_a_vocabulary_that_is_a_device(old_bert, target, outcome):
    (old_bert / "vocab.txt").unlink()
    (old_bert / "vocab.txt").symlink_to(target)
    refused(old_bert, "leads to proc", "no tokenizer")
    outcome("refused in a sentence")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux")
def test_a_file_that_gives_more_than_its_size_says_is_not_read(monkeypatch, outcome):
    monkeypatch.setattr(bounded_read, "NOT_ON_A_DISK", ())
    with pytest.raises(CheckpointError, match="another size than it says"):
        bounded_read.read_bytes(Path("/proc/self/maps"), 1 << 20)
    outcome("refused in a sentence")


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, WEIGHTS])
def test_a_pipe_that_nobody_writes_to(gpt2, name, outcome):
    (gpt2 / name).unlink()
    os.mkfifo(gpt2 / name)
    refused(gpt2)
    outcome("refused in a sentence")


def test_a_vocabulary_and_merges_that_are_pipes(sound, tmp_path, outcome):
    folder = publish(sound["gpt2"], tmp_path / "old")
    (folder / TOKENIZER).unlink()
    (folder / "vocab.json").write_text("{}")
    os.mkfifo(folder / "merges.txt")
    refused(folder, "no tokenizer")
    outcome("refused in a sentence")


# A config that lies


@pytest.mark.parametrize("value", [0, 0.0, -1, -1e-5, 1e30, 1, float("nan"), float("inf"), "1e-5", None, [1e-5], True])
def test_an_epsilon_without_sense(gpt2, value, outcome):
    edit(gpt2 / CONFIG, layer_norm_epsilon=value)
    refused(gpt2, "layer_norm_epsilon")
    outcome("refused in a sentence")


@pytest.mark.parametrize("name", ["n_layer", "n_head", "n_embd", "vocab_size", "n_positions", "n_inner"])
@pytest.mark.parametrize("value", [10**9, 9_999_999, -1, "8" * 100_000, [[8] * 10_000]])
def test_a_size_that_the_files_do_not_have(gpt2, name, value, outcome):
    edit(gpt2 / CONFIG, **{name: value})
    refused(gpt2)
    outcome("refused in a sentence")


@pytest.fixture(scope="module")
def maps_only():
    from transformers import ElectraConfig, ElectraModel, GPTNeoXConfig, GPTNeoXForCausalLM  # noqa: PLC0415

    sizes = {"vocab_size": 24, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 4}
    return {
        "gpt_neox": GPTNeoXForCausalLM(GPTNeoXConfig(**sizes)),
        "electra": ElectraModel(ElectraConfig(embedding_size=8, max_position_embeddings=16, **sizes)),
    }


class Lent:
    """A child that goes on to the next test when this one has had its refusal: each would import `transformers` anew.

    A child that was ended, for its time or its memory, is ended here too.
    """

    def __init__(self, child):
        self._child = child
        self.ask = child.ask

    def close(self):
        pass


@pytest.fixture(scope="module")
def lender():
    """Gives a child for a foreign model, the same one as long as it lives."""
    living = []

    def lend():
        if not living or not living[-1].alive:
            living.append(parent.taken())
        return Lent(living[-1])

    yield lend
    for child in living:
        child.close()


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("gpt_neox", "vocab_size", 9_000_000),
        ("gpt_neox", "hidden_size", 16_384),
        ("gpt_neox", "num_hidden_layers", 10**9),
        ("gpt_neox", "intermediate_size", 10**8),
        ("electra", "max_position_embeddings", 10**8),
        ("electra", "embedding_size", 10**7),
        ("electra", "type_vocab_size", 10**9),
    ],
)
def test_a_config_for_transformers_that_claims_what_its_files_do_not_have(
    maps_only, tmp_path, monkeypatch, lender, kind, name, value, outcome
):
    monkeypatch.setattr(guarded, "taken", lender)
    folder = publish(maps_only[kind], tmp_path / "lies")
    edit(folder / CONFIG, **{name: value})
    assert guarded.inspect_folder(str(folder)).bytes_needed < MEGABYTE, "the page counts the files"
    refused(folder, "lack numbers", "layers, but", "vocab_size", "of memory")
    outcome("refused in a sentence")


def test_a_child_that_has_refused_a_foreign_model_is_ended(maps_only, tmp_path, children, outcome):
    folder = publish(maps_only["electra"], tmp_path / "lies")
    edit(folder / CONFIG, type_vocab_size=10**9)
    refused(folder, "lack numbers")
    assert children and not [child for child in children if child.alive and child not in parent._idle]
    outcome("refused in a sentence")


# The headers of weights


SHAPE = b'{"a":{"dtype":"F32","shape":[%s],"data_offsets":[0,8]}}'
HEADERS = {
    "a hundred gigabytes": (b"{}", 100 << 30),
    "forty megabytes of blanks": (b"{" + b" " * (40 << 20) + b"}", None),
    "a hundred thousand brackets": (b'{"a":' * 100_000, None),
    "a number of ten thousand digits": (SHAPE % (b"9" * 10_000), None),
    "a shape of a thousand axes": (SHAPE % (b"9," * 1000 + b"9"), None),
}  # fmt: skip


@pytest.mark.parametrize("how", HEADERS)
def test_a_header_without_measure(gpt2, how, outcome):
    header, length = HEADERS[how]
    (gpt2 / WEIGHTS).write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + bytes(8))
    refused(gpt2, WEIGHTS)
    outcome("refused in a sentence")


# The child process


def test_a_look_that_takes_too_long_is_stopped_at_once(gpt2, children, outcome):
    change(gpt2, pre_tokenizer=splitting(r"a*a*b"))
    offer = guarded.inspect_folder(str(gpt2))

    class Stopped(Exception):
        pass

    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    seen = []

    def watch(share):
        if stop.is_set():
            seen.append(time.monotonic())
            raise Stopped

    with pytest.raises(Stopped):
        guarded.check(offer, watch)
    assert time.monotonic() - seen[0] < 5, "the child is gone as soon as somebody stops it"
    assert children and not [child for child in children if child.alive and child not in parent._idle]
    outcome("stopped at once")


def test_after_a_child_was_ended_the_next_folder_is_looked_at(gpt2, bert, outcome):
    change(gpt2, pre_tokenizer=splitting(r"a*a*b"))
    offer = guarded.inspect_folder(str(gpt2))
    with pytest.raises(CheckpointError, match="seconds"):
        guarded.check(offer, lambda share: None, Limits(seconds=1.0))
    assert guarded.inspect_folder(str(bert)).kind == "BERT"
    outcome("ended at its limit of time")


def test_a_child_ends_with_the_server(tmp_path, outcome):
    code = (
        "import os, sys, time\nfrom model.importers.child import parent\nparent.warm()\n"
        "child = parent._idle[0]\nprint(child.pid, flush=True)\nos._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200)
    pid = int(done.stdout)
    until = time.monotonic() + 120
    while parent._memory(pid) and time.monotonic() < until:
        time.sleep(0.2)
    assert not parent._memory(pid)
    outcome("ended with the server")


def test_files_that_change_between_the_child_and_the_server_are_not_read(gpt2, outcome):
    offer = guarded.inspect_folder(str(gpt2))
    edit(gpt2 / CONFIG, n_head=1)
    with pytest.raises(CheckpointError, match="have changed"):
        guarded.load(offer, lambda share: None)
    outcome("refused in a sentence")


def test_a_look_that_brings_its_own_python_files_runs_none_of_them(gpt2, monkeypatch, outcome):
    for name in ("json.py", "torch.py", "tokenizers.py", "sitecustomize.py"):
        (gpt2 / name).write_text(f"open({str(gpt2 / 'pwned')!r}, 'w')\n")
    monkeypatch.chdir(gpt2)
    parent.close_all()
    parent._idle.clear()
    assert guarded.inspect_folder(".").kind == "GPT-2"
    assert not (gpt2 / "pwned").exists()
    outcome("no code of the folder is run")
