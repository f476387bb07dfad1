from django.db import migrations


class Migration(migrations.Migration):
    """"Required reading" was a mark without readers: who has to read is said anew."""

    dependencies = [("oa", "0011_eng")]

    operations = [
        migrations.RunSQL(
            "UPDATE oa_librarydocument SET required_reading = FALSE WHERE required_reading AND reading_since IS NULL",
            migrations.RunSQL.noop,
        )
    ]
