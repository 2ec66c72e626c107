"""Numbers inside sentences: one word and two words, and a number that is none."""

import math


def counted(n: int, thing: str, things: str = "") -> str:
    """How many there are: "1 word", "2 words", "1,000 words". things: the plural, where it is not made with an s."""
    return f"{n:,} {thing if n == 1 else things or f'{thing}s'}"


def verb(n: int, singular: str, plural: str) -> str:
    """The verb that agrees with `n`: verb(1, "is", "are") is "is"."""
    return singular if n == 1 else plural


def decimals(value: float, digits: int = 2) -> str:
    """A number with this many decimals and a real minus sign; "not a number" where it is not finite."""
    return f"{value:,.{digits}f}".replace("-", "−") if math.isfinite(value) else "not a number"


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float, digits: int = 2) -> str:
    """A number with this many significant digits: "4.4·10⁻¹⁶"; "0" for 0; "not a number" where it is not finite."""
    if value == 0 or not math.isfinite(value):
        return "not a number" if value else "0"
    factor, power = f"{abs(value):.{digits - 1}e}".split("e")
    return f"{'−' if value < 0 else ''}{factor}·10{str(int(power)).translate(SUPERSCRIPTS)}"


def two_digits(value: float) -> str:
    """A number with two significant digits; below 0.0001 and from a million on as a power of ten."""
    if value != 0 and not 9.5e-5 <= abs(value) < 9.95e5:
        return power_of_ten(value)
    return f"{float(f'{value:.1e}'):,g}".replace("-", "−")


def percent(share: float) -> str:
    """A share of 1 in whole percent: "7%"; "less than 1%" and "more than 99%" where rounding would say none or all."""
    if not math.isfinite(share):
        return "not a number"
    if 0 < share < 0.01:
        return "less than 1%"
    return "more than 99%" if 0.99 < share < 1 else f"{share:.0%}"
