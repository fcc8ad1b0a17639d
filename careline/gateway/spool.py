"""What arrived while the database was away: encrypted lines on disk, taken in again when it is back.

Losing a patient's words because a database is restarting is not acceptable; neither is waiting for it before the
emergency advice goes out.
"""

from __future__ import annotations

import fcntl
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from careline.clinic.crypto import decrypt, encrypt


class Spool:
    """An append-only file of encrypted JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, item: dict[str, Any]) -> None:
        """Keep `item`; on disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(encrypt(json.dumps(item)) + "\n")
            file.flush()

    def drain(self, take: Callable[[dict[str, Any]], None]) -> int:
        """Hand each kept item to `take`, oldest first; from the first that it raises on, they stay. The number taken.

        The file is moved aside first, so that `take` may itself keep something, and locked, so that two processes
        do not take the same one. What a killed process left aside is found again.
        """
        if self._path.exists() and self._path.stat().st_size:
            self._path.rename(self._path.with_suffix(f".{uuid.uuid4().hex}.taking"))
        taken = 0
        for aside in sorted(self._path.parent.glob(f"{self._path.stem}.*.taking"), key=lambda p: p.stat().st_mtime):
            taken += self._drain_file(aside, take)
        return taken

    def _drain_file(self, aside: Path, take: Callable[[dict[str, Any]], None]) -> int:
        try:
            file = open(aside, "r+", encoding="ascii")  # noqa: SIM115 (closed below)
        except FileNotFoundError:
            return 0  # another process was there first
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            lines = file.read().splitlines()
            taken = 0
            try:
                for line in lines:
                    take(json.loads(decrypt(line)))
                    taken += 1
            finally:
                if taken == len(lines):
                    aside.unlink(missing_ok=True)
                else:
                    file.seek(0)
                    file.truncate()
                    file.writelines(line + "\n" for line in lines[taken:])
        return taken
