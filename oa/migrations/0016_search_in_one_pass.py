from django.db import migrations

from kit.rules.search import FUNCTION_SQL


class Migration(migrations.Migration):
    """The function behind every `search` column answers as before, in one pass over the letters."""

    dependencies = [("oa", "0015_drafts")]
    operations = [migrations.RunSQL(FUNCTION_SQL, migrations.RunSQL.noop)]
