"""What the architecture tests read: the project's own files."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "kit", "oa", "crm", "erp")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()))


def files(*suffixes: str, under: tuple[str, ...] = ()) -> list[Path]:
    """Tracked files by suffix, in the given top folders only."""
    return [
        path
        for path in tracked()
        if path.suffix in suffixes and (not under or path.relative_to(ROOT).parts[0] in under)
    ]


def name(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()


def code() -> list[Path]:
    """The program's own Python files, without migrations, which Django writes."""
    return [path for path in files(".py", under=PACKAGES) if "migrations" not in path.parts]


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Every function as (dotted name, node, whether it is on the module or a class of it)."""

    def walk(node: ast.AST, prefix: str, outer: bool) -> Iterator[tuple[str, ast.FunctionDef, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{prefix}{child.name}", child, outer
                yield from walk(child, f"{prefix}{child.name}.", False)
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, f"{prefix}{child.name}.", outer)
            else:
                yield from walk(child, prefix, outer)

    yield from walk(tree(path), "", True)
