"""Static files under names by content, each with a Brotli and a gzip copy."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage that also points the imports of our JavaScript modules at hashed files.

    Without it the browser would load `core.js` by its plain name, which cannot be cached for good, and after an
    update could mix modules of two versions. Only our own folder is looked at: packages carry modules that import
    names which are no files.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )
    max_post_process_passes = 12  # at least the longest chain of modules that import each other


@require_safe
@login_not_required
@cache_control(max_age=86_400, public=True)
def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """The mark, for browsers that ask for `favicon.ico` on a page without a link to it (a PDF, the back office)."""
    return HttpResponseRedirect(static("img/mark.svg"))
