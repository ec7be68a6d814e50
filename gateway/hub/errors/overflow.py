"""Whether a refusal means that the conversation is too long for the model.

Agents shorten their conversation on this meaning, and on it alone: no other one may be
taken for it. Servers word it in a hundred ways, so that it is known by its shape: what
was sent, in tokens or by its length, stands against a limit. Limits over time, of money
and of the answer's own length look alike and are told apart.
"""

import re

_READ = 2000

_SENT = (
    r"(?:inputs?|prompts?|request(?:s|ed)?|quer(?:y|ies)|messages?|conversation|text)"
)
_TOKENS = r"(?:(?:input_|prompt_|text_)?tokens?|token_count|len(?:gth)?)"
_WINDOW = (
    r"\bcontext[ _-]?(?:length|window|size|limit)|\bn_ctx\b|\bmax_(?:model_len|seq_len)"
    r"|\b(?:maximum|max) (?:model|sequence) length"
)
_MEASURE = re.compile(
    rf"{_WINDOW}|\b{_SENT}\b.{{0,70}}?\b{_TOKENS}\b|\b{_TOKENS}\b.{{0,70}}?\b{_SENT}\b"
    r"|\b(?:input|prompt)_tokens?\b",
    re.IGNORECASE | re.DOTALL,
)
"""What is measured: the context itself, or what was sent in tokens or by its length."""

_EXCEEDS = re.compile(
    r"\bexceed|\btoo (?:long|large|many|big)\b|\b(?:longer|greater|larger|more|bigger|"
    r"higher) than\b|\boverflow|\bsurpass|\bover the (?:limit|maximum)|\bruns? out of",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\bmax(?:imum)?\b|\bmax_|\blimit|\bat most\b|\bless than\b|\bfewer than\b|<=?|>=?"
    r"|\bup to\b|\bshould be \[|\bwithin\b|\bsupports? only\b|\bonly supports?\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d")

_PHRASES = re.compile(
    r"\b(?:prompt|input|context|conversation)(?: \w+)?(?: is| are| was)? too long\b"
    r"|\bmax(?:imum)? (?:context|prompt|input) (?:token )?length\b"
    r"|\bexceeds? (?:the |this )?(?:available )?context\b"
    r"|\bcontext (?:length|window|size)(?: has| was| is)?(?: been)? (?:exceeded|full)"
    r"|\bcontext overflow"
    r"|\breduce the length of (?:the |your )?(?:messages|prompt|input|either)"
    r"|\btoo many (?:input |prompt )?tokens\b(?! per)"
    r"|\bmax tokens of \d+ exceeded"
    r"|(?:prompt|tokens?|输入|上下文|提示词?).{0,16}(?:超长|过长|超过|超出)",
    re.IGNORECASE,
)
"""What says it without a number."""

_OF_THE_ANSWER = re.compile(
    r"\b(?:max_(?:completion_|output_|new_)?tokens|maxOutputTokens|maxTokens|budget_tokens"
    r"|(?:output|completion|generated|thinking|reasoning)[ _]tokens?)\b",
    re.IGNORECASE,
)
_ABOUT_THE_ANSWER = re.compile(rf"\W*{_OF_THE_ANSWER.pattern}", re.IGNORECASE)
_ABOUT_WHAT_WAS_SENT = re.compile(
    r"\b(?:inputs?|prompts?|messages?)\b|context length", re.IGNORECASE
)
_INPUT_SHOULD = re.compile(r"\binput should (?:be|have)\b", re.IGNORECASE)
"""How pydantic begins: its input is any value."""

_OTHER_LIMITS = re.compile(
    r"\bper[ -](?:minute|min|day|hour|second|sec|month|week)|tokens?/|requests?/"
    r"|\b[TR]P[MDS]\b|\bqps\b|\brate\b|rate[ _-]?limit|\bquota|\bdaily\b|\bmonthly\b"
    r"|\bweekly\b|\bhourly\b|\bcredits?\b|\bafford|\bbilling|\bbalance\b|throttl"
    r"|\btoo many requests|\bplease wait\b|concurren|\busage limit|\bupgrade\b"
    r"|\bexpected an? (?:string|array|list|object)\b|\b(?:characters|bytes|MB|pixels)\b"
    r"|每分钟|每天|每日|频率|限流|余额|额度|配额",
    re.IGNORECASE,
)
"""Over time, of money, of one field's own length."""


def is_overflow(text: str) -> bool:
    """Tell whether `text` says that more was sent than the model takes at once."""
    text = text[:_READ]
    if _OTHER_LIMITS.search(text):
        return False
    if _PHRASES.search(text):
        return True
    if _ABOUT_THE_ANSWER.match(text) and not _ABOUT_WHAT_WAS_SENT.search(text):
        return False
    text = _INPUT_SHOULD.sub("", _OF_THE_ANSWER.sub("", text))
    if not _MEASURE.search(text):
        return False
    if _EXCEEDS.search(text):
        return True
    return bool(_LIMIT.search(text) and _NUMBER.search(text))


_KIND = re.compile(
    r"(?:context|prompt|input|tokens?|characters?)_?(?:length|window|size|tokens?|limit)?_?"
    r"(?:is_|was_)?(?:exceed|too_?long|too_?large|overflow|reached)"
    r"|exceeds?_?(?:context|max_?input)|max_?(?:context|prompt|input)\w*exceed"
)


def is_overflow_kind(kind: str) -> bool:
    """Tell whether a server's own name of an error, in lower case, means the same."""
    return bool(_KIND.search(kind)) and "rate" not in kind and "quota" not in kind
