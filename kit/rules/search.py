"""Search by words, Chinese characters, pinyin and initials over one stored, indexed column.

A searchable model has two columns: `pinyin`, filled by Python whenever a row is written, and `search`, a
generated `tsvector` of the text columns and the pinyin, made by the database function `sanhe_search`
(Latin words and digits, Chinese characters one by one and in pairs). `matching()` asks in the same terms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models
from django.db.models import F, Func, GeneratedField, Value
from pypinyin import Style, lazy_pinyin

# In one pass over the letters, and never more lexemes than a tsvector holds, whatever the text.
FUNCTION_SQL = r"""
CREATE OR REPLACE FUNCTION sanhe_search(source text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  plain text := lower(regexp_replace(
    normalize(left(coalesce(source, ''), 100000), NFKD), '[\u0300-\u036f]', '', 'g'));
  tokens text[] := ARRAY(
    SELECT left(word, 60) FROM regexp_split_to_table(plain, '[^a-z0-9\u00c0-\u024f\u0400-\u04ff]+') AS word
    WHERE word <> '');
BEGIN
  IF plain ~ '[\u3400-\u4dbf\u4e00-\u9fff]' THEN
    SELECT tokens || array_agg(letter) || coalesce(array_agg(letter || next) FILTER (WHERE next <> ''), '{}')
    INTO tokens
    FROM (
      SELECT letter, lead(letter) OVER (PARTITION BY run ORDER BY place) AS next
      FROM regexp_split_to_table(plain, '[^\u3400-\u4dbf\u4e00-\u9fff]+') WITH ORDINALITY AS runs(letters, run),
        string_to_table(letters, NULL) WITH ORDINALITY AS each(letter, place)
    ) AS pairs;
  END IF;
  RETURN array_to_tsvector(tokens);
END $$;
"""

LONGEST = 60  # letters of a word that the function above keeps
TERMS = 40  # more tell nothing that these do not
FEW = 5_000  # keys that are handed to the database in one list
# Handed back as it came, `{1,2,3}`: no key is read here.
_KEYS = """
SELECT {place}, count(*), array_agg(key)::text
  FROM (SELECT {key} AS key FROM {table} WHERE search @@ %s::tsquery LIMIT %s) AS found"""

QuerySetT = TypeVar("QuerySetT", bound=models.QuerySet[Any])

_WORDS = re.compile(r"[a-z0-9\u00c0-\u024f\u0400-\u04ff]+")
_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f").lower()


def tsquery(text: str) -> str:
    """The tsquery for what a person typed: words as prefixes, Chinese by pairs, all of the first 40 required.

    An empty string means that nothing in `text` can be searched for.
    """
    plain = _plain(text)
    terms = [f"'{word[:LONGEST]}':*" for word in _WORDS.findall(plain)]
    for run in _CHINESE.findall(plain):
        pairs = [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]
        terms += [f"'{pair}'" for pair in pairs]
    return " & ".join(list(dict.fromkeys(terms))[:TERMS])


def pinyin_key(text: str) -> str:
    """Search words for Chinese `text`: full pinyin and every tail of the initials (苏州明锐 -> szmr zmr mr r)."""
    words = []
    for run in _CHINESE.findall(text):
        initials = "".join(lazy_pinyin(run, style=Style.FIRST_LETTER))
        words += ["".join(lazy_pinyin(run)), *(initials[i:] for i in range(len(initials)))]
    return " ".join(words)[:1000]


class PinyinField(models.TextField):
    """Stores `pinyin_key` of the columns `sources`, computed on save and bulk_create."""

    def __init__(self, *args: Any, sources: tuple[str, ...] = ("name",), **kwargs: Any) -> None:
        self.sources = tuple(sources)
        kwargs.update(editable=False, blank=True, default="")
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("editable", "blank", "default"):
            kwargs.pop(fixed, None)
        return name, path, args, {**kwargs, "sources": self.sources}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        text = " ".join(str(getattr(model_instance, source) or "") for source in self.sources)
        value = pinyin_key(text)
        setattr(model_instance, self.attname, value)
        return value


class _Joined(Func):
    """`a || ' ' || b`, which unlike concat() is immutable and so fit for a generated column."""

    arg_joiner = " || ' ' || "
    template = "(%(expressions)s)"


def search_column(*columns: str) -> GeneratedField:
    """The stored `search` column over text `columns` (give it a GIN index with `search_index`)."""
    parts = [Func(F(column), Value(""), function="COALESCE") for column in columns]
    return GeneratedField(
        expression=Func(_Joined(*parts), function="sanhe_search"),
        output_field=SearchVectorField(),
        db_persist=True,
    )


@SearchVectorField.register_lookup
class Tokens(models.Lookup):
    """`column @@ query`, the query written in tsquery syntax (see `tsquery`)."""

    lookup_name = "tokens"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [value]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} @@ {right}::tsquery", [*left_params, *right_params]


def matching(queryset: QuerySetT, text: str, path: str = "search") -> QuerySetT:
    """Rows that match what a person typed; `path` leads to the search column (`customer__search`)."""
    query = tsquery(text)
    if not query:
        return queryset.none() if text.strip() else queryset
    return queryset.filter(**{f"{path}__tokens": query})


class AnyOf(models.Func):
    """`path = ANY(keys)`: the whole list is one text, which the database hashes, and not a value for each key."""

    template = "(%(expressions)s::bigint[]))"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()

    def __init__(self, path: str, keys: str) -> None:
        super().__init__(F(path), Value(keys, models.TextField()))


def hits(text: str, places: Mapping[str, type[models.Model]]) -> models.Q:
    """The condition for rows that match `text`: those of `places`, by the relation that leads there ("" is the row).

    Up to some thousand rows of each are looked up first (one statement): the database takes few of them by their keys
    then, and finds many in the index that the list is ordered by. What is still more common is met on a walk soon.
    """
    condition, query = models.Q(pk__in=[]), tsquery(text)
    if not query or not places:
        return condition
    name = connection.ops.quote_name
    parts = [
        _KEYS.format(place=place, key=name(str(model._meta.pk.column)), table=name(model._meta.db_table))
        for place, model in enumerate(places.values())
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [query, FEW + 1] * len(parts))
        found = sorted(cursor.fetchall())
    for (relation, model), (_place, many, keys) in zip(places.items(), found, strict=True):
        if 0 < many <= FEW:
            condition |= models.Q(AnyOf(relation or "pk", keys))
        elif many and relation:
            condition |= models.Q(**{f"{relation}__in": matching(model._default_manager.order_by(), text).values("pk")})
        elif many:
            condition |= models.Q(search__tokens=query)
    return condition
