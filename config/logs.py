"""One event, one line: nobody writes lines of a log by what they type (S-24)."""

from __future__ import annotations

import logging
import re

# What a terminal or a log collector takes for the end of a line, or for a command.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
CONTINUED = "    | "  # a traceback keeps its lines, which no reader can take for events


def _shown(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")


class LineFormatter(logging.Formatter):
    """Control characters are written as escapes; the lines of a traceback are marked as such."""

    def format(self, record: logging.LogRecord) -> str:
        """The event; a traceback that another handler has written already is written anew."""
        kept, record.exc_text = record.exc_text, None
        try:
            return super().format(record)
        finally:
            record.exc_text = kept

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The first line."""
        return _CONTROL.sub(_shown, super().formatMessage(record))

    def formatException(self, ei: object) -> str:
        """The traceback; the message of an error may hold what somebody typed."""
        return self._continued(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:
        """The stack."""
        return self._continued(super().formatStack(stack_info))

    def _continued(self, text: str) -> str:
        lines = text.replace("\r", "\n").split("\n")
        return "\n".join(CONTINUED + _CONTROL.sub(_shown, line) for line in lines)
