"""How much a visitor may leave here: bytes of one file, of one visit, and of all visits together."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from streamlit.runtime import get_instance

MEGABYTE = 10**6
LARGEST_FILE = 67 * MEGABYTE  # `server.maxUploadSize` of .streamlit/config.toml (64 MiB), which the page announces
ONE_VISIT = 100 * MEGABYTE
ALL_VISITS = 400 * MEGABYTE
NO_UPLOAD = 64_000  # bytes of a request that is no upload
ROUTE = "/_stcore/upload_file/"


class Uploads:
    """The room for uploads, with what is still on its way counted as if it were here."""

    def __init__(self) -> None:
        self._coming: dict[int, tuple[str, int]] = {}

    def most(self, path: str) -> int:
        """How many bytes the body of a request to this path may have now."""
        if ROUTE not in path:
            return NO_UPLOAD
        session = session_of(path)
        kept = held()
        mine = kept.get(session, 0) + sum(size for owner, size in self._coming.values() if owner == session)
        everyone = sum(kept.values()) + sum(size for _, size in self._coming.values())
        return max(0, min(LARGEST_FILE, ONE_VISIT - mine, ALL_VISITS - everyone))

    @contextmanager
    def coming(self, path: str, size: int) -> Iterator[None]:
        """Counts a body of this size while it is on its way."""
        ticket = id(object())
        while ticket in self._coming:
            ticket += 1
        self._coming[ticket] = (session_of(path), size)
        try:
            yield
        finally:
            del self._coming[ticket]


def session_of(path: str) -> str:
    """The session that an upload's path names."""
    return path.partition(ROUTE)[2].partition("/")[0]


def held() -> Mapping[str, int]:
    """The bytes that each session has uploaded and not let go of."""
    storage = getattr(get_instance().uploaded_file_mgr, "file_storage", {})
    return {session: sum(len(file.data) for file in tuple(files.values())) for session, files in tuple(storage.items())}
