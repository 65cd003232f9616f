"""Changes generated requests before schemathesis sends them."""

import schemathesis

LONGEST_WAIT_SECONDS = 30


@schemathesis.hook
def before_call(context, case, kwargs):
    """Shortens the time that a valid claim waits for a job: schemathesis waits 10 seconds for a response."""
    if case.operation.path != "/jobs/claim" or not isinstance(case.body, dict):
        return
    wait = case.body.get("wait_seconds")
    if isinstance(wait, (int, float)) and 1 < wait <= LONGEST_WAIT_SECONDS:
        case.body["wait_seconds"] = 1
