"""An unexpected error: one sentence for its visitor, one line in the log, and no effect on other visitors."""

import logging
import traceback

import streamlit as st

SENTENCE = (
    "Something went wrong on this page. Undo your last change, or open the page again from the bar above. The person "
    "who runs the lab finds the error in the log."
)


def on_script_error(_error: Exception) -> bool:
    """Say the sentence. Returns True, so that Streamlit shows no traceback of its own."""
    st.error(SENTENCE)
    return True


def one_line(error: BaseException) -> str:
    """What happened and where, in one line of bounded length: its text may come from a visitor."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name})" if frames else ""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    return f"{type(error).__name__}: {text[:400]}{where}"


class OneLine(logging.Filter):
    """Turns the record of an uncaught error, with its traceback of many lines, into one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keeps every record."""
        if record.exc_info and record.exc_info[1]:
            record.msg, record.args = "%s", (one_line(record.exc_info[1]),)
            record.exc_info = record.exc_text = None
        return True


def log_in_one_line() -> None:
    """From now on uncaught errors of pages take one line of the log."""
    logging.getLogger("streamlit.error_util").addFilter(OneLine())
