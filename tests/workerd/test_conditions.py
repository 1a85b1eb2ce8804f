"""Which transport a bundler takes into a bundle, by the conditions that it is told."""

from __future__ import annotations

import pytest
from workers import CONDITIONS, bundle

SOCKET = 'import { Socket } from "commonsocket"; console.log(Socket);'
WORKER = 'export { connect } from "commonsocket/worker";'


def transports(files: set[str]) -> set[str]:
    """Return the folders of the transports that are among the files of the package."""
    return {parts[2] for file in files if (parts := file.split("/"))[:2] == ["src", "transports"] and len(parts) > 3}


@pytest.mark.parametrize("conditions", ["workerd", "workerd,browser", CONDITIONS])
def test_for_workerd_it_is_that_of_workerd_alone(tmp_path, conditions):
    _, files = bundle(tmp_path, SOCKET, conditions)
    assert transports(files) == {"workerd"}


def test_for_a_browser_nothing_of_workerd_or_node_is_in_it(tmp_path):
    script, files = bundle(tmp_path, SOCKET, "browser")
    assert "websocket" in transports(files)
    assert transports(files).isdisjoint({"workerd", "node", "deno", "bun", "host"})
    assert "cloudflare:" not in script.read_text()


@pytest.mark.parametrize("runtime", ["node", "deno", "bun"])
def test_for_other_runtimes_nothing_of_workerd_is_in_it(tmp_path, runtime):
    _, files = bundle(tmp_path, SOCKET, runtime)
    assert runtime in transports(files)
    assert "workerd" not in transports(files)


def test_a_worker_gets_the_host_of_its_platform(tmp_path):
    _, files = bundle(tmp_path, WORKER)
    assert "src/workerd.js" in files
    assert transports(files) == {"workerd"}
