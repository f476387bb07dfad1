from django.db import migrations

from kit.rules.search import FUNCTION_SQL


class Migration(migrations.Migration):
    """The function behind every `search` column."""

    dependencies = [("oa", "0001_initial")]
    operations = [migrations.RunSQL(FUNCTION_SQL, "DROP FUNCTION sanhe_search(text)")]
