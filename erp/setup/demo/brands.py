"""Names for the customers of copied trade: each has a brand of its own, so that a search finds few of many."""

from __future__ import annotations

from typing import Any

from crm.customers.models import Customer
from kit.rules.search import pinyin_key

FIRST = "华中天金宏恒瑞德鼎盛泰康嘉永正大安东海新科创联合众诚信达通远博文景云星晨旭辉明凯伟杰力群英智慧卓越飞鸿"
SECOND = "拓峰源润泽成业兴隆昌茂森林宝玉珠琪瑶洋涛波澜江河川岳岭嵩泉溪桥航宇宙环球邦域方圆图纪元亿佳美优良益利丰"

_RENAME = f"""
UPDATE {Customer._meta.db_table} c SET name = v.name, short_name = v.short, pinyin = v.pinyin,
       invoice_title = CASE c.invoice_title WHEN '' THEN '' ELSE v.name END
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS v (id, name, short, pinyin) WHERE c.id = v.id
"""


def rename_customers(cursor: Any, last: int, copies: range) -> None:
    """Name the customers of `copies`, whose keys are those of the originals (up to `last`) and `last` a copy more."""
    rows = []
    for key, name, short in Customer.objects.filter(pk__lte=last).values_list("pk", "name", "short_name"):
        for copy in copies:
            named, brief = _named(name, short, key, copy)
            rows.append((key + copy * last, named, brief, pinyin_key(f"{named} {brief}")))
    cursor.execute(_RENAME, [list(column) for column in zip(*rows, strict=True)])


def _named(name: str, short: str, key: int, copy: int) -> tuple[str, str]:
    """Another brand in the place of the first two characters of the short name; foreigners are counted."""
    if short.isascii():
        return f"{name} {copy + 1}", f"{short} {copy + 1}"
    place = copy + key * 131
    brand = FIRST[place % len(FIRST)] + SECOND[place // len(FIRST) % len(SECOND)]
    return name.replace(short[:2], brand, 1), brand + short[2:]
