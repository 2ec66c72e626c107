"""Which tests are marked `browser` and `slow`. `pytest -m "not browser and not slow"` runs the others.

`browser`: the test needs Chromium, or a server of its own that it asks over the network.
`slow`: the test asks trained models about thousands of texts, sweeps every page or every kind of model that
`transformers` makes, or starts other processes.
"""

from collections.abc import Iterable
from pathlib import Path

# A test that uses one of these fixtures needs Chromium. All others of the browser are made of `chrome`.
BROWSER_FIXTURES = {"chrome"}
# Every test in this folder, and in the folders within, needs Chromium.
BROWSER_FOLDER = "browser"
# Other modules of which every test needs a server.
BROWSER = {
    "test_deploy",
    "test_replicas",
    "test_heavy",
    "test_hostile_requests",
    "test_hostile_class",
    "test_protocol",
    "test_wheel",
}
# Modules of which every test is slow.
SLOW = {
    "test_importers",  # every kind of model that transformers makes, and every part of it
    "test_importers_fields",
    "test_importers_names",
    "test_importers_hostile",  # they import transformers, which takes nine seconds in each worker
    "test_importers_pasted",
    "test_importers_removed",
    "test_importers_tokenizers",
    "test_maps_only",
    "test_norm_table",
    "test_readme",
    "test_arrays",
    "test_hostile_folders",  # a child process for each folder
    "test_hostile_registry",
    "test_your_model",
    "test_grammar_entropy",  # trained weights
    "test_first_digit",
    "test_pair_trained",
    "test_stories",
    "test_trained",
    "test_arrays_page",  # every page or figure, one after the other
    "test_bad_input",
    "test_encoded_once",
    "test_command",
    "test_files",
    "test_hostile_cards",
    "test_hostile_links",
    "test_hostile_uploads",
    "test_inside_page",
    "test_lessons",
    "test_links",
    "test_masks_page",
    "test_missing",
    "test_pages",
    "test_positions_page",
    "test_post_norm_pages",
    "test_copy_as_python",
    "test_remove_page",
    "test_short_texts",
    "test_stories_page",
    "test_translate_page",
    "test_typed",
    "test_cache",  # other processes
    "test_cluster",
    "test_notebook",
    "test_server",
    "test_registry",
}


def marks_of(path: Path, fixtures: Iterable[str]) -> list[str]:
    """The marks of a test in this file that uses these fixtures."""
    needs_browser = _is_browser_module(path) or not BROWSER_FIXTURES.isdisjoint(fixtures)
    return ["browser"] * needs_browser + ["slow"] * (path.stem in SLOW)


def _is_browser_module(path: Path) -> bool:
    return path.suffix == ".py" and (BROWSER_FOLDER in path.parts or path.stem in BROWSER)


def left_out(path: Path, expression: str) -> bool:
    """Whether `pytest -m` with this expression leaves out every test of a file, so that it need not be imported.

    False where the expression is more than marks and their negation joined by "and".
    """
    terms = [" ".join(term.split()) for term in expression.split(" and ")]
    if not all(term.removeprefix("not ").isidentifier() for term in terms):
        return False
    return ("not slow" in terms and path.stem in SLOW) or ("not browser" in terms and _is_browser_module(path))
