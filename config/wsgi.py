"""The WSGI entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# The program itself is no garbage: looking for some in it, as often as Python does by itself, costs every page.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 100)
