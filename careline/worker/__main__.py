"""`python -m careline.worker`."""

import logging

from careline.settings import settings
from careline.worker.loop import main

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
settings().require()
main()
