"""The doctor: says of a deployed stack whether what the product needs is in order. It only reads.

`python -m local.doctor`; docs/operations.md, "Is everything in order".
"""

import sys
from pathlib import Path

# It reads the search jobs and the bucket with the functions' own classes, which lie where Lambda wants them.
_FUNCTIONS = str(Path(__file__).parents[2] / "lambda")
if _FUNCTIONS not in sys.path:
    sys.path.append(_FUNCTIONS)
