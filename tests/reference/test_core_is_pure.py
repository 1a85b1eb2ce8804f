"""The core does no I/O and has no clock: it cannot, because it imports nothing that could."""

import ast
from pathlib import Path

import commonsocket.core
import pytest

CORE = Path(commonsocket.core.__file__).parent
# What it may have of the standard library: data structures, text and numbers.
HARMLESS = {
    "__future__",
    "base64",
    "binascii",
    "collections",
    "contextlib",
    "dataclasses",
    "hashlib",
    "ipaddress",
    "math",
    "operator",
    "re",
    "ssl",  # OpenSSL works on memory there
    "typing",
    "unicodedata",
    "urllib",
}
# What it may have of the package: its tables, and exceptions to tell failures with.
ALLOWED = {"commonsocket.dom_exception", "commonsocket.socket_error"}


@pytest.mark.parametrize("file", sorted(CORE.glob("*.py")), ids=lambda file: file.name)
def test_imports(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [node.module or ""]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, "the core looks at nothing above it"
        for module in modules:
            assert (
                module.split(".")[0] in HARMLESS or module in ALLOWED or module.startswith("commonsocket.generated.")
            ), module
