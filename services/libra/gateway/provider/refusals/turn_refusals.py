"""Finds out whether an error refuses the system turn, or turns of the same role in a row."""

from __future__ import annotations

import re

_FLAGS = re.IGNORECASE | re.VERBOSE | re.DOTALL
_ROLE = r"""['"`]?(?:system|developer)['"`]?"""
_TURN = r"(?:role|message|prompt|instruction|turn)s?"
_ABILITY = r"(?:support|allow|enabl|permit|accept|available|recogni|implement|valid)"
_OTHER_ROLES = r"""(?:['"`]?(?:user|assistant|model|bot|tool|function|ai|human)['"`]?[\s,/|]*(?:\band\b|\bor\b)?\s*)"""

SYSTEM_REFUSED = re.compile(
    rf"""\b{_ROLE}[\s_-]*{_TURN}\b[\s'"`:(]*(?:(?:for|in|with|by)\s+(?:this|the)?\s*[\w./-]+\s*){{0,2}}
        (?:(?:is|are|was|were)\s*)?(?:currently\s+)?
        (?:not\ |n[’']t\ |no\ longer\ |un)\s*(?:currently\ |yet\ |be\ )?{_ABILITY}
    | \brole\s+{_ROLE}\s+(?:is\s+)?(?:not\ |un){_ABILITY}
    | (?:\bnot|n[’']t|\bcannot)\s+(?:support|accept|allow|permit|handle)(?:s|ed|ing)?\s+
        (?:(?:the|a|any|role|of|with|messages?|use)\s+){{0,4}}
        (?:['"`](?:system|developer)['"`]|(?:system|developer)[\s_-]+{_TURN}\b)
    | \b(?:unsupported|unexpected|invalid|unknown|unrecogni[sz]ed|illegal|wrong)\s+(?:message\s+|chat\s+)?role
        \W{{1,4}}(?:system|developer)\b
    | \binvalid\ value\W{{1,4}}(?:system|developer)\b
    | ['"`](?:system|developer)['"`]\ is\ not\ (?:one\ of|a\ valid|supported|allowed|among)
    | \bonly\s+(?:the\s+)?{_OTHER_ROLES}{{2,}}(?:roles?\b|messages?\b|are\b)
    | \b(?:role|roles)['"`]?\W{{1,4}}[^.;]{{0,40}}?\b(?:must|should|can\ only)\ be
        \ (?:either|one\ of|in)?\W*{_OTHER_ROLES}{{2,}}(?!\W*(?:system|developer))
    | \.role\W{{1,4}}[^;]{{0,60}}?(?:not\ supported
        |expected\ \W*{_OTHER_ROLES}{{2,}}
        |input\ should\ be\ \W*{_OTHER_ROLES}{{2,}}(?!\W*(?:system|developer)))
    | \b(?:unknown|unexpected|extra|extraneous)\ (?:name|field|key|inputs?)\W{{1,4}}system(?:_?instruction)?\b
    | (?:^|['"`])system(?:_?instruction)?['"`]?:\ extra\ inputs
    | \bdo(?:es)?\ not\ support\ the\ system\ field | 不支持\s*['"`]?system | system\s*(?:角色|消息|提示词)?\s*不支持
    | (?:角色|role)[^。.]{{0,12}}(?:不支持|非法|不正确)""",
    _FLAGS,
)
"""The endpoint takes no system turn."""

SYSTEM_MISPLACED = re.compile(
    r"""\bsystem\ (?:message|prompt|role|turn)s?\b [^.;]{0,30}? \b(?:must|should|can\ only|may\ only)\b
        [^.;]{0,20}? \b(?:first|beginning|start|begin|once|single|one)\b
    | \b(?:only\ one|multiple|more\ than\ one)\ system\ (?:message|prompt|turn)s?\b""",
    _FLAGS,
)
"""The endpoint takes one system turn, at the beginning."""

USER_FIRST = re.compile(
    r"""\b(?:must|should|has\ to)\ (?:always\ )?(?:start|begin)\ with
        \ (?:a\ |an\ |the\ )?(?:message\ (?:of|from)\ )?\W?user
    | \bfirst\ (?:message|turn|content|role)\b [^.;]{0,40}? \b(?:must|should|has\ to)\b [^.;]{0,30}? \buser\b
    | \brole\b [^.;]{0,40}? \bmust\ be\ \W?user\b(?!\W*(?:assistant|or|and|model)\b)""",
    _FLAGS,
)
"""The endpoint wants a user turn first, so a system turn is in the way."""

ALTERNATION = re.compile(
    r"""\balternat(?:e|es|ing|ion)\b [^;]{0,60}? \b(?:user|assistant|roles?|between|model)\b
    | \b(?:roles?|messages?|turns?|contents?)\b [^.;]{0,60}? \balternat
    | \b(?:consecutive|successive|adjacent|repeated)\b [^.;]{0,40}?
        \b(?:messages?|turns?|roles?|contents?)\b
    | \b(?:multiple|two|several)\b [^.;]{0,30}? \b(?:messages?|turns?|roles?)\ in\ a\ row\b
    | \b(?:messages?|turns?)\ (?:of|with|from)\ the\ same\ role\b | \binterleave\b [^.;]{0,40}? \bmessages?\b
    | \b(?:number|length|count)\ of\ (?:the\ )?messages\ (?:must|should)\ be\ (?:an\ )?odd\b""",
    _FLAGS,
)
"""The endpoint wants turns of alternating roles; some templates count a system turn as one."""


def refuses_system(text: str) -> bool:
    """Tell whether a text refuses system turns."""
    return bool(SYSTEM_REFUSED.search(text))


def refuses_place_of_system(text: str) -> bool:
    """Tell whether a text refuses a system turn where it stands."""
    return bool(SYSTEM_MISPLACED.search(text) or USER_FIRST.search(text))


def wants_alternation(text: str) -> bool:
    """Tell whether a text wants alternating roles."""
    return bool(ALTERNATION.search(text))
