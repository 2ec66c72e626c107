"""The README's picture, and every page on paper and in the dark, on a screen and on a phone.

    python tests/support/screenshot.py FOLDER

writes the README's pictures (attention-lab.png, machine.png, lesson.png, and projector-THEME.png as a room sees it,
1280 × 720) and PAGE-THEME-WIDTH.png: what is seen without scrolling, and the whole page.
"""

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page
from served import PATIENCE, ROOT, browse, serve, wait_for_rest

SIZES = {"1440": {"width": 1440, "height": 900}, "390": {"width": 390, "height": 844}}
PAGES = sorted(path.parent.name for path in ROOT.glob("viz/pages/*/page.py"))


def visit(page: Page, address: str) -> None:
    """Open a page and wait until nothing on it moves any more."""
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
    page.locator(".lab[data-drawn], .js-plotly-plot, [class*='st-key-open_'], .st-key-npz").first.wait_for(
        timeout=PATIENCE
    )
    page.get_by_test_id("stSkeleton").first.wait_for(state="hidden", timeout=PATIENCE)
    wait_for_rest(page)
    page.wait_for_load_state("networkidle", timeout=PATIENCE)


def whole_height(page: Page) -> int:
    """How tall the page is when nothing is scrolled away."""
    return int(page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight"))


def teaching(browser: Browser, address: str, scheme: str, folder: Path) -> None:
    """One figure on a projector, in both themes; on paper also a step of a lesson."""
    context = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 720}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{address}/?present=enlarged&query=10")
    page.wait_for_function("document.documentElement.dataset.stage", timeout=PATIENCE)
    wait_for_rest(page)
    page.wait_for_timeout(1000)
    small(page, folder / f"projector-{scheme}.png")
    if scheme == "light":
        visit(page, f"{address}/lessons?lesson=masks.1")
        page.locator(".st-key-stages .lab[data-drawn]").wait_for(timeout=PATIENCE)
        page.wait_for_timeout(1000)
        small(page, folder / "lesson.png")
    context.close()


def small(page: Page, path: Path) -> None:
    """A picture of few colours, small enough for the repository."""
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, kmeans=4, dither=Image.Dither.NONE).save(path, optimize=True)


def main(folder: Path) -> None:
    """Write all pictures into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve() as address, browse() as browser:
        for scheme in ("light", "dark"):
            for width, size in SIZES.items():
                context = browser.new_context(
                    bypass_csp=True, viewport=size, color_scheme=scheme, device_scale_factor=2
                )
                for name in PAGES:
                    page = context.new_page()
                    visit(page, address if name == "heads" else f"{address}/{name.replace('_', '-')}")
                    path = folder / f"{name}-{scheme}-{width}.png"
                    page.screenshot(path=path)
                    if (name, scheme, width) == ("heads", "light", "1440"):
                        page.screenshot(path=folder / "attention-lab.png", scale="css")
                    if (name, scheme, width) == ("machine", "light", "1440"):
                        page.screenshot(path=folder / "machine.png", scale="css")
                    page.set_viewport_size({**size, "height": whole_height(page)})
                    wait_for_rest(page)
                    page.screenshot(path=folder / f"{name}-{scheme}-{width}-whole.png", scale="css")
                    print(path)
                    page.close()
                context.close()
            teaching(browser, address, scheme, folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
