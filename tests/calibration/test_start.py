"""What is loaded before anything is computed."""

import os
import subprocess
import sys


def test_no_part_of_scipy_is_loaded_before_it_is_used():
    program = (
        "import sys, calibration.report.report, calibration.sampling.draw, calibration.thresholds.what_if; "
        "sys.exit(bool({'scipy.special', 'scipy.stats', 'scipy.optimize', 'scipy.sparse'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", program], check=False, env=environment).returncode == 0
