"""What all tests share: one thread, the same examples every time, every device that is there, and one browser."""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings
from marks import left_out, marks_of
from served import ONE_RENDERER, browse, chromium, serve
from tabs import Profile

settings.register_profile(
    "lab", derandomize=True, database=None, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("lab"), max_examples=20)


def pytest_configure(config):
    """Set up PyTorch where tests run. The process that only hands them to its workers (`-n`) need not import it.

    The quick part of the tests takes half as many examples of each law as the whole suite.
    """
    settings.load_profile("quick" if "not slow" in config.option.markexpr else "lab")
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        import devices  # noqa: PLC0415

        devices.prepare()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    """With `-n`, one worker runs all tests of a file: what they share is computed, opened or started once."""
    if config.getoption("dist") != "load":
        return None  # somebody has asked for another way
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415  (not there without pytest-xdist)

    return LoadFileScheduling(config, log)


def pytest_ignore_collect(collection_path, config):
    return left_out(collection_path, config.option.markexpr) or None


def pytest_collection_modifyitems(items):
    for item in items:
        for mark in marks_of(item.path, getattr(item, "fixturenames", ())):
            item.add_marker(mark)


def pytest_collection_finish():
    """The tests and the imported modules stay to the end: the garbage collector need not walk over them again.

    The lab collects garbage each time a model is let go, which took 0.4 s of the 0.5 s of loading a small model.
    """
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc):
    """A test that asks for `device` runs on every device of this machine."""
    if "device" in metafunc.fixturenames:
        import devices  # noqa: PLC0415

        metafunc.parametrize("device", devices.DEVICES, indirect=True, scope="session")


@pytest.fixture(scope="session")
def device(request):
    import torch  # noqa: PLC0415

    return torch.device(request.param)


@pytest.fixture(scope="session")
def chrome():
    executable = chromium()
    if executable is None:
        missing = "There is no Chromium on this machine: install chromium or google-chrome to run the browser tests."
        pytest.fail(missing) if os.environ.get("ATTENTION_LAB_BROWSER") == "required" else pytest.skip(missing)
    with browse(executable, ONE_RENDERER) as browser:
        yield browser


@pytest.fixture(scope="session")
def address():
    with serve() as address:
        yield address


@pytest.fixture(scope="session")
def context(chrome, address):
    """One browser profile for all tests, so that the scripts of the page are fetched once, and its tabs.

    Playwright waits by evaluating text in the page, which the lab's content security policy forbids. So these tests run
    without it; test_browser_every_page.py opens every page under it.
    """
    context = chrome.new_context(
        bypass_csp=True, viewport={"width": 1440, "height": 900}, accept_downloads=True, color_scheme="light"
    )
    context.new_page().goto(f"{address}/_stcore/health")  # stays open: window and process are not made for each test
    yield Profile(context)
    context.close()


@pytest.fixture(scope="session")
def narrow(chrome, address):
    """The browser profile of a telephone, 390 pixels wide, for all tests, so that its scripts are fetched once."""
    context = chrome.new_context(
        bypass_csp=True, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.new_page().goto(f"{address}/_stcore/health")  # stays open, as above
    yield Profile(context)
    context.close()
