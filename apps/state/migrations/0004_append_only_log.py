"""Hold the event log append-only in the database itself."""

from django.db import migrations

from apps.state import append_only


class Migration(migrations.Migration):
    dependencies = [("state", "0003_groups")]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: append_only.install(schema_editor.connection),
            lambda apps, schema_editor: append_only.remove(schema_editor.connection),
        )
    ]
