"""Names and numbers of customers in the form in which they are compared (rule C-01), made by the database.

One definition for what is stored, which is found by an index, and for what is typed or comes in files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Func, TextField

# `crm_plain`: width, case, spaces and punctuation do not count, in any language of the database.
# `crm_name_words`: nor does what says how a company is organised or the province or city before its name.
FUNCTION_SQL = r"""
CREATE OR REPLACE FUNCTION crm_plain(source text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT regexp_replace(
    lower(normalize(coalesce(source, ''), NFKC)),
    '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u2e00-\u2e7f\u3000-\u303f\ufe10-\ufe6f\uff00-\uff20]+',
    '', 'g')
$$;
CREATE OR REPLACE FUNCTION crm_name_words(source text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  forms text := '(股份有限公司|有限责任公司|集团有限公司|有限公司|分公司|公司|集团)$'
    || '|\y(company limited|co\.?,? ?ltd|limited|ltd|inc|llc|corp|corporation|gmbh|ag|s\.?a|b\.?v|plc|co)\y\.?';
  place text := '^[\u4e00-\u9fff]{2,3}?[省市](?=[\u4e00-\u9fff]{2})';
  words text := btrim(regexp_replace(lower(normalize(coalesce(source, ''), NFKC)), '\([^)]*\)', ' ', 'g'));
  shorter text;
BEGIN
  LOOP
    shorter := btrim(regexp_replace(btrim(regexp_replace(words, forms, ' ', 'g')), place, ''));
    EXIT WHEN shorter = words OR shorter = '';
    words := shorter;
  END LOOP;
  RETURN words;
END $$;
"""


class Plain(Func):
    """A number, or the words of a name, as they are compared."""

    function = "crm_plain"
    output_field = TextField()


class NameWords(Func):
    """The words of a name that tell which company it is."""

    function = "crm_name_words"
    output_field = TextField()


class Forms(NamedTuple):
    """A name and a tax number in plain form; `words` keeps the spaces of the name."""

    words: str
    name: str
    number: str


def plain_forms(given: Sequence[tuple[str, str]]) -> list[Forms]:
    """The plain forms of (name, tax number) pairs, in their order, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT crm_name_words(name), crm_plain(crm_name_words(name)), crm_plain(number)
            FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given(name, number, place) ORDER BY place""",
            [[name for name, _number in given], [number for _name, number in given]],
        )
        return [Forms(*row) for row in cursor.fetchall()]
