"""Origins of web pages: the deployment's own list of them, and how one is written.

One file names them all (ORIGINS_FILE): a publishable key may only list origins found
there, and the Nginx map for CORS is made from it. So they are read strictly: what is
here is what a browser sends in `Origin` (RFC 6454 section 6.2), to the letter.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(\.{_LABEL})*|\[[0-9a-f:]+\])(:(?P<port>[1-9][0-9]*))?"
)
_DEFAULT_PORTS = {"https": 443, "http": 80}
_LAST_PORT = 65535


class OriginsUnusable(Exception):
    """The list of origins cannot be read. The text names the line and says why."""


def read_origins(path: Path) -> tuple[str, ...]:
    """The origins in a file: one in a line; `#` begins a comment. Raises `OriginsUnusable`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise OriginsUnusable(f"{path} cannot be read ({_reason(exc)})") from exc
    found: list[str] = []
    for number, line in enumerate(lines, start=1):
        if origin := line.partition("#")[0].strip():
            try:
                found.append(ensure_origin(origin))
            except ValueError as exc:
                raise OriginsUnusable(f"{path}, line {number}: {origin!r} {exc}") from exc
    return tuple(dict.fromkeys(found))


def ensure_origin(text: str) -> str:
    """The same text, if a browser would write this origin so. Raises `ValueError` with why."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise ValueError("is not scheme://host or scheme://host:port in lower case, without a path")
    scheme, host, port = match["scheme"], match["host"], int(match["port"] or 0)
    if port == _DEFAULT_PORTS[scheme]:
        raise ValueError(f"states the port that {scheme} has anyway; browsers leave it out")
    if port > _LAST_PORT:
        raise ValueError("has a port that does not exist")
    if scheme == "http" and not _is_loopback(host):
        raise ValueError("must start with https: only this machine may be asked in the clear")
    return text


def origin_of(url: str) -> str:
    """The origin of the pages at an http or https URL, as a browser writes it.

    Raises `ValueError` for what is no such URL.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("names no host")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = parts.port in (None, _DEFAULT_PORTS.get(parts.scheme))
    return f"{parts.scheme}://{host}" + ("" if default else f":{parts.port}")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _reason(exc: OSError | UnicodeDecodeError) -> str:
    return exc.strerror or "unreadable" if isinstance(exc, OSError) else "it is not UTF-8 text"
