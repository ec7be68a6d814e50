"""How refusals are worded, where servers word them in many ways.

Patterns that know no capitals. Each looks for what the sentence is about next to what
is said of it: the words alone stand in other refusals, too, and in what clients sent.
"""

MONEY = (
    r"exceeded your current quota"
    r"|insufficient[ _](balance|credits?|funds|quota)|spend(ing)? (limit|cap)"
    r"|(reached|exceeded|hit) your (specified |monthly |weekly |daily )?(api )?"
    r"usage limit|(out of|no|any|requires? more|all (your |available )*) ?credits?\b"
    r"|credit balance|account balance|can only afford|extra usage is required"
    r"|payment (is )?required|in arrears|overdue (payment|balance|bill)"
    r"|subscription (has )?expired|余额不足|欠费"
)
"""What was paid for is used up, or was not paid: nothing helps within minutes."""

LASTING = (
    r"\b(per|each|this|your) (day|week|month)\b|\b(daily|weekly|monthly)\b"
    r"|\b[TR]PD\b"
)
"""A limit that no waiting of minutes lifts."""

_NOT_NAMED = r"(?<![\w'\"`.])"  # the client's own fields and functions are quoted
_SECRET = (
    rf"{_NOT_NAMED}(?:(?:x-)?(?:api|subscription|access)[ _-]?key"
    r"|(?:bearer|access|auth|oauth2?|authentication|authorization|security|session"
    r"|refresh|iam|api)[ _]token)\b"
)
_UNFIT = (
    r"\b(?:not (?:be )?(?:valid|found|verified|provided|active|recognized|authorized)"
    r"|invalid|incorrect|expired|revoked|leaked|disabled|suspended|missing|malformed"
    r"|deleted|deactivated|blocked|wrong|unknown|no longer valid|required|rejected)\b"
)

CREDENTIAL = (
    rf"{_SECRET}[^.;{{}}]{{0,60}}?{_UNFIT}"
    r"|\b(?:invalid|incorrect|expired|wrong|unknown|malformed|missing|no|revoked"
    rf"|unauthorized|valid) (?:\w+ )?{_SECRET}"
    r"|reported as leaked|api[ _]key\b.{0,80}\bhas been suspended"
    r"|\b(?:invalid|incorrect|bad|missing|no|expired) (?:\w+ )?(?:credentials?\b"
    r"|authentication\b|authorization (?:header|token))"
    rf"|\bcredentials? (?:is|are|was|were|has|have) (?:been )?{_UNFIT}"
    r"|authentication (?:has )?fail(?:s|ed|ure)|could not authenticate"
    r"|not authenticated|unregistered callers|make sure your api key is valid"
    r"|(?:didn.t|did not) provide an api key"
)
"""A credential is wrong: 400 and 403 tell it, too."""

_NAME = r"[\"'`“]?[\w./:@+-]{1,150}[\"'`”]?"

NO_SUCH_MODEL = (
    rf"\bmodels?(?:/|\b)[: ]*(?:(?:id|name|named|called|with id)\b[: ]*)?(?:{_NAME})?"
    r"\s*(?:is |was |could |can)?"
    r"(?:not (?:be )?found|(?:does(?: not|n.t)|not) exist)\b"
    r"|\bmodel not found\b|\bno such model\b"
    r"|is not a valid model (?:id|name)\b|\bunknown model\b|no endpoints found for\b"
)
"""Its name alone stands between: what else does is about something else."""
