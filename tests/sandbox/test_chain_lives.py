"""Chains that are stopped, killed, set back and replaced, started as the supervisor starts them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from apps.chains.models import Chain, DexDeployment, Endpoint, Locker, StableToken
from apps.sandbox.deploy import chain_deploy
from apps.sandbox.life import ChainLife
from apps.sandbox.models import SandboxBlock, SandboxLaunch, SandboxRun
from apps.sandbox.rows import rows_write
from apps.sandbox.rpc import SandboxRpc
from apps.sandbox.store import launch_row, recall, write_one
from tests.sandbox.chains import BSC, Environment, node_url, started_node

pytestmark = [pytest.mark.chain, pytest.mark.django_db]
SEED = 8


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Environment(data_dir=tmp_path, sandbox_port_base=probe.getsockname()[1] - BSC.port_offset)


def opened(environment: Environment) -> ChainLife:
    """Do what the driver does when it meets a chain."""
    rpc = SandboxRpc(node_url(environment, spec=BSC))
    deployment = chain_deploy(BSC, rpc)
    rows_write(deployment, seed=SEED)
    life = ChainLife(at=deployment, rpc=rpc, seed=SEED)
    life.settle_in()
    earlier, next_number = recall(chain_key=BSC.key, head=life.head, seed=SEED)
    life.resume(earlier, next_number=next_number)
    return life


def lived(life: ChainLife, *, ticks: int) -> None:
    for _ in range(ticks):
        mined = life.tick(pairs_per_s=2.0)
        write_one(BSC.key, mined, [launch_row(running) for running in mined.launches])


def test_stopped_and_started_then_same_chain_and_launches_go_on(environment: Environment) -> None:
    with started_node(environment, spec=BSC):
        before = opened(environment)
        lived(before, ticks=15)
    with started_node(environment, spec=BSC):
        after = opened(environment)
        assert not after.at.is_new
        assert after.at.genesis_hash == before.at.genesis_hash
        assert after.head == before.head
        assert {n: item.reserves for n, item in after.running.items()} == {
            n: item.reserves for n, item in before.running.items()
        }
        lived(after, ticks=10)
        assert after.head == before.head + 10
        numbers = list(SandboxLaunch.objects.order_by("number").values_list("number", flat=True))
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 30


def test_killed_then_older_chain_and_book_of_the_sandbox_follows_it(environment: Environment) -> None:
    with started_node(environment, spec=BSC):
        lived(opened(environment), ticks=10)
    with started_node(environment, spec=BSC) as node:
        life = opened(environment)
        stored_head = life.head
        lived(life, ticks=8)
        lost = SandboxLaunch.objects.filter(created_block_number__gt=stored_head)
        assert lost.exists()
        node.kill()
        node.wait(timeout=10)
    with started_node(environment, spec=BSC):
        life = opened(environment)
        assert life.head == stored_head
        assert not SandboxLaunch.objects.filter(created_block_number__gt=stored_head).exists()
        assert not SandboxLaunch.objects.filter(rugged_block_number__gt=stored_head).exists()
        lived(life, ticks=8)
        born_again = SandboxLaunch.objects.filter(created_block_number__gt=stored_head)
        assert born_again.exists()
        for launch in born_again:
            code = life.rpc.call("eth_getCode", launch.token_address, "latest")
            assert code != "0x", launch


def test_replaced_by_a_fresh_chain_then_recognised_and_nothing_old_is_told(environment: Environment) -> None:
    with started_node(environment, spec=BSC):
        first = opened(environment)
        lived(first, ticks=6)
    (environment.data_dir / "chains" / f"{BSC.process_name}.json").unlink()
    with started_node(environment, spec=BSC):
        second = opened(environment)
    assert second.at.is_new
    assert second.at.genesis_hash != first.at.genesis_hash
    assert Chain.objects.get(key=BSC.key).genesis_hash == second.at.genesis_hash
    assert SandboxRun.objects.get(chain_key=BSC.key).genesis_hash == second.at.genesis_hash
    assert not SandboxLaunch.objects.exists()
    assert not SandboxBlock.objects.exists()
    assert second.next_number == 0


def test_deployed_twice_then_one_of_each_and_nothing_is_sent(environment: Environment) -> None:
    with started_node(environment, spec=BSC):
        rpc = SandboxRpc(node_url(environment, spec=BSC))
        first = chain_deploy(BSC, rpc)
        head = rpc.call("eth_blockNumber")
        second = chain_deploy(BSC, rpc)
        assert rpc.call("eth_blockNumber") == head
    for deployment in (first, second, second):
        rows_write(deployment, seed=SEED)
    assert (first.is_new, second.is_new) == (True, False)
    assert (first.router, first.factory, first.wrapped) == (second.router, second.factory, second.wrapped)
    counts = [
        model.objects.count() for model in (Chain, DexDeployment, Endpoint, Locker, StableToken, SandboxRun)
    ]
    assert counts == [1, 2, 1, 1, 1, 1]  # two exchanges: PancakeSwap V2 and Uniswap V3
    chain = Chain.objects.get()
    assert chain.is_sandbox
    assert chain.profile_of == "eip155:56"
    assert chain.chain_id != 56
