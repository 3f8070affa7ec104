"""Make the roles viewer, trader and admin: who was an operator is a trader now."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.db import migrations

OURS = ("state", "chains", "wallets", "discovery", "intelligence", "risk", "trading", "alerts", "api", "sandbox")
PEOPLE = ("user", "group")


def make_roles(apps, schema_editor):
    # Django makes permissions only after all migrations; the groups need them now.
    for label in (*OURS, "auth"):
        create_contenttypes(installed.get_app_config(label), apps=apps, verbosity=0)
        create_permissions(installed.get_app_config(label), apps=apps, verbosity=0)
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    operator = Group.objects.filter(name="operator").first()
    trader = Group.objects.filter(name="trader").first()
    if operator is not None and trader is None:
        operator.name = "trader"
        operator.save()
    elif operator is not None:
        trader.permissions.add(*operator.permissions.all())
        for user in operator.user_set.all():
            user.groups.add(trader)
        operator.delete()
    admin, _ = Group.objects.get_or_create(name="admin")
    admin.permissions.add(*Permission.objects.filter(content_type__app_label__in=OURS))
    admin.permissions.add(
        *Permission.objects.filter(content_type__app_label="auth", content_type__model__in=PEOPLE)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0001_operators_reset_breakers"),
        ("state", "0004_append_only_log"),
        ("chains", "0007_gas_rules_of_known_chains"),
        ("wallets", "0002_locks_limits_remote_signers_labels"),
        ("discovery", "0003_pair_add_funder"),
        ("intelligence", "0008_wallet_records"),
        ("risk", "0006_guard_estimates"),
        ("trading", "0008_order_way"),
        ("sandbox", "0001_initial"),
        ("alerts", "0002_roles_see_and_acknowledge_alerts"),
        ("api", "0001_tokens_and_idempotency_keys"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
