"""What a page shows after one more click, sent before it: what is sent, for which links, and how much of it is kept."""

import asyncio
import json
import zlib

import pytest
from protocol import alone
from test_preview import block, component, markdown

from viz.server import lookahead as module
from viz.server.lookahead import LARGEST, MOST_BYTES, WAITING, Lookahead, is_allowed, packed
from viz.server.preview.page_tree import page_tree


def shown(*messages):
    """(header, bytes of each figure) of a page that is made of these messages."""
    content = packed(page_tree(messages))
    length = int.from_bytes(content[:4], "little")
    header, rest = json.loads(content[4 : 4 + length]), content[4 + length :]
    parts = []
    for _, _, size in header["figures"]:
        parts.append(rest[:size])
        rest = rest[size:]
    assert not rest
    return header, parts


def test_the_figures_and_what_stands_under_them_are_sent_in_the_order_of_the_page():
    save = component("save", "", 2, figure="grid")
    messages = (
        component("share", "link", 0),
        block(1),
        component("head_grid", "grid", 1, 0),
        save,
    )
    header, parts = shown(*messages)
    assert [entry[:2] for entry in header["figures"]] == [["head_grid", "grid"], ["save", "save_grid"]]
    sent = [message.delta.new_element.bidi_component.bytes for message in (messages[2], save)]
    assert parts == sent


def test_two_pages_have_the_same_digest_if_and_only_if_they_differ_in_their_figures_alone():
    page = [markdown("A note.", 0), component("maps", "large", 1, title="a")]
    digest = shown(*page)[0]["rest"]
    assert shown(page[0], component("maps", "large", 1, title="b"))[0]["rest"] == digest
    assert shown(markdown("Another note.", 0), page[1])[0]["rest"] != digest
    assert shown(*page, markdown("One more.", 2))[0]["rest"] != digest
    assert shown(page[0], component("share", "link", 3), page[1])[0]["rest"] == digest, "it is the visitor's own"


def test_of_a_page_without_figures_nothing_is_sent():
    assert packed(page_tree([markdown("A note.", 0), component("share", "link", 1)])) == b""


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("heads", "lesson=masks.1"),
        ("heads", "present=grid"),
        ("heads", "figure=grid"),
        ("heads", "class=KTM7-2XRP"),
        ("heads", "weights=own-gpt2"),
        ("heads", f"text={'x' * 2000}"),
        ("why", ""),
        ("../heads", ""),
    ],
)
def test_no_other_link_is_run_ahead(page, query):
    assert not is_allowed(page, query)
    assert is_allowed("heads", "scale=false&text=the+dog") and is_allowed("", "")


@pytest.fixture
def runs(monkeypatch):
    """The links that were run, and what each run gives."""
    began = []

    async def first_run(page, query, seconds):
        assert seconds > 0
        began.append((page, query))
        await asyncio.sleep(0)
        return (component("maps", "large", 0, title=query),)

    monkeypatch.setattr(module, "first_run", first_run)
    return began


def titles(content):
    content = zlib.decompress(content)
    return content.decode("latin-1")


def test_a_link_is_run_once_for_all_visitors_and_one_at_a_time(runs):
    async def room():
        ahead = Lookahead()
        return await asyncio.gather(*(ahead.of("heads", "scale=false") for _ in range(WAITING)))

    answers = alone(room())
    assert runs == [("heads", "scale=false")]
    assert len(set(answers)) == 1 and "scale=false" in titles(answers[0])


def test_a_server_that_has_no_time_sends_nothing_and_runs_nothing(runs):
    async def flood():
        ahead = Lookahead()
        return await asyncio.gather(*(ahead.of("heads", f"query={number}") for number in range(WAITING + 20)))

    answers = alone(flood())
    assert len(runs) == WAITING and sum(map(bool, answers)) == WAITING


def test_what_is_kept_is_bounded_and_the_oldest_goes_first(runs):
    async def many():
        ahead = Lookahead(most_bytes=1000)
        first = await ahead.of("heads", "query=0")
        for number in range(1, 40):
            await ahead.of("heads", f"query={number}")
        again = await ahead.of("heads", "query=39")
        await ahead.of("heads", "query=0")
        return first, again, ahead

    first, again, ahead = alone(many())
    assert runs.count(("heads", "query=39")) == 1 and runs.count(("heads", "query=0")) == 2
    assert ahead.bytes_kept <= 1000 and first and again
    assert MOST_BYTES < 100_000_000


def test_links_of_which_nothing_is_sent_are_kept_in_bounded_number(monkeypatch):
    async def first_run(page, query, seconds):
        return ()

    async def many():
        ahead = Lookahead()
        for number in range(12):
            assert await ahead.of("heads", f"query={number}") == b""
        return ahead.links_kept

    monkeypatch.setattr(module, "first_run", first_run)
    monkeypatch.setattr(module, "MOST", 5)
    assert alone(many()) == 5


def test_a_page_that_is_too_large_is_not_sent(monkeypatch):
    async def first_run(page, query, seconds):
        return (component("maps", "large", 0, title="x" * LARGEST),)

    monkeypatch.setattr(module, "first_run", first_run)
    assert alone(Lookahead().of("heads", "")) == b""
