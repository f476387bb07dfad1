"""A file of 100,000 customers, compared with those that are there and with one another (rule C-01), and the same again.

The second file has the same companies under other codes: every row of it is refused.
"""

from __future__ import annotations

import io
import resource
import time

from harness import database, results
from harness.results import Figure

from crm.customers.models import Customer
from kit.exchange.importing import Report, importer_of, run
from kit.exchange.reading import read_table

ROWS = 100_000
MEMORY = 300  # MB that the process may take
TITLES = "code,name,short_name,city,country,phone,tax_number,status,address"
_WORDS = "精工恒达明锐博远启源聚能海川天控鼎盛华创星宇光耀宏图立新力合万象同兴瑞丰永信安泰金石长风"
_KINDS = ("机械", "自动化设备", "电子", "模具", "包装", "新能源", "五金", "仪器")
_CITIES = ("苏州", "无锡", "上海", "宁波", "东莞", "深圳", "厦门", "武汉")


def main() -> None:
    """Import, import again, and tell how long it took and how much memory."""
    database.fresh("customers")
    before = _memory()
    taken, report = _import("A")
    assert report.written and Customer.objects.count() == ROWS, report.errors[:3]
    print(f"{ROWS:,} customers in {taken:.0f} s, memory {_memory():.0f} MB, {before:.0f} MB of them before")
    figures = [Figure("import_customers", taken, "s", None, 300, 90)]
    again, report = _import("B")
    assert not report.written and report.bad_rows == ROWS
    print(f"the same companies again, all refused, in {again:.0f} s, memory {_memory():.0f} MB")
    figures.append(Figure("import_customers_memory", _memory(), "MB", None, MEMORY, MEMORY))
    results.keep(figures)


def _import(letter: str) -> tuple[float, Report]:
    table = read_table(_file(letter), "customers.csv")
    start = time.perf_counter()
    report = run(importer_of("customers"), table)
    table.close()
    return time.perf_counter() - start, report


def _file(letter: str) -> bytes:
    """The file; the names of companies differ, and sound alike."""
    text = io.StringIO()
    text.write(TITLES + "\n")
    for n in range(ROWS):
        city, kind = _CITIES[n % 8], _KINDS[n // 8 % 8]
        name = "".join(_WORDS[n // 64 // 40**place % 40] for place in range(2))
        text.write(
            f"{letter}{n:06},{city}{name}{kind}有限公司,{name}{kind},{city},中国,0512-{60000000 + n},"
            f"91320500MA{n:08},active,工业大道{n % 900}号\n"
        )
    return text.getvalue().encode()


def _memory() -> float:
    """The most that this process ever took, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
