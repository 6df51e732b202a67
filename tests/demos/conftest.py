"""The demos are scripts that find each other in their folder; tests import them the same way."""

import sys
from pathlib import Path

DEMOS = Path(__file__).parents[2] / "demos"
sys.path.insert(0, str(DEMOS))
