"""`python -m config.health`: asks the web server in this container whether it is well; exit code 0 or 1."""

from __future__ import annotations

import http.client
import os
import sys


def healthy(port: int, host: str) -> bool:
    """Whether /healthz answers 200 to a request for `host`, which must be one of ALLOWED_HOSTS."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    first = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    sys.exit(not healthy(int(os.environ.get("PORT", "8000")), first))
