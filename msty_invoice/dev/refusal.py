"""Why we do not start: one sentence that says what to do."""

import errno

DISK_FULL = "No space left on device"  # as the C library, and so every program, words it
_NEEDED = "about 600 MB"


class Refused(Exception):
    """Nothing is wrong with the code: whoever started it must do something first. Exit 2."""


def refusal(exc: OSError) -> Refused:
    """What to do about an error of the operating system. Raises `exc` if we do not know."""
    place = exc.filename or "the disk"
    # shutil.Error has no errno, but the text of all it ran into.
    if exc.errno in (errno.ENOSPC, errno.EDQUOT) or DISK_FULL in str(exc):
        return disk_full(str(place))
    if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Refused(
            f"{place} cannot be written: it may belong to another user; "
            "give this user the checkout, with its .venv and .dev, or use a copy of it."
        )
    raise exc


def disk_full(place: str) -> Refused:
    """The sentence for a full disk."""
    return Refused(f"The disk is full ({place}): free {_NEEDED}, then run this again.")
