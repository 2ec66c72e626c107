"""A browser profile that opens pages in tabs which earlier tests have left, so that a test need not wait for a new one.

The first page of the lab takes 1.3 s of processor time in a tab that has shown one before and 1.5 s in a new tab: the
window is there, and the browser holds what was fetched for it.
"""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page, ViewportSize

# What changes a tab for good, as Playwright takes none of it back: such a tab is closed and no test gets it again.
LASTING = frozenset(
    {
        *("add_init_script", "add_locator_handler", "expose_binding", "expose_function", "once", "route_from_har"),
        *("route_web_socket", "set_default_navigation_timeout", "set_extra_http_headers", "clock"),
    }
)
PLAYWRIGHTS_TIMEOUT = 30_000  # milliseconds: of a page whose timeout nobody has set


class Tab:
    """A page of Playwright that closing gives back: the next test finds it empty, as a new one.

    It has the methods of a Page. What a test listens to, routes, emulates or resizes ends with it.
    """

    def __init__(self, page: Page, give_back: Callable[[Page], None]) -> None:
        self.page = page
        self._give_back = give_back
        self._listeners: list[tuple[str, Callable[..., Any]]] = []
        self._used_up = self._closed = False

    def __getattr__(self, name: str) -> Any:
        if name in LASTING:
            self.use_up()
        return getattr(self.page, name)

    def use_up(self) -> None:
        """No other test gets this tab."""
        self._used_up = True

    def on(self, event: str, listener: Callable[..., Any]) -> None:
        self._listeners.append((event, listener))
        self.page.on(event, listener)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for event, listener in self._listeners:
            self.page.remove_listener(event, listener)
        if self._used_up or self.page.is_closed():
            self.page.close()
        else:
            self._give_back(self.page)


class Profile:
    """The tabs of one browser profile. It has the methods of a BrowserContext."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self._size: ViewportSize | None = None
        self._free: list[Page] = []
        self._sessions: dict[Page, CDPSession] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    def new_page(self) -> Any:
        """An empty page, as a Tab: no history, no storage of its own, and the size of this profile."""
        page = self._free.pop() if self._free else self.context.new_page()
        self._size = self._size or page.viewport_size
        page.bring_to_front()
        return Tab(page, self._clean)

    def new_cdp_session(self, tab: Tab) -> CDPSession:
        tab.use_up()
        return self.context.new_cdp_session(tab.page)

    def _clean(self, page: Page) -> None:
        """Leave what the tab shows, which ends its session at the server, and undo what a test has changed."""
        if page not in self._sessions:
            self._sessions[page] = self.context.new_cdp_session(page)
        page.set_default_timeout(PLAYWRIGHTS_TIMEOUT)
        page.unroute_all(behavior="ignoreErrors")
        page.mouse.move(0, 0)
        page.evaluate("() => { try { sessionStorage.clear(); } catch { /* it has none */ } }")
        page.goto("about:blank")
        self._sessions[page].send("Page.resetNavigationHistory")
        page.emulate_media(media="null", color_scheme="light")
        if self._size and page.viewport_size != self._size:
            page.set_viewport_size(self._size)
        self._free.append(page)


class SharedPages:
    """Pages that several tests read, each opened once: a test leaves its page at the address where it found it.

    new_visitor makes somebody with a new `page`, whose method `open` leads to a link.
    """

    def __init__(self, new_visitor: Callable[[], Any]) -> None:
        self._new_visitor = new_visitor
        self._visitors: dict[object, Any] = {}
        self._addresses: dict[object, str] = {}
        self._lent: set[object] = set()

    def open(self, *names: Any, **parameters: Any) -> Any:
        """The visitor who has called `open` with these arguments: at the head of the page, the pointer off it."""
        link = (names, *sorted(parameters.items()))
        if link not in self._visitors:
            self._visitors[link] = self._new_visitor()
        visitor = self._visitors[link]
        if visitor.page.url != self._addresses.get(link):
            visitor.open(*names, **parameters)
            self._addresses[link] = visitor.page.url
        visitor.page.bring_to_front()
        visitor.page.mouse.move(2, 2)
        visitor.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
        self._lent.add(link)
        return visitor

    def take_back(self) -> list[Any]:
        """The visitors whose pages a test has used. Each is where it was, or the next test opens its page anew."""
        links, self._lent = self._lent, set()
        moved = [link for link in links if self._visitors[link].page.url != self._addresses[link]]
        assert not moved, f"a test has changed what others read, and needs a page of its own: {moved}"
        return [self._visitors[link] for link in links]

    def close(self) -> None:
        for visitor in self._visitors.values():
            visitor.page.close()
