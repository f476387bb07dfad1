"""House rules that a machine can check on the sources."""

from __future__ import annotations

import ast
import re
from collections import Counter

import sources

LENGTHS = {".py": 400, ".js": 400, ".css": 600, ".html": 150}
FUNCTION_LENGTH = 40


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_files_are_short():
    long = {}
    for path in sources.files(*LENGTHS):
        if "migrations" in path.parts or (path.suffix == ".html" and "templates" not in path.parts):
            continue
        if (count := len(lines(path))) > LENGTHS[path.suffix]:
            long[sources.name(path)] = count
    assert not long, "\n" + "\n".join(f"{name}: {count} lines" for name, count in long.items())


def test_every_file_of_tests_has_a_name_of_its_own():
    """Two of one name are one module to pytest, and the second is never run."""
    names = Counter(path.name for path in (sources.ROOT / "tests").rglob("test_*.py"))
    assert [name for name, times in names.items() if times > 1] == []


def test_functions_are_short():
    long = {}
    for path in sources.code():
        for name, node, _outer in sources.functions(path):
            if (count := node.end_lineno - node.lineno + 1) > FUNCTION_LENGTH:
                long[f"{sources.name(path)}:{name}"] = count
    assert not long, "\n" + "\n".join(f"{name}: {count} lines" for name, count in long.items())


def commands():
    """Files of the rooms whose functions other rooms call: services and ledgers."""
    for path in sources.code():
        if "reports" not in path.parts and {
            "services",
            "ledger",
            "ledger.py",
            "services.py",
            "openitems.py",
            "openitems",
        } & set(path.parts):
            yield path


def test_commands_are_typed_and_described():
    wrong = []
    for path in commands():
        for name, node, outer in sources.functions(path):
            if not outer or any(part.startswith("_") for part in name.split(".")):
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            typed = all(a.annotation or a.arg in {"self", "cls"} for a in arguments) and node.returns is not None
            if not typed or not ast.get_docstring(node):
                wrong.append(f"{sources.name(path)}:{node.lineno} {name}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_money_is_never_a_float():
    wrong = []
    # A picture's coordinates and a spreadsheet's cells are binary numbers by nature.
    allowed = {"kit/exchange/charts.py", "kit/exchange/exporting.py"}
    for path in sources.code():
        if sources.name(path) in allowed:
            continue
        for node in ast.walk(sources.tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
                wrong.append(f"{sources.name(path)}:{node.lineno} float(...)")
            if isinstance(node, ast.Attribute) and node.attr == "FloatField":
                wrong.append(f"{sources.name(path)}:{node.lineno} FloatField")
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_machine_path_and_no_registry_host():
    # Put together here, so that this file does not name them.
    hosts = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "un" + "pkg.com", "js" + "delivr.net"]
    paths = ["/ro" + "ot/", "/ho" + "me/", "/wo" + "rk/", "/Us" + "ers/", "/opt/" + "py"]
    pattern = re.compile("|".join(re.escape(part) for part in [*hosts, *paths]))
    wrong = []
    for path in sources.tracked():
        if path.suffix in {".png", ".ico", ".woff2", ".pdf", ".xlsx", ".zip", ".jpg", ".webp"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        wrong += [f"{sources.name(path)}: {found.group()}" for found in pattern.finditer(text)]
    assert not wrong, "\n" + "\n".join(wrong)


def test_requirements_are_pinned_with_hashes():
    """S-25: what is installed is what was looked at, from whichever index it comes; `make audit` asks for weaknesses."""
    for path in sources.files(".txt", under=("requirements",)):
        text = path.read_text()
        assert "://" not in text, path
        assert text.count("==") and "--hash=sha256:" in text, path


CALLING = {"requests", "urllib3", "httpx", "aiohttp", "http.client", "urllib.request", "ftplib", "socket", "smtplib"}
OWN_SERVER = {"config/health.py", "config/management/commands/run.py"}  # ask whether our own web server answers


def test_nothing_asks_an_address_that_somebody_typed():
    """S-14: no module of the program can ask other machines; mail, database, broker and files go through Django's."""
    asking = set()
    for path in sources.code():
        for node in ast.walk(sources.tree(path)):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [f"{node.module}.{one.name}" for one in node.names] if isinstance(node, ast.ImportFrom) else []
            if any(name == one or name.startswith(f"{one}.") for name in names for one in CALLING):
                asking.add(sources.name(path))
    assert asking - OWN_SERVER == set()


def templates():
    return [path for path in sources.files(".html", ".txt", ".svg") if "templates" in path.parts]


def found(pattern, flags=re.IGNORECASE):
    compiled = re.compile(pattern, flags)
    for path in templates():
        for match in compiled.finditer(path.read_text(encoding="utf-8")):
            number = path.read_text(encoding="utf-8")[: match.start()].count("\n") + 1
            yield f"{sources.name(path)}:{number} {match.group()[:60]}", path


def test_templates_keep_the_strict_policy():
    # Mail is read by mail programs, which know no style sheets of ours.
    wrong = [text for text, path in found(r"<[a-z][^>{]*\sstyle\s*=") if "mail" not in path.parts]
    wrong += [text for text, _ in found(r"<[a-z][^>]*\son[a-z]+\s*=\s*[\"']")]
    wrong += [text for text, _ in found(r"<script(?![^>]*\b(?:src|nonce|application/json)\b)[^>]*>")]
    wrong += [text for text, _ in found(r"javascript:")]
    wrong += [text for text, path in found(r"<style\b") if "mail" not in path.parts]
    assert not wrong, "\n" + "\n".join(wrong)


def test_templates_format_through_our_own_filters():
    wrong = [text for text, _ in found(r"\|\s*(floatformat|date|time|localize|intcomma)\b", 0)]
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_task_module_is_found_by_celery():
    from config.celery import task_packages

    for package in task_packages():
        assert __import__(f"{package}.tasks", fromlist=["x"])
