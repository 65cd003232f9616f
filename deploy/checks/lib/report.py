"""Prints one line for each check, and the faults of those that fail."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Report:
    """The checks of one script. Each check is a list of faults, which is empty if all is well."""

    def __init__(self, subject):
        self.subject = subject
        self.failed = 0

    def check(self, name, faults):
        """Records a check. A fault says what is wrong, where, and what would be right."""
        faults = list(faults)
        if faults:
            self.failed += 1
            print(f"FAILED  {self.subject}: {name}", flush=True)
            for fault in faults:
                print(f"        {fault}")
        else:
            print(f"ok      {self.subject}: {name}", flush=True)

    def refuses(self, name, faults, expected):
        """Records that a validator refuses a broken copy, with a fault that contains `expected`."""
        faults = list(faults)
        found = any(expected in fault for fault in faults)
        reason = [] if found else [f"no fault contains {expected!r}; found: {faults or 'none'}"]
        self.check(f"refuses {name}", reason)

    def finish(self):
        """Ends the script: with the code 1 if a check failed."""
        sys.exit(1 if self.failed else 0)
