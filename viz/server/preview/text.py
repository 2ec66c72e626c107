"""The text of a page as HTML, where it is certain how Streamlit shows it.

Only what the lab itself writes is read: words, bold or grey ones, lines and paragraphs in Markdown; tables and
divisions in HTML. Anything else gives None, and the preview ends above it.
"""

import re
from html import escape
from html.parser import HTMLParser

LETTER = r"(?:(?!--|  \n)[^*_`$\[\]<>\\:&~|\n])"  # that Markdown leaves as it is
# A character that Markdown would read otherwise, bold on or off, an end of a line, grey words, other letters.
PIECE = re.compile(rf"\\([!-/:-@\[-`{{-~])|(\*\*)|(  \n)|:gray\[({LETTER}+)\]|((?<=\w)_(?=\w)|:(?=[\s*]|$)|{LETTER}+)")
OTHER_BLOCK = re.compile(r"[-+#>=\s]|\d+[.)]\s")  # how a list, a heading, a quotation begin
TAGS = ("div", "p", "span", "table", "tr", "th", "td")
ATTRIBUTES = ("class", "title")


def html_of_text(markdown: str) -> str | None:
    """One paragraph of Markdown, without its element; None where it has anything else than PIECE."""
    if OTHER_BLOCK.match(markdown):
        return None
    html, start, bold = "", 0, False
    while start < len(markdown):
        piece = PIECE.match(markdown, start)
        if piece is None:
            return None
        if piece[2]:
            html += "</strong>" if bold else "<strong>"
            bold = not bold
        elif piece[3]:
            html += "<br>"
        elif piece[4]:
            html += f'<span class="grey">{escape(piece[4])}</span>'
        else:
            html += escape(piece[1] or piece[5])
        start = piece.end()
    return None if bold else html


def html_of_paragraphs(markdown: str) -> str | None:
    """Paragraphs of Markdown; None where one has anything else than PIECE."""
    texts = [html_of_text(paragraph) for paragraph in markdown.strip().split("\n\n")]
    return None if None in texts else "".join(f"<p>{text}</p>" for text in texts)


def html_of_html(body: str) -> str | None:
    """HTML of the lab, written anew from its elements, classes and titles; None where it has anything else."""
    reader = _Reader()
    reader.feed(body)
    reader.close()
    return reader.html if reader.is_known else None


class _Reader(HTMLParser):
    """Writes what it reads, while it knows all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.html, self.is_known = "", True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_known = self.is_known and tag in TAGS and all(name in ATTRIBUTES for name, _ in attrs)
        values = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs)
        self.html += f"<{tag}{values}>"

    def handle_endtag(self, tag: str) -> None:
        self.html += f"</{tag}>"

    def handle_data(self, data: str) -> None:
        self.html += escape(data)

    def handle_comment(self, data: str) -> None:
        self.is_known = False

    def handle_decl(self, decl: str) -> None:
        self.is_known = False

    def handle_pi(self, data: str) -> None:
        self.is_known = False
