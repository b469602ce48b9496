"""A TCP proxy in front of a server's unix socket that can cut a connection at a given byte."""

import socket
from contextlib import suppress
from pathlib import Path
from threading import Thread

from psycopg2.extensions import make_dsn


class CuttingProxy:
    """Passes bytes on. `passed` counts those towards the client."""

    def __init__(self, server_socket: Path) -> None:
        self._server_socket = str(server_socket)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._clients: list[socket.socket] = []
        self._left: int | None = None
        self.passed = 0
        Thread(target=self._accept, daemon=True).start()

    def dsn(self, direct: str) -> str:
        """`direct`, by way of this proxy."""
        _, port = self._listener.getsockname()
        return str(make_dsn(direct, host="127.0.0.1", port=port))

    def cut_after(self, count: int) -> None:
        """Let `count` more bytes through to the client, then end its connection.

        The server has sent its answer by then, so what was asked is committed.
        """
        self._left = count

    def cut_clients(self) -> None:
        """End the clients' connections; the server is not told."""
        for client in tuple(self._clients):  # not those that connect again meanwhile
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        # Closing alone would not wake the thread that accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_clients()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server_socket)
                self._clients.append(client)
                Thread(target=self._to_server, args=(client, server), daemon=True).start()
                Thread(target=self._to_client, args=(server, client), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        # When the client ends, the server's side stays open until the server has answered.
        with suppress(OSError), client:
            while data := client.recv(65536):
                server.sendall(data)

    def _to_client(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError), server:
            while data := server.recv(65536):
                self.passed += len(data)
                if self._left is not None and len(data) >= self._left:
                    client.sendall(data[: self._left])
                    self._left = None
                    break
                if self._left is not None:
                    self._left -= len(data)
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
