"""`.dev/origins`: where this checkout's publishable keys may work. Its owner may add to it."""

from pathlib import Path

from msty_invoice.origins import origin_of

_HEAD = "# One origin in a line, as browsers write it. A publishable key may only list these.\n"


def list_origins(path: Path, port: int) -> None:
    """Add those of our own pages that the file does not have yet; the rest of it stays."""
    text = path.read_text("utf-8") if path.exists() else _HEAD
    listed = {line.partition("#")[0].strip() for line in text.splitlines()}
    ours = [origin_of(f"http://{host}:{port}") for host in ("127.0.0.1", "localhost")]
    missing = [f"{origin}\n" for origin in ours if origin not in listed]
    if text and not text.endswith("\n"):
        text += "\n"
    path.write_text(text + "".join(missing), "utf-8")
