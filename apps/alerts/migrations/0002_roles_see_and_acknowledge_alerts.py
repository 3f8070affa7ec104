"""Let viewers see alerts, and whoever operates acknowledge them, send tests and pair the bot."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.db import migrations

SEES = ("view_alertrecord", "view_delivery")
OPERATES = (*SEES, "change_alertrecord", "send_test", "pair_bot")
#: Whatever the groups are called when this runs.
GROUPS = {"viewer": SEES, "operator": OPERATES, "trader": OPERATES, "admin": OPERATES}


def permit(apps, schema_editor):
    # Django makes permissions only after all migrations; the groups need them now.
    create_contenttypes(installed.get_app_config("alerts"), apps=apps, verbosity=0)
    create_permissions(installed.get_app_config("alerts"), apps=apps, verbosity=0)
    Permission = apps.get_model("auth", "Permission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=list(GROUPS)):
        found = Permission.objects.filter(content_type__app_label="alerts", codename__in=GROUPS[group.name])
        group.permissions.add(*found)


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0001_alerts_deliveries_and_bot"),
        ("state", "0003_groups"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(permit, migrations.RunPython.noop)]
