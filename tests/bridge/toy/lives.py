"""Does nothing but live, with one child in its own process group and one in another session, and says who they are."""

import os
import subprocess
import sys
import time

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]

children = [subprocess.Popen(SLEEPS, start_new_session=apart) for apart in (False, True)]
print(os.getpid(), *(child.pid for child in children), flush=True)  # noqa: T201 (stdout is how it is heard)
time.sleep(600)
