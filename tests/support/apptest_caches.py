"""Keeps what Streamlit's test runner would compute again for every visit, although it is the same in the whole process.

A visit with AppTest has a runtime of its own: it compiles the script, reads the metadata of every installed package and
resolves the path of every component file. These are about a third of the time of a visit.
"""

import os
from functools import cache
from typing import Any

from streamlit.components.v2 import component_manager, manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

_compile_script = ScriptCache.get_bytecode
_build_definition = component_manager.build_definition_with_validation
_asset_root = manifest_scanner.ComponentConfig.resolve_asset_root


@cache
def _compiled(path: str, changed: int, size: int) -> Any:
    return _compile_script(ScriptCache(), path)


def get_bytecode(_: ScriptCache, path: str) -> Any:
    """The compiled script; compiled again if the file has changed."""
    now = os.stat(path)
    return _compiled(path, now.st_mtime_ns, now.st_size)


_definitions: dict[tuple[Any, ...], Any] = {}
_roots: dict[tuple[Any, ...], Any] = {}


def build_definition(*, manager: Any, component_key: str, **files: str | None) -> Any:
    """The definition of a component whose files have passed Streamlit's checks once; a refusal is not kept."""
    key = (manager.get_component_asset_root(component_key), component_key, *sorted(files.items()))
    if key not in _definitions:
        _definitions[key] = _build_definition(manager=manager, component_key=component_key, **files)
    return _definitions[key]


def resolve_asset_root(config: Any, package_root: Any) -> Any:
    """The checked folder of a component; a refusal is not kept."""
    key = (config.name, config.asset_dir, package_root)
    if key not in _roots:
        _roots[key] = _asset_root(config, package_root)
    return _roots[key]


def install() -> None:
    """Use these in every visit of this process."""
    manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
    manifest_scanner.ComponentConfig.resolve_asset_root = resolve_asset_root
    component_manager.build_definition_with_validation = build_definition
    ScriptCache.get_bytecode = get_bytecode
