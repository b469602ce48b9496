"""The sandbox's memory across restarts: one JSON line a change, only ever appended.

A line is in the kernel's hands before the request it belongs to is answered, so
kill -9 loses nothing. A power cut may: this is a sandbox, it does not fsync.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FILE = "journal.jsonl"


class JournalError(Exception):
    """The journal cannot be used. The text is a sentence for the operator."""


class Journal:
    """Lines `[kind, fields]`, in a directory that one process uses at a time."""

    def __init__(self, directory: Path) -> None:
        """Raises `JournalError` if the directory cannot be used or another process has it."""
        self._path = directory / _FILE
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as exc:
            raise JournalError(f"{directory} cannot be used: {exc.strerror}") from exc
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(self._file)
            raise JournalError(f"{directory} is in use by another sandbox") from exc

    def load(self) -> Iterator[tuple[str, Any]]:
        """Every line, oldest first. A torn last line is cut off: it was never acknowledged."""
        whole = 0
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                yield self._read(line)
                whole += len(line)
        os.ftruncate(self._file, whole)

    def _read(self, line: bytes) -> tuple[str, Any]:
        try:
            kind, fields = json.loads(line)
        except ValueError as exc:
            raise JournalError(f"{self._path} is damaged before its last line") from exc
        return kind, fields

    def append(self, kind: str, fields: object) -> None:
        """Raises `OSError` if it cannot be written, and then leaves no part of it."""
        line = json.dumps([kind, fields]).encode() + b"\n"
        written = os.write(self._file, line)
        if written < len(line):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def close(self) -> None:
        os.close(self._file)


class NoJournal:
    """Nothing is kept: what `--state` is for."""

    def load(self) -> Iterator[tuple[str, Any]]:
        return iter(())

    def append(self, kind: str, fields: object) -> None:
        pass

    def close(self) -> None:
        pass
