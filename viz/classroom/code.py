"""The code by which students join a class, and the key that proves who the lecturer is."""

import hashlib
import hmac
import secrets

# No vowels, so that no word appears by chance; no letter and digit that look alike.
SYMBOLS = "BCDFGHJKLMNPQRSTVWXZ23456789"
LENGTH = 8  # log2(28⁸) = 38.5 bits


def new_code() -> str:
    """A random code, without the hyphen that is shown in its middle."""
    return "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH))


def spoken(code: str) -> str:
    """A code as it is shown and read aloud: "KTM7-2XRP"."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def read_code(typed: str) -> str | None:
    """The code that somebody typed, with or without its hyphen, in any case; None if it cannot be one."""
    letters = typed[:40].upper().replace("-", "").replace(" ", "")
    return letters if len(letters) == LENGTH and all(letter in SYMBOLS for letter in letters) else None


def new_key() -> str:
    """A random key of 128 bits."""
    return secrets.token_urlsafe(16)


def digest(key: str) -> str:
    """What the store keeps of a key: it proves the key and does not contain it."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_key(key: str, kept: str) -> bool:
    """Whether this is the key of that digest. The time it takes does not depend on the answer."""
    return hmac.compare_digest(digest(key), kept)
