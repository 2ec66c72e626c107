"""Arrays of somebody else: what is understood, what is refused with which sentence, and what a hostile file can do."""

import io
import struct
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from equal import same_bits
from foreign import random_model as gpt2
from hypothesis import given
from hypothesis import strategies as st

from viz.export.attention_arrays import MAX_CELLS, MAX_TOKENS, maps, read
from viz.export.npz import MAX_BYTES, MAX_ENTRIES, ArraysError

WORDS = ["the", "dog", "sleeps"]


def even(*shape):
    """Weights whose every row is spread evenly."""
    return np.full(shape, 1 / shape[-1], dtype=np.float32)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(descr="<f4", shape="(1, 1, 3, 3)", data=b"", length=None):
    """The bytes of an .npy file with a header that may lie."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header) if length is None else length) + header + data


def zipped(**entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def refused(*arguments, **named):
    with pytest.raises(ArraysError) as refusal:
        (read if isinstance(arguments[0], bytes) else maps)(*arguments, **named)
    message = str(refusal.value)
    assert message.endswith(".")
    assert len(message) < 300
    return message


# What is understood


@pytest.mark.parametrize("shape", [(2, 4, 3, 3), (4, 3, 3), (3, 3), (2, 1, 4, 3, 3)])
def test_missing_axes_are_one_and_a_batch_of_one_is_none(shape):
    uploaded = maps(even(*shape), WORDS)
    assert uploaded.weights.shape == (2 if shape[0] == 2 else 1, 1 if len(shape) == 2 else 4, 3, 3)
    assert (uploaded.query_tokens, uploaded.columns, uploaded.warnings) == (tuple(WORDS), tuple(WORDS), ())


def test_lists_numpy_and_torch_give_the_same_maps():
    values = [[[[1.0, 0.0], [0.25, 0.75]]]]
    tensor = torch.tensor(values, requires_grad=True)
    layers = (tensor, tensor)  # as transformers returns them: (B, H, T, S) each
    for given_ in (values, np.array(values), tensor, tensor.to(torch.bfloat16), tensor.half()):
        assert maps(given_, ["a", "b"]).weights.tolist() == values
    assert maps(layers, ["a", "b"]).weights.tolist() == values * 2


@pytest.mark.parametrize("field", ["attentions", "encoder_attentions", "cross_attentions"])
def test_the_whole_output_of_a_model_is_answered_with_the_field_to_give(field):
    output = SimpleNamespace(**{field: (even(1, 2, 3, 3),)})
    assert refused(output, WORDS).endswith(f"give its weights alone: output.{field}.")


def test_nan_is_a_cell_that_is_not_there_and_a_mask_takes_away_more():
    weights = np.array([[1, np.nan, np.nan], [0.5, 0.5, np.nan], [0.2, 0.3, 0.5]])
    uploaded = maps(weights, WORDS, mask=[[1, 1, 1], [1, 1, 1], [1, 1, 0]])
    assert uploaded.mask[0, 0].tolist() == [[True, False, False], [True, True, False], [True, True, False]]
    assert uploaded.weights[0, 0, 2].tolist() == pytest.approx([0.2, 0.3, 0])
    assert uploaded.warnings == ("1 of 3 rows does not sum to 1: the sum is 0.50. The weights are shown unchanged.",)


def test_two_lists_of_words_make_a_map_that_is_no_square():
    uploaded = maps(even(2, 2, 3, 5), WORDS, list("abcde"))
    assert (uploaded.weights.shape, uploaded.columns, uploaded.key_tokens) == (
        (2, 2, 3, 5),
        tuple("abcde"),
        tuple("abcde"),
    )


@pytest.mark.parametrize("name", ["key_tokens", "looked_at"])
def test_a_file_may_give_the_key_tokens_under_the_name_of_today_or_of_earlier_versions(name):
    file = npz(attention=even(3, 5), tokens=np.array(WORDS), **{name: np.array(list("abcde"))})
    assert read(file).columns == tuple("abcde")


def test_a_file_with_weights_of_its_own_beside_the_attention_is_read_by_its_attention():
    square = np.array(WORDS)
    uploaded = read(npz(attention=even(3, 3), tokens=square, weights=np.zeros((7, 7)), query=np.array(list("abcdefg"))))
    assert (uploaded.query_tokens, uploaded.weights.shape) == (tuple(WORDS), (1, 1, 3, 3))


def test_what_was_given_stays_the_givers_and_what_is_kept_cannot_change():
    mine = even(1, 1, 3, 3)
    uploaded = maps(mine, WORDS)
    mine[:] = 0
    assert uploaded.weights.sum() == pytest.approx(3)
    with pytest.raises(ValueError, match="read-only"):
        uploaded.weights[0] = 0


def test_a_row_that_may_look_at_nothing_needs_no_sum():
    weights = np.array([[np.nan, np.nan], [0.5, 0.5]])
    assert maps(weights, ["a", "b"]).warnings == ()


def test_rows_that_do_not_sum_to_one_are_shown_and_said():
    assert maps(even(1, 1, 3, 3) / 2, WORDS).warnings == (
        "No row sums to 1: the sum is 0.50. The weights are shown unchanged.",
    )
    assert maps(even(1, 1, 3, 3).astype(np.float16), WORDS).warnings == (), "half precision rounds"


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", "|b1", "<i8"])
def test_every_type_of_number_is_read(dtype):
    eye = np.eye(3).astype(dtype)
    assert read(npz(attention=eye, tokens=np.array(WORDS))).weights[0, 0].tolist() == np.eye(3).tolist()


def test_a_file_in_the_order_of_columns_is_read_as_it_was_meant():
    weights = np.random.default_rng(0).dirichlet(np.ones(3), (2, 2, 3))
    file = npz(attention=np.asfortranarray(weights), tokens=np.array(WORDS))
    assert np.allclose(read(file).weights, weights)


def test_all_four_entries_are_read_and_others_left_alone():
    file = npz(
        attention=even(1, 1, 3, 2),
        tokens=np.array(WORDS),
        looked_at=np.array([b"ein", b"Hund"]),
        mask=np.array([True, False]),
        origin=np.array([{"never": "unpickled"}], dtype=object),
    )
    uploaded = read(file)
    assert uploaded.columns == ("ein", "Hund")
    assert uploaded.mask.all(axis=(0, 1, 2)).tolist() == [True, False]


def test_numbers_as_tokens_become_their_digits_and_half_a_character_a_mark():
    assert maps(even(3, 3), np.array([101, 7, 102])).query_tokens == ("101", "7", "102")
    assert maps(even(1, 1), ["\ud800"]).query_tokens == ("?",)


# What models return that were loaded the ordinary way


@pytest.mark.parametrize(
    "nothing", [None, (), [], (None, None), ((), ()), (torch.eye(3)[None, None], None), ([None], [None])], ids=str
)
def test_a_model_that_returned_no_weights_is_answered_with_how_to_load_it(nothing):
    message = refused(nothing, WORDS)
    assert 'attn_implementation="eager"' in message and "output_attentions=True" in message


def test_a_file_of_an_empty_tuple_is_answered_with_how_to_load_the_model():
    assert 'attn_implementation="eager"' in refused(npz(attention=np.array(()), tokens=np.array(WORDS)))


def test_tensors_with_gradients_and_of_bfloat16_are_taken_however_deep_they_are_nested():
    head = torch.tensor([[1.0, 0.0], [0.25, 0.75]], dtype=torch.bfloat16, requires_grad=True)
    uploaded = maps([[head, head], [head, head * 0 + 0.5]], ["a", "b"])
    assert uploaded.weights.shape == (2, 2, 2, 2)
    assert uploaded.weights[0, 1].tolist() == [[1.0, 0.0], [0.25, 0.75]]
    assert uploaded.weights[1, 1].tolist() == [[0.5, 0.5], [0.5, 0.5]]


@pytest.fixture(scope="module")
def writer():
    return gpt2("gpt2")


@pytest.mark.parametrize("cached", [True, False])
def test_the_steps_of_generate_are_the_maps_of_one_pass_over_the_same_text(writer, cached):
    ids = torch.tensor([[5, 6, 7]])
    wanted = {"output_attentions": True, "return_dict_in_generate": True, "use_cache": cached}
    output = writer.generate(ids, max_new_tokens=4, do_sample=False, pad_token_id=0, eos_token_id=None, **wanted)
    tokens = [str(token_id) for token_id in output.sequences[0].tolist()]
    assert len(tokens) == 7
    joined = maps(output.attentions, tokens)
    once = writer(output.sequences[:, :-1], output_attentions=True).attentions  # (1, H, T, S) a layer
    assert np.allclose(joined.weights, torch.stack(once)[:, 0].detach().numpy(), atol=1e-5)
    assert joined.query_tokens == tuple(tokens[:-1])
    assert joined.warnings == ("The last token was written but not read, so it has no row and no column.",)
    if cached:
        assert same_bits(joined.mask[0, 0, 3:], np.tri(6, dtype=bool)[3:]), "later columns were not there yet"


def test_the_cross_attention_of_generate_is_one_row_a_step():
    rows = np.random.default_rng(0).dirichlet(np.ones(3), (4, 2, 1, 2, 1)).astype(np.float32)  # step, layer, B, H, row
    uploaded = maps(tuple(tuple(map(torch.tensor, step)) for step in rows), list("abcde"), WORDS)
    assert uploaded.query_tokens == tuple("abcd")
    assert same_bits(uploaded.weights, rows[:, :, 0, :, 0].transpose(1, 2, 0, 3), "copied")


def test_several_beams_and_a_cache_with_a_window_are_refused():
    def step(batch, rows, columns):
        return (torch.full((batch, 2, rows, columns), 1 / columns),)

    assert "2 texts or beams" in refused((step(2, 3, 3), step(2, 1, 4)), list("abcd"))
    assert "cache with a window" in refused((step(1, 3, 3), step(1, 1, 4), step(1, 1, 4)), list("abcde"))


def test_weights_above_one_from_dropout_are_told_from_scores():
    message = refused(np.eye(4) / 0.9, list("abcd"))
    assert "model.eval()" in message and "softmax" not in message
    torch.manual_seed(0)
    even_rows = torch.full((4, 8, 8), 0.125)
    assert "softmax" in refused(torch.nn.functional.softplus(torch.randn(4, 8, 8)) * 3, list("abcdefgh"))
    (note,) = maps(torch.dropout(even_rows, 0.3, train=True), list("abcdefgh")).warnings
    assert "model.eval()" in note


def test_a_training_model_is_told_to_leave_training(writer):
    trained = gpt2("gpt2").train()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        attentions = trained(torch.tensor([[5, 6, 7, 8]]), output_attentions=True).attentions
    assert torch.stack(attentions).max() > 1.01
    assert "model.eval()" in refused(attentions, list("abcd"))


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        (np.array([[255, 0, 0], [200, 55, 0], [85, 85, 85]], dtype=np.uint8), "bytes from 0 to 255"),
        (np.array([[9, 255, 7], [255, 3, 1], [0, 0, 255]], dtype=np.uint8), "bytes from 0 to 255"),
        (np.array([[255.0, 0, 0], [200, 55, 0], [85, 85, 85]]), "bytes from 0 to 255"),
        (np.array([[100, 0, 0], [33, 67, 0], [33, 33, 33]], dtype=np.uint8), "percent"),
        (np.array([[100, 0, 0], [33.3, 66.7, 0], [33.3, 33.3, 33.3]]), "percent"),
    ],
)
def test_bytes_and_percents_are_called_what_they_are(whole, message):
    assert message in refused(whole, WORDS)
    assert ("Divide by 100" if message == "percent" else "Divide by 255") in refused(whole, WORDS)


def test_ones_and_zeros_as_bytes_are_weights():
    assert maps(np.eye(3, dtype=np.uint8), WORDS).weights[0, 0].tolist() == np.eye(3).tolist()


# What is refused, with both sides named


@pytest.mark.parametrize(
    ("given_", "tokens", "looked_at", "message"),
    [
        (even(2, 2), WORDS, None, "3 tokens need (3, 3) weights, not (2, 2)."),
        (even(3, 5), WORDS, None, 'not (3, 5), or a second list of words, "key_tokens", of 5.'),
        (even(3, 5), WORDS, ["a"], "3 tokens as queries and 1 as keys need (3, 1) weights, not (3, 5)."),
        (even(1, 2), ["a"], ["b"], "1 token as queries and 1 as keys need (1, 1) weights, not (1, 2)."),
        (even(2, 2, 1, 1, 3, 3), WORDS, None, "6 axes"),
        (even(2, 2, 4, 3, 3), WORDS, None, "a batch of 2 texts; the lab draws one"),
        (np.zeros((0, 2, 3, 3)), WORDS, None, "no layer or no head"),
        (even(3), WORDS, None, "1 axis (3,)"),
        (even(3, 3), "the dog", None, 'one text; give a list of tokens, such as "the dog".split()'),
        (even(3, 3), [], None, "must be one list of tokens"),
        (even(3, 3), [WORDS], None, "must be one list of tokens"),
        (np.eye(3) * 7 - 2, WORDS, None, "values from -2 to 5, like scores before the softmax"),
        (np.eye(3) * 2.5, WORDS, None, "Take the softmax"),
        (np.where(np.eye(3) > 0, 1, -np.inf), WORDS, None, "infinite values, like scores behind a mask"),
        (np.full((3, 3), "x"), WORDS, None, "<U1, not numbers"),
        (np.eye(3) * 1j, WORDS, None, "complex128, not numbers"),
        ([[1, 2], [3]], WORDS, None, '"attention" is not an array'),
        ([np.eye(3), np.eye(2)], WORDS, None, "differ in shape: (3, 3), (2, 2)"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_sides(given_, tokens, looked_at, message):
    assert message in refused(given_, tokens, looked_at)


def test_masks_that_are_none_are_refused():
    assert "True where a token may attend" in refused(even(3, 3), WORDS, mask=np.full((3, 3), -np.inf))
    assert "(2, 2) does not fit weights of (1, 1, 3, 3)" in refused(even(3, 3), WORDS, mask=np.ones((2, 2)))


def test_too_much_is_refused_before_it_is_copied():
    many = np.broadcast_to(np.float32(0.5), (500, 500, 20, 20))
    assert f"up to {MAX_CELLS:,}" in refused(many, WORDS)
    assert f"up to {MAX_TOKENS:,}" in refused(even(1, 1), ["a"] * (MAX_TOKENS + 1))


# Hostile files


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a stranger's code has run",))


GOOD = npz(attention=even(1, 1, 3, 3), tokens=np.array(WORDS))
NONE = "This is not an .npz file, or it is broken."


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"", NONE),
        (b"attention,tokens\n0.5,dog\n", NONE),
        (GOOD[:-40], NONE),
        (GOOD[len(GOOD) // 2 :], NONE),
        (b"PK\x03\x04" + b"\0" * 200, NONE),
        (npy(data=b"\0" * 36), "one array, an .npy file"),
        (npz(attention=even(3, 3)), 'no "tokens" in this file; it holds "attention"'),
        (npz(values=even(3, 3), words=np.array(WORDS)), "it holds nothing that the lab knows"),
        (npz(attention=even(3, 3), tokens=np.array([Trap()], dtype=object)), "np.array(tokens, dtype=str)"),
        (npz(attention=np.array([Trap()], dtype=object), tokens=np.array(WORDS)), "numbers of one shape"),
        (npz(attention=even(2, 2), tokens=np.array(WORDS)), "3 tokens need (3, 3) weights, not (2, 2)."),
        (zipped(attention=npy(data=b"\0" * 20), tokens=npy("<U1", "(3,)", b"\0" * 12)), "ends after 20 of 36 bytes"),
        (zipped(attention=npy(length=2**32 - 1)), 'The header of "attention" has 4,294,967,295 bytes'),
        (zipped(attention=npy(shape="(100000, 500, 500, 1)")), "25,000,000,000 values"),
        (zipped(attention=npy(shape="(-1, -3, 3, 3)")), "values"),
        (zipped(attention=npy(shape="(99999999999999999999999,)")), "99,999,999,999,999,999,999,999 values"),
        (zipped(attention=npy(descr="<U99999999")), "bytes; the lab unpacks up to"),
        (zipped(attention=npy(shape="__import__('os')")), NONE),
        (zipped(attention=npy(descr="nonsense")), NONE),
        (zipped(attention=b"not an array at all"), "is not an array"),
        (zipped(attention=b""), "is not an array"),
        (zipped(**{f"x{number}": b"" for number in range(MAX_ENTRIES + 1)}), "101 entries"),
    ],
)
def test_a_hostile_file_is_answered_with_a_sentence(file, message):
    assert message in refused(file)


def test_a_hundred_gigabytes_behind_a_megabyte_are_not_unpacked():
    """A ZIP of noughts shrinks a thousandfold; its header says what it would be."""
    bomb = npy(shape="(1, 1, 3, 3)", data=b"\0" * 50_000_000)  # says 36 bytes, holds 50 million
    uploaded = read(zipped(attention=bomb, tokens=npy("<U1", "(3,)", np.array(list("abc")).tobytes())))
    assert uploaded.weights.shape == (1, 1, 3, 3), "no more is unpacked than the header says"
    assert "up to" in refused(zipped(attention=npy(shape="(5000, 5000, 1000)", data=b"\0" * 1_000_000)))


def test_a_file_that_is_too_large_is_not_opened():
    assert f"{MAX_BYTES + 1:,} bytes" in refused(bytes(MAX_BYTES + 1))


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_file_with_any_byte_changed_is_read_or_refused(offset, byte):
    broken = bytearray(GOOD)
    broken[offset] = byte
    try:
        read(bytes(broken))
    except ArraysError as refusal:
        assert str(refusal).endswith(".")
