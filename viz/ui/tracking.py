"""Names that mail programs, social networks and search engines add to a link. They say nothing to the lab."""

import re
from urllib.parse import urlsplit, urlunsplit

TRACKING = re.compile(
    r"utm_\w+|mtm_\w+|pk_\w+|hsa_\w+|vero_\w+|oly_\w+|_hs\w+|_ga|_gl|_ke|_branch_\w+|"
    r"[a-z]*clk?id|[gw]braid|gclsrc|gad_\w+|igsh(id)?|mc_[ce]id|mkt_tok|ml_subscriber\w*|"
    r"li_fat_id|rdt_cid|s_cid|srsltid|epik|spm|ref|ref_src|ref_url|referrer|sfnsn|mibextid|"
    r"wt_\w+|trk\w*|at_medium|at_campaign",
    re.IGNORECASE,
)


def is_tracking(name: str) -> bool:
    """Whether a name in an address was added on the way, such as utm_source, fbclid or gclid."""
    return TRACKING.fullmatch(name) is not None


def without_tracking(link: str) -> str:
    """The link without such names; the rest of it letter by letter as it was."""
    parts = urlsplit(link)
    kept = [pair for pair in parts.query.split("&") if not is_tracking(pair.partition("=")[0])]
    return urlunsplit(parts._replace(query="&".join(kept)))
