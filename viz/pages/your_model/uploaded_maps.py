"""Maps without a model: an uploaded .npz file, all its heads, one head large, and statistics."""

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from model.analysis.attention_metrics import distance, entropy, reachable, rollout
from viz import canvas
from viz.captions.heads import describe_maps, describe_rollout_row, describe_row, most_informative_row
from viz.export.attention_arrays import SAVE_SNIPPET, AttentionMaps, read
from viz.export.npz import MAX_BYTES, ArraysError
from viz.export.tables import file_name
from viz.labels import escape_markdown
from viz.pack import encode_weights
from viz.theme import Theme
from viz.types import Array
from viz.ui import controls, copy_as_python, figure_panel, head_facts, server_cache, slots
from viz.ui.state import Key, Param

READING = "Reading the file"
SAMPLE = Path(__file__).with_name("sample.npz")  # all heads of `stories`; tests/pages/test_arrays_page.py makes it anew

HOW = f"""
The file contains the weights of every head (layers × heads × rows × columns) and the tokens.
From `transformers`, where `name` is a folder or a name on the Hugging Face Hub:

```python
import numpy as np
from transformers import AutoModel, AutoTokenizer

name = "distilgpt2"
tokenizer = AutoTokenizer.from_pretrained(name)
# The default attention keeps no weights, so ask for the eager one.
model = AutoModel.from_pretrained(name, attn_implementation="eager").eval()
inputs = tokenizer("The dog sleeps.", return_tensors="pt")
output = model(**inputs, output_attentions=True)
attention = np.stack([layer[0].detach().float().cpu().numpy() for layer in output.attentions])
tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
{SAVE_SNIPPET}
```

Cross-attention has a second list, `key_tokens`, for the columns. NaN in the weights, or False in a `mask`, leaves a
cell out. Nothing is unpickled, and the file stays in the memory of this lab.
"""


@dataclass(frozen=True)
class GivenMaps:
    """Uploaded maps, or those of a model that can show nothing else."""

    maps: AttentionMaps
    of: copy_as_python.File | copy_as_python.ModelMaps
    key: str  # another for every upload: what is computed is kept under it

    @property
    def name(self) -> str:
        """Of the file, or of the model."""
        return self.of.name


def upload_maps() -> GivenMaps | None:
    """The place to drop a file, and what is in it; None while there is nothing that can be drawn."""
    file = st.file_uploader(
        "Attention weights, an .npz file", type=["npz"], key=Key.NPZ, max_upload_size=MAX_BYTES // 1_000_000
    )
    if file is not None:
        try:
            key = _content(file)
            return GivenMaps(_read(key, file), copy_as_python.File(file.name), key)
        except ArraysError as error:
            st.info(escape_markdown(str(error)))
    sample = file is None and st.toggle(
        "Open a sample, made by our model stories", key=Param.SAMPLE, bind="query-params"
    )
    with st.expander("How to save one"):
        st.markdown(HOW)
    if sample:
        return _sample()
    if file is None and any(name in st.query_params for name in (Param.LAYER, Param.HEAD, Param.QUERY)):
        st.info("A link cannot contain a file. Upload the file that the link was made with to see what its sender saw.")
    return None


def _sample() -> GivenMaps:
    """The lab's own file, for who has none yet."""
    data = SAMPLE.read_bytes()
    st.download_button("Save the sample", data, SAMPLE.name, key=Key.SAVE_SAMPLE, type="tertiary")
    return GivenMaps(read(data), copy_as_python.File(SAMPLE.name), _hash(data))


def _content(file: Any) -> str:
    """The key that this file is kept under, for everybody: a hash of its content. A visitor can choose its id."""
    hashed = st.session_state.setdefault(Key.NPZ_CONTENT, {})  # of this visit: hashing 160 MB takes a tenth of a second
    if file.file_id not in hashed:
        hashed.clear()
        hashed[file.file_id] = _hash(file.getvalue())
    return str(hashed[file.file_id])


def _hash(data: bytes) -> str:
    return f"npz-{sha256(data).hexdigest()}"


@server_cache.cached
def _read(key: str, _file: Any) -> AttentionMaps:
    data = _file.getvalue()
    if _hash(data) != key:  # another file has come under the same id meanwhile
        st.session_state.pop(Key.NPZ_CONTENT, None)
        raise ArraysError("This file changed while it was read. Upload it again.")
    with slots.long(READING):  # one at a time: the largest needs some 600 megabytes while it is read
        return read(data)


@server_cache.cached
def _cells(key: str, _maps: AttentionMaps) -> Array:
    with slots.long(READING):
        return encode_weights(_maps.weights, _maps.mask)


@server_cache.cached
def _sharpest(key: str, _maps: AttentionMaps) -> tuple[int, int]:
    pointed = _maps.weights.max(axis=-1).mean(axis=-1)  # (L, H)
    layer, head = np.unravel_index(int(np.argmax(pointed)), pointed.shape)
    return int(layer), int(head)


@server_cache.cached
def _sentence(key: str, _maps: AttentionMaps) -> str:
    pooled = max(_maps.weights.shape[2:]) > canvas.MOST_PIXELS
    return describe_maps(_maps.weights, _maps.mask, pooled=pooled) + head_facts.truncation_note(_maps.weights)


