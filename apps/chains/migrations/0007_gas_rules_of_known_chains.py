"""Give the known chains that stand already the gas rules that they have; a new installation loads them with the chains."""

from django.db import migrations

_RULES = {
    56: {"base_fee_rule": "zero"},
    137: {"base_fee_rule": "told"},
    8_453: {"base_fee_rule": "told", "data_fee_rule": "op_stack"},
    42_161: {"base_fee_rule": "told", "data_fee_rule": "arbitrum", "ignores_tips": True},
}


def give_rules(apps, schema_editor):
    """Set the columns that were just added; nobody can have changed them yet."""
    chain = apps.get_model("chains", "Chain")
    for chain_id, rules in _RULES.items():
        chain.objects.filter(chain_id=chain_id, is_sandbox=False).update(**rules)


class Migration(migrations.Migration):
    dependencies = [("chains", "0006_chain_gas_rules")]

    operations = [migrations.RunPython(give_rules, migrations.RunPython.noop)]
