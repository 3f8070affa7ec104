"""Make the groups viewer and operator. The admin user is a superuser and needs neither."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.db import migrations

READABLE = ("state", "chains", "wallets", "discovery", "intelligence", "risk", "trading")
OPERATES = (
    ("state", "operate_engine"),
    ("state", "pull_killswitch"),
    ("state", "resume_engine"),
    ("state", "view_audit"),
    ("state", "change_incident"),
    ("trading", "trade_manually"),
)


def make_groups(apps, schema_editor):
    # Django makes permissions only after all migrations; the groups need them now.
    for label in READABLE:
        create_contenttypes(installed.get_app_config(label), apps=apps, verbosity=0)
        create_permissions(installed.get_app_config(label), apps=apps, verbosity=0)
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    viewer, _ = Group.objects.get_or_create(name="viewer")
    operator, _ = Group.objects.get_or_create(name="operator")
    readable = Permission.objects.filter(codename__startswith="view_", content_type__app_label__in=READABLE)
    readable = readable.exclude(codename="view_audit")
    viewer.permissions.add(*readable)
    operator.permissions.add(*readable)
    for app_label, codename in OPERATES:
        operator.permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))


class Migration(migrations.Migration):
    dependencies = [
        ("state", "0002_event_kinds_and_audit_head"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("chains", "0001_initial"),
        ("wallets", "0001_initial"),
        ("discovery", "0001_initial"),
        ("intelligence", "0001_initial"),
        ("risk", "0001_initial"),
        ("trading", "0001_initial"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