@server_cache.cached
def _statistics(key: str, _maps: AttentionMaps) -> dict[str, list[Any]]:
    """One line for each head: how widely it attends, and how far if the text attends to itself."""
    n_layers, n_heads = _maps.weights.shape[:2]
    layers = list(_maps.weights)  # (H, T, S) each: a layer at a time needs little memory
    with slots.long("Measuring every head"):
        far = [] if _maps.key_tokens else [distance(layer).mean(axis=-1) for layer in layers]
        columns = {
            "entropy (nats)": [entropy(layer).mean(axis=-1) for layer in layers],
            "distance (words)": far,
            "largest weight": [layer.max(axis=-1).mean(axis=-1) for layer in layers],
        }
    return {
        "layer": [layer for layer in range(n_layers) for _ in range(n_heads)],
        "head": list(range(n_heads)) * n_layers,
        **{
            name: np.concatenate(columns_of_layers).astype(np.float64).round(2).tolist()
            for name, columns_of_layers in columns.items()
            if columns_of_layers
        },
    }


@server_cache.cached
def _rolled(key: str, _maps: AttentionMaps) -> tuple[Array, Array]:
    with slots.long("Multiplying the layers"):
        return rollout(_maps.weights), reachable(_maps.mask)


def show(given: GivenMaps, theme: Theme) -> None:
    """The sentence, every head, one of them large, and more below: as on the Heads page."""
    maps, key = given.maps, given.key
    words, key_tokens = maps.query_tokens, maps.key_tokens
    n_layers, n_heads = maps.weights.shape[:2]
    layer, head = controls.head(n_layers, n_heads, default=_sharpest(key, maps))
    weights, mask = maps.weights[layer, head], maps.mask[layer, head]  # (T, S)
    pinned_index = controls.token(words, "token")
    row = most_informative_row(weights, cross=key_tokens is not None) if pinned_index is None else pinned_index
    axes, focus = canvas.Axes(words, key_tokens), canvas.TokenFocus(row, pinned_index is not None, controls.pin_token)
    stem = given.name.removesuffix(".npz")
    file = given.of
    if isinstance(file, copy_as_python.File) and not st.session_state.get(Param.SAMPLE):
        st.sidebar.caption(
            "A link keeps the layer, head and word, but cannot contain the file. Send the file with the link."
        )
    for note in maps.warnings:
        st.info(note)

    drawn = canvas.token_lines(weights, mask, axes, key="sentence", focus=focus, theme=theme)
    figure_panel.below(
        drawn,
        sentence="",
        table=partial(head_facts.row_table, weights, words, row, key_tokens),
        file=file_name(stem, f"L{layer}H{head}-row-{row}"),
        of=file,
        arrays=partial(head_facts.row_arrays, weights, words, row, key_tokens),
        python=copy_as_python.from_maps(file, "weights", f"maps.weights[{layer}, {head}, {row}]  # (S,)"),
    )
    every_head, one_head = st.columns([6, 5], gap="medium")
    with every_head:
        drawn = canvas.head_grid(
            _cells(key, maps),
            maps.mask,
            axes,
            key="grid",
            head_roles=[[()] * n_heads] * n_layers,  # their roles are not measured
            selected=canvas.SelectedHead(layer, head, controls.choose_head),
            focus=focus,
            theme=theme,
        )
        figure_panel.below(
            drawn,
            sentence=_sentence(key, maps),
            table=partial(head_facts.cell_table, maps.weights, words, key_tokens),
            file=file_name(stem, "all-heads"),
            of=file,
            arrays=partial(head_facts.all_maps, words, key_tokens, weights=maps.weights),
            python=copy_as_python.from_maps(file, "weights", "maps.weights  # (L, H, T, S)"),
            quiet=True,
        )
    with one_head:
        large = canvas.Panel(f"Layer {layer}, head {head}", weights, mask=mask)
        drawn = canvas.maps([large], axes, key="enlarged", theme=theme, focus=focus)
        figure_panel.below(
            drawn,
            sentence=figure_panel.RowSentences(
                partial(describe_row, weights, words, key_tokens=key_tokens), len(words), row
            ),
            table=partial(head_facts.map_table, weights, words, key_tokens),
            file=file_name(stem, f"L{layer}H{head}-weights"),
            of=file,
            arrays=partial(head_facts.maps, words, key_tokens, weights=weights),
            python=copy_as_python.from_maps(file, "weights", f"maps.weights[{layer}, {head}]  # (T, S)"),
        )
    _more(given, focus, theme)


def _more(given: GivenMaps, focus: canvas.TokenFocus, theme: Theme) -> None:
    maps, key = given.maps, given.key
    if controls.choice("More about these maps", ("Head statistics", "Rollout"), key=Param.PANEL) == "Head statistics":
        figure_panel.head_table(_statistics(key, maps), on_head=controls.choose_head)
        return
    if maps.key_tokens is not None:
        st.markdown(
            "Rollout multiplies the attention of all layers and needs self-attention. These maps have different query "
            "and key tokens."
        )
        return
    (rolled, reached), words, row = _rolled(key, maps), maps.query_tokens, focus.row or 0
    file = given.of
    with st.columns(2)[0]:
        panel = canvas.Panel("", rolled, mask=reached)
        drawn = canvas.maps([panel], canvas.Axes(words), key="rollout", theme=theme, focus=focus)
        figure_panel.below(
            drawn,
            sentence="This combines all layers and assumes that half of each step comes from a residual connection. "
            "The maps do not show whether the model has one. " + describe_rollout_row(rolled, words, row),
            table=partial(head_facts.map_table, rolled, words),
            file=file_name(given.name.removesuffix(".npz"), "rollout"),
            of=file,
            arrays=partial(head_facts.maps, words, rollout=rolled),
            python=copy_as_python.from_maps(
                file,
                "rollout",
                "attention_metrics.rollout(maps.weights)",
                "from model.analysis import attention_metrics",
            ),
        )
