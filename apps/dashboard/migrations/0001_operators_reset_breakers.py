"""Let operators arm a tripped breaker on the pages, as they may on the command line."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.db import migrations


def permit(apps, schema_editor):
    # Django makes permissions only after all migrations; the group needs this one now.
    create_contenttypes(installed.get_app_config("risk"), apps=apps, verbosity=0)
    create_permissions(installed.get_app_config("risk"), apps=apps, verbosity=0)
    permission = apps.get_model("auth", "Permission").objects.get(
        content_type__app_label="risk", codename="reset_breaker"
    )
    apps.get_model("auth", "Group").objects.get(name="operator").permissions.add(permission)


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("state", "0003_groups"),
        ("risk", "0003_budget_scopes_breaker_guard_refusals"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(permit, migrations.RunPython.noop)]
