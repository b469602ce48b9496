"""Who is asking: the one place that knows how far a header can be believed."""

from collections.abc import Callable

import falcon

ClientAddress = Callable[[falcon.Request], str]


def peer_address(req: falcon.Request) -> str:
    """The address at the other end of the socket. No header can change it."""
    return str(req.env.get("REMOTE_ADDR", ""))


def x_real_ip(req: falcon.Request) -> str:
    """What Nginx wrote into X-Real-IP; only for a socket that Nginx alone can reach."""
    return req.get_header("X-Real-IP") or ""


BY_SETTING: dict[str, ClientAddress] = {"peer": peer_address, "x-real-ip": x_real_ip}
