"""Where this installation keeps its data, and as which user its embedded servers run."""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# A unix socket path holds at most 104 bytes on macOS and 108 on Linux.
LONGEST_SOCKET = 100
SOCKET_NAME = ".s.PGSQL.5432"

# Where root keeps the data of an installation that lies in a folder which no other user may enter.
SYSTEM_FOLDER = Path("/var/lib/sanhe")


class PlaceError(RuntimeError):
    """The data folder cannot be used; the text says what to do."""


def var() -> Path:
    """The folder of everything this installation writes: `SANHE_VAR`, by default `var/` in the project."""
    folder = Path(os.environ.get("SANHE_VAR") or "var").expanduser()
    return (folder if folder.is_absolute() else ROOT / folder).resolve()


def digest(path: Path) -> str:
    """A short name that stands for `path`."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:10]


def services() -> Path:
    """The folder of the embedded servers, as a real path.

    Usually `var/services`. Where root works below a folder that the servers' unprivileged user may not
    enter (such as root's home), it is `/var/lib/sanhe/<hash>` and `var/services` is a link to it; the
    link, once made, decides.
    """
    home = var() / "services"
    if home.exists() or home.is_symlink():
        return home.resolve()
    if os.geteuid() == 0 and not enterable(nearest(var()), unprivileged()):
        return SYSTEM_FOLDER / digest(var())
    return home


def sockets() -> Path:
    """The folder of the unix sockets: that of the servers, or a short one where its path is too long."""
    home = services()
    if len(os.fsencode(home / SOCKET_NAME)) < LONGEST_SOCKET:
        return home
    return Path("/tmp") / f"sanhe-{digest(home)}"  # nosec B108  # noqa: S108 - made with mode 0700, its owner is checked


def nearest(path: Path) -> Path:
    """The nearest folder at or above `path` that exists."""
    return path if path.exists() else nearest(path.parent)


@cache
def unprivileged() -> pwd.struct_passwd:
    """The account of the servers when root starts them, because PostgreSQL refuses to run as root."""
    for name in ("sanhe", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PlaceError("No account “nobody” or “sanhe” to run the embedded servers; set DATABASE_URL and REDIS_URL.")


def enterable(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether `account` may read what lies in `path`, asked as that account."""
    probe = ["/bin/sh", "-c", 'test -x "$0"', str(path)]
    return subprocess.run(probe, cwd="/", check=False, **as_account(account)).returncode == 0


def as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments for `subprocess` that run a command as `account` (None: as who we are)."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def server_account() -> pwd.struct_passwd | None:
    """The account that the servers run under; None: the present one. Root follows the owner of the data."""
    if os.geteuid() != 0:
        return None
    home = services()
    if home.exists() and (owner := home.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    return unprivileged()


def prepare() -> None:
    """Make the folders: only the servers' account may enter theirs."""
    folder = var()
    folder.mkdir(parents=True, exist_ok=True)
    account = server_account()
    if account and not enterable(folder, account):
        folder.chmod(folder.stat().st_mode | 0o011)
    home = services()
    link = folder / "services"
    if home != link and not link.is_symlink():
        SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        link.symlink_to(home)
    private(home, account)
    private(sockets(), account)


def private(folder: Path, account: pwd.struct_passwd | None) -> None:
    """Make `folder` one that only `account` (None: we) may enter, or refuse when another one owns it."""
    owner = account.pw_uid if account else os.geteuid()
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
    status = folder.lstat() if folder.is_symlink() else folder.stat()
    if status.st_uid == 0 and account and owner:
        os.chown(folder, account.pw_uid, account.pw_gid)
    elif status.st_uid != owner:
        raise PlaceError(
            f"{folder} belongs to another user (id {status.st_uid}). Run as that user, or choose another "
            "data folder with SANHE_VAR."
        )
    if status.st_mode & 0o077:
        folder.chmod(0o700)
