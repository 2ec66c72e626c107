"""The app behind a real server and in a real browser, for the browser tests, the screenshots and the benches."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Download, Page, sync_playwright

ROOT = Path(__file__).parents[2]
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# One process draws all pages of the lab, so that the next page finds Streamlit's scripts already parsed and compiled.
ONE_RENDERER = "--process-per-site"
PATIENCE = 60_000  # milliseconds: the cores are shared


def chromium() -> str | None:
    """Where this machine keeps its Chromium, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def serve(script: Path = ROOT / "app.py", arguments: Sequence[str] = (), options: Sequence[str] = ()) -> Iterator[str]:
    """The address of a Streamlit server that runs this script with these arguments, with a home folder of its own.

    options: further ones of Streamlit, such as "--server.address", "0.0.0.0".
    """
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.address", "127.0.0.1", "--server.fileWatcherType", "none"]
    command += ["--browser.gatherUsageStats", "false", *options]
    with serving(command, script.parent, ["--", *arguments]) as address:
        yield address


@contextmanager
def serving(command: Sequence[str], folder: Path, arguments: Sequence[str] = ()) -> Iterator[str]:
    """The address of the server that this command starts in that folder, on a free port, with a home of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home, open(Path(home) / "log", "w+b") as log:
        started = [*command, "--server.port", str(port), "--server.headless", "true", *arguments]
        server = subprocess.Popen(
            started, cwd=folder, env={**os.environ, "HOME": home}, stdout=log, stderr=subprocess.STDOUT
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_until_well(server, f"{address}/_stcore/health", Path(home) / "log")
            yield address
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_well(server: subprocess.Popen[bytes], address: str, log: Path, patience: float = 120) -> None:
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"The server did not come up:\n{log.read_text(errors='replace')}")


@contextmanager
def browse(executable: str | None = None, *arguments: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable or chromium(), args=[*QUIET, *arguments])
        try:
            yield browser
        finally:
            browser.close()


def wait_for_picture(page: Page, *, bad_link: bool = False) -> None:
    """Until the grid, the sentence and the enlarged map are drawn and the script has come to rest."""
    page.locator(".st-key-grid .lab[data-drawn]").wait_for(timeout=PATIENCE)
    page.locator(".st-key-sentence .word.lit").wait_for(timeout=PATIENCE)
    page.locator(".st-key-enlarged .lab[data-drawn]").wait_for(timeout=PATIENCE)
    wait_for_rest(page, bad_link=bad_link)


def saved(page: Page, key: str, kind: str) -> Download:
    """The file that the menu under a figure, or that of the "whole_page", saves: kind "SVG", "PNG 2×", "CSV", …"""
    frame = page.locator(f".st-key-save_{key}, .st-key-{key}.st-key-whole_page")
    frame.locator(".opener").click()
    with page.expect_download(timeout=PATIENCE) as download:
        frame.locator(".choice").filter(has_text=kind).first.click()
    return download.value


STANDS = """async () => {
  const alone = () => {
    const key = document.documentElement.dataset.stage;
    return key && [key, document.querySelector(`.st-key-${key}`)?.getBoundingClientRect()];
  };
  for (let last = "", same = 0; same < 12; ) {
    await new Promise(requestAnimationFrame);
    const now = JSON.stringify(alone());
    [last, same] = [now, alone() && now === last ? same + 1 : 0];
  }
  const [key, { left, top, right, bottom }] = alone();
  return { key, left, top, right, bottom };
}"""


def stands(page: Page) -> dict[str, Any]:
    """The figure that is alone on the screen, when it has stood there for a dozen frames: key, left, top, …"""
    wait_for_rest(page)
    box: dict[str, Any] = page.evaluate(STANDS)
    return box


# A skeleton stands for what the script has announced and whose part of Streamlit is still being loaded.
AT_REST = """() => {
  const every = (part, there) => [...document.querySelectorAll(part)].every(there);
  const shadow = (part) => part.querySelector('[data-testid="stBidiComponentIsolated"]')?.shadowRoot;
  const drawn = every(".stBidiComponent", (part) => shadow(part)?.querySelector(".lab"));
  const charted = every(".stPlotlyChart", (part) => part.querySelector(".main-svg"));
  const loaded = document.querySelector('[data-testid="stSkeleton"]') === null;
  return loaded && drawn && charted && document.querySelector('[data-test-script-state="notRunning"]') !== null;
}"""


def wait_for_rest(page: Page, *, bad_link: bool = False) -> None:
    """Until no run of the script is under way and every figure is there: a late one moves what stands below it.

    The page must not say that it ignores a part of its link: a test would see the page as it opens, and not what the
    link names. bad_link: it may, for the tests of such links.
    """
    give_up = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(AT_REST):  # not wait_for_function, which the lab's content security policy forbids
        assert time.monotonic() < give_up, "the page has not come to rest"
        page.wait_for_timeout(30)
    if bad_link:
        return
    ignored = page.get_by_text("Part of this link could not be used")
    assert not ignored.count(), ignored.first.inner_text()
