"""The two Lambda entry points: parse the event, call the use case, return what was done.

While they are loaded next to nothing becomes garbage, and yet the garbage collector would walk all that is there again
and again, which is a tenth of a cold start. So it pauses from here until the entry point says that all is there.
"""

import gc

gc.disable()


def collect_garbage_from_now_on() -> None:
    """Let the garbage collector work again, on what comes from now on: what is loaded by now stays."""
    gc.freeze()
    gc.enable()
