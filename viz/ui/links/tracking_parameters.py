"""Names that mail programs, social networks and search engines add to a link. They say nothing to the lab."""

import re
from urllib.parse import unquote_plus, urlsplit, urlunsplit

TRACKING = re.compile(
    r"utm_\w+|mtm_\w+|pk_\w+|hsa_\w+|vero_\w+|oly_\w+|_hs\w+|_ga|_gl|_ke|_branch_\w+|"
    r"[a-z]*clk?id|[gw]braid|gclsrc|gad_\w+|igsh(id)?|mc_[ce]id|mkt_tok|ml_subscriber\w*|"
    r"li_fat_id|rdt_cid|s_cid|srsltid|epik|spm|ref|ref_src|ref_url|referrer|sfnsn|mibextid|"
    r"wt_\w+|trk\w*|at_medium|at_campaign|"
    r"si|feature|cmpid|ncid|xtor|share_id|dm_i|ck_subscriber_id|_openstat|__s|__hs\w+|hsctatracking|guc\w+",
    re.IGNORECASE,
)
# Names that are added on the way and that a control has too, with the control's values: `source` of “Size and cost”.
SHARED = {"source": ("random", "this layer")}


def is_tracking(name: str, value: str | None = None) -> bool:
    """Whether a name in an address was added on the way, such as utm_source, fbclid or si.

    value: what it is set to. It decides where a control has the same name: source=newsletter was added on the way.
    """
    if name in SHARED:
        return value is not None and value not in SHARED[name]
    return TRACKING.fullmatch(name) is not None


def without_tracking(link: str) -> str:
    """The link without such names; the rest of it letter by letter as it was."""
    parts = urlsplit(link)
    kept = []
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        if not is_tracking(name, unquote_plus(value)):
            kept.append(pair)
    return urlunsplit(parts._replace(query="&".join(kept)))
