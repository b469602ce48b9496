"""What the terminal shows meanwhile."""

import contextlib
import time
from collections.abc import Iterator


def say(text: str, end: str = "\n") -> None:
    """Print at once. A terminal that has gone away is no reason to stop tidying up."""
    with contextlib.suppress(OSError, ValueError):
        print(text, end=end, flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """One line: what is being done, and the seconds it took."""
    say(f"{what:<48}", end="")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say("")
        raise
    say(f" {time.monotonic() - started:5.1f} s")
