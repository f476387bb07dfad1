"""What a password of this company must not be made of (ASVS 6.1.2, 6.2.11)."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from oa.organisation.models import CompanyProfile

PRODUCT = "Sanhe 三合"
# A word that tells something: four letters, or two Chinese characters.
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]{4,}|[\u3400-\u9fff]{2,}")


class CompanyWords:
    """Refuses words of the company's names and of the product: whoever guesses tries them first."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError with the word."""
        company, typed = CompanyProfile.current(), password.casefold()
        for word in _WORD.findall(f"{company.name} {company.name_zh} {PRODUCT}".casefold()):
            if word in typed:
                raise ValidationError(_("The password must not contain “%s”.") % word, code="company_word")

    def get_help_text(self) -> str:
        """Beside the field."""
        return _("It must not contain a word of the company's name.")
