"""``make benchmark``: every benchmark in turn, as one table of goal, measured ratio, and whether it is met.

Sets up ``.venv-bench`` once, an environment of the peers' own, so that no release of theirs can change
ours; the project itself is installed there in place. Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
ENVIRONMENT = ROOT / ".venv-bench"
PYTHON = ENVIRONMENT / "bin" / "python"
READY = ENVIRONMENT / ".ready"
PEERS = ("openai", "httpx-sse", "litellm", "botocore")
SCRIPTS = ("framing", "decoding", "loopback", "serving", "importing", "suite", "rendering")


def set_up() -> None:
    """Make the environment, unless it was made after the project's own requirements changed."""
    if READY.exists() and READY.stat().st_mtime >= (ROOT / "pyproject.toml").stat().st_mtime:
        return
    venv.create(ENVIRONMENT, with_pip=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PEERS, "--editable", ROOT], check=True)
    READY.touch()


def main() -> int:
    """Run the scripts that were named, or all; 1 when one of them missed a goal."""
    set_up()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {sys.version.split()[0]}\n", flush=True)
    codes = [
        subprocess.run([PYTHON, HERE / f"{name}.py"], check=False).returncode
        for name in sys.argv[1:] or SCRIPTS
    ]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
