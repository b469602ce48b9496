"""Reaching a host within what is left of a call: its name, its addresses, TLS."""

import socket
import ssl
from collections.abc import Callable
from threading import Thread
from typing import Any, cast

from msty_invoice.lightning.deadline import Deadline, DeadlineSocket, DeadlineTlsSocket

# family, type, protocol, canonical name, address: as getaddrinfo gives them.
Address = tuple[Any, Any, int, str, Any]
Resolve = Callable[..., list[Address]]


class Dialer:
    """Opens connections to one host and port, and to no other."""

    def __init__(
        self,
        host: str,
        port: int,
        deadline: Deadline,
        tls: ssl.SSLContext | None,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self.host = host
        self.port = port
        self._deadline = deadline
        self.tls = tls
        self._resolve = resolve
        self._lookup: _Lookup | None = None

    def dial(self) -> DeadlineSocket:
        """A fresh connection. Raises `OSError`, of which `TimeoutError` is one."""
        addresses = self._addresses()
        for tried, address in enumerate(addresses):
            # An equal share for each, so that a silent first address leaves time for the next.
            share = self._deadline.left() / (len(addresses) - tried)
            try:
                return self._secured(self._connected(address, share))
            except OSError as exc:
                failure = exc
        raise failure

    def _addresses(self) -> list[Address]:
        # The C library's lookup cannot be interrupted, so it runs beside the call. One
        # that is still under way is waited for again: they never pile up.
        if self._lookup is None:
            self._lookup = _Lookup(self._resolve, self.host, self.port)
        self._lookup.join(self._deadline.left())
        if self._lookup.is_alive():
            raise TimeoutError("the name was not resolved in time")
        lookup, self._lookup = self._lookup, None
        return lookup.addresses()

    def _connected(self, address: Address, seconds: float) -> DeadlineSocket:
        family, kind, protocol, _, target = address
        connection = DeadlineSocket(family, kind, protocol)
        try:
            connection.deadline = self._deadline
            connection.settimeout(seconds)
            connection.connect(target)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            connection.close()
            raise
        return connection

    def _secured(self, connection: DeadlineSocket) -> DeadlineSocket:
        if self.tls is None:
            return connection
        try:
            # The handshake takes the socket's timeout as the limit for all of it.
            connection.settimeout(self._deadline.left())
            secured = cast(
                "DeadlineTlsSocket", self.tls.wrap_socket(connection, server_hostname=self.host)
            )
        except OSError:
            connection.close()
            raise
        secured.deadline = self._deadline
        return secured


class _Lookup(Thread):
    """One name lookup. A daemon: a resolver that hangs must not hold up the exit."""

    def __init__(self, resolve: Resolve, host: str, port: int) -> None:
        super().__init__(daemon=True, name="name-lookup")
        self._resolve = resolve
        self._target = (host, port)
        self._found: list[Address] = []
        self._failure: OSError | None = None
        self.start()

    def run(self) -> None:
        try:
            self._found = self._resolve(*self._target, type=socket.SOCK_STREAM)
        except UnicodeError:  # the idna codec: a label that is empty or too long
            self._failure = OSError("no host can have this name")
        except OSError as exc:
            self._failure = exc

    def addresses(self) -> list[Address]:
        """What was found, once the thread has ended: at least one. Raises `OSError`."""
        if self._failure is not None or not self._found:
            raise OSError("the name has no address") from self._failure
        return self._found


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Certificates and host names are verified against `ca_file`; TLS 1.2 or newer."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = DeadlineTlsSocket
    return context
