"""What a process prints that this one forked off: passed on as it comes, and kept."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pty
import select
import sys
import termios
import time
from collections.abc import Callable
from fcntl import ioctl

from relet.engine.progress import is_bar, without_overwritten_bars

# How many bytes are kept of the beginning, and of the end.
KEPT = 2**18
# What can be written to a pipe that has room, without waiting, and how much of it a pipe holds, and more.
_PIECE, _AT_ONCE = 2**12, 2**5


class PrintedOutput:
    """Both output streams of a forked process. It sees a terminal where this process prints to one.

    `tell` is called with each piece that is printed. What it shows of a bar is not printed to a terminal as well.
    """

    def __init__(self, tell: Callable[[bytes], None] | None = None) -> None:
        self._tell = tell
        self._reading, self._writing = _terminal() if os.isatty(2) else os.pipe()
        os.set_blocking(self._reading, False)
        self._first, self._last, self._left_out = b"", b"", 0
        self._open = True

    def take_over(self) -> None:
        """In the forked process: print here from now on."""
        sys.stdout.flush()
        os.dup2(self._writing, 1)
        os.dup2(self._writing, 2)
        os.close(self._writing)
        os.close(self._reading)
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]

    def begin(self) -> None:
        """In the process that forked: nothing more is written from here."""
        os.close(self._writing)

    def fileno(self) -> int:
        """The file descriptor that is ready when something was printed."""
        return self._reading

    @property
    def goes_on(self) -> bool:
        """Whether more can come."""
        return self._open

    def pass_on(self, patience: float = 0.0) -> None:
        """Keep what was printed by now, as much as a pipe holds, and pass it on.

        Where whoever reads this process's output is slow, he gets what he takes within `patience` seconds; without
        patience the rest waits in the pipe, and the forked process waits with it.
        """
        until = time.monotonic() + patience
        for _ in range(_AT_ONCE):
            heard = self.is_heard(until - time.monotonic())
            if not (self._open and (heard or patience) and select.select([self._reading], [], [], 0)[0]):
                return
            try:
                piece = os.read(self._reading, _PIECE)
            except BlockingIOError:
                return
            except OSError:  # a terminal that nobody writes to any more
                piece = b""
            if not piece:
                self.end()
                return
            self._keep(piece)
            if self._tell:
                self._tell(piece)
            if heard and not (self._tell and os.isatty(2) and is_bar(piece)):
                with contextlib.suppress(OSError):
                    os.write(2, piece)

    @staticmethod
    def is_heard(patience: float = 0.0) -> bool:
        """Whether this process can print without waiting, or can within `patience` seconds."""
        try:
            return bool(select.select([], [2], [], max(0.0, patience))[1])
        except OSError:  # it is closed: nobody waits for anything
            return True

    def end(self) -> None:
        """Read no more. What goes on in the background, and prints, gets an error."""
        if self._open:
            self._open = False
            os.close(self._reading)

    @property
    def text(self) -> str:
        """What was printed; of very much the beginning and the end, of a bar the last state."""
        return without_overwritten_bars(self._kept_text())

    def _kept_text(self) -> str:
        if not self._left_out:
            return (self._first + self._last).decode(errors="replace")
        first, last = self._first.decode(errors="replace"), self._last.decode(errors="replace")
        return f"{first}\n… {self._left_out:,} bytes are left out …\n{last.partition(chr(10))[2]}"

    def _keep(self, piece: bytes) -> None:
        room = KEPT - len(self._first)
        self._first += piece[:room]
        self._last += piece[room:] if room > 0 else piece
        if len(self._last) > 2 * KEPT:
            self._left_out += len(self._last) - KEPT
            self._last = self._last[-KEPT:]


def flush_native_streams() -> None:
    """Write out what libraries in C have printed and hold back, as they do where they print to no terminal."""
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).fflush(None)


def _terminal() -> tuple[int, int]:
    """A terminal of its own, as wide as the one that this process prints to, that changes no line's end."""
    reading, writing = pty.openpty()
    with contextlib.suppress(OSError):
        ioctl(writing, termios.TIOCSWINSZ, ioctl(2, termios.TIOCGWINSZ, b"\0" * 8))
    modes = termios.tcgetattr(writing)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(writing, termios.TCSANOW, modes)
    return reading, writing
