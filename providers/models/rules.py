"""What names and regions are made of."""

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

NAME_RULE = RegexValidator(
    r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?\Z",
    _("Use lower-case letters, digits, dots, hyphens and underscores, 63 at most."),
)
REGION_RULE = RegexValidator(
    r"^[a-z]{2,4}(-[a-z]+)+-\d\Z", _("An AWS region looks like us-east-1.")
)
