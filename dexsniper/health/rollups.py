"""Rollups: what they charge for bringing a transaction's data to the chain below."""

from __future__ import annotations

from collections.abc import Iterator

from apps.chains.evm.client import EvmClient
from apps.chains.evm.fees import read_fees
from apps.chains.selectors import chain_profile, endpoint_configs, readable_chains
from apps.domain.errors import SniperError
from apps.domain.money import raw_to_units
from dexsniper.env import Environment
from dexsniper.health.check import Check, fault, good
from dexsniper.supervisor import running_instance


def data_fees(env: Environment) -> Iterator[Check]:
    """Check that each rollup says what it charges for data: nothing is bought where that is not known."""
    if env.is_sandbox and running_instance(env.data_dir) is None:
        return
    for row in readable_chains().exclude(data_fee_rule="none"):
        try:
            profile = chain_profile(row.key)
            fees = read_fees(EvmClient.for_profile(profile, endpoint_configs(row.key)), profile)
        except SniperError:
            continue  # told by its endpoints
        if not fees.is_data_fee_known:
            yield fault(
                "chains",
                row.name,
                "does not say what it charges for a transaction's data: nothing is bought there",
                remedy="Correct its data fee rule in the admin under Chains, or use another endpoint.",
            )
            continue
        price = (
            f"{fees.data_gas} gas"
            if fees.data_gas
            else f"{raw_to_units(fees.data_fee_raw, 18).normalize():f}"
        )
        unit = "" if fees.data_gas else f" {row.native_symbol}"
        yield good("chains", f"{row.name} data fee", f"{price}{unit} a swap")
