"""Makes the package of the launcher importable."""

import sys

from conformance import resources

sys.path.insert(0, str(resources.runners()))
