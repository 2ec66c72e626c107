"""The visitor of tests/support/protocol.py does what a browser does: what it has set stays set, through every run."""

import json

from protocol import Link, Visitor, alone, arrive
from served import serve

from viz.ui.controls import EXAMPLE

OWN = "the cats near the trees chase the dog ."


def about(visitor, text):
    """Whether the figures in the last answer are about this text."""
    return visitor.holds(json.dumps(text.split())[1:-1])


def test_every_flip_is_answered_for_the_text_of_the_visitors_own_link(address):
    async def visit():
        visitor = await arrive(address, Link(state={"text": OWN}))
        for _ in range(4):
            assert about(visitor, OWN) and not about(visitor, EXAMPLE)
            await visitor.flip()
        await visitor.leave()

    alone(visit())


def test_without_a_text_in_the_link_the_answer_is_about_the_example(address):
    async def visit():
        visitor = await arrive(address)
        assert about(visitor, EXAMPLE) and not about(visitor, OWN)
        await visitor.leave()

    alone(visit())


def test_a_switch_begins_where_the_link_has_it_and_each_flip_changes_the_figures(address):
    async def visit():
        flipped, direct = await arrive(address), await arrive(address, Link(state={"scale": "false"}))
        await flipped.flip()
        assert bare(flipped) == bare(direct), "by a flip and by a link the page is the same"
        await direct.flip()
        assert bare(flipped) != bare(direct)
        await flipped.flip()
        assert bare(flipped) == bare(direct)
        for visitor in (flipped, direct):
            await visitor.leave()

    alone(visit())


def bare(visitor: Visitor) -> list[bytes]:
    """The bytes of the page's own drawings in the last answer."""
    return [
        element.bidi_component.bytes for element in visitor.elements() if element.WhichOneof("type") == "bidi_component"
    ]


def test_whoever_opens_your_model_while_the_server_is_still_importing_torch_is_answered():
    async def visit():
        with serve() as address:
            visitor = await arrive(address, Link("your-model"))  # fails where the page says that something went wrong
            assert visitor.holds("A folder on this machine")
            await visitor.leave()

    alone(visit())
