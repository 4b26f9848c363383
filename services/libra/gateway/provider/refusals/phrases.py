"""The phrases with which endpoints refuse a parameter, as data.

Sources: public reports on OpenAI, Azure OpenAI, Anthropic, Gemini, Bedrock, Mistral, DeepSeek, xAI, Groq, Cohere,
Together, Fireworks, OpenRouter, LiteLLM, vLLM, SGLang, TGI, llama.cpp and Ollama.
"""

from __future__ import annotations

import re

_FLAGS = re.IGNORECASE | re.VERBOSE | re.DOTALL

_QUALIFIER = r"(?:custom|deterministic|per|request|user|provided|user-provided|explicit|fixed|random|adaptive)"
_QUOTES = r"""[\s'"`´‘’“”\[({:=#\\*]*"""
_NOUN = (
    r"(?:parameter|param|argument|arg|field|key|name|input|property|propertie|option|variant|value|keyword)(?:s|\(s\))?"
)
_NAME_NOUN = r"(?:parameter|param|argument|arg|field|key|name|property|option|keyword)s?"
_ABILITY = rf"""(?:supported|allowed|permitted|accepted|available|enabled|recogni[sz]ed|implemented|applicable
    |compatible|configurable|expected|known|valid\ (?:for|with|on)\ (?:this|the)|a\ valid\ {_NOUN}
    |a\ (?:supported|known|recogni[sz]ed)|an?\ allowed)"""
_NOT = r"(?:not|no\ longer|(?<=is)n[’']t|(?<=are)n[’']t|never)"

UNKNOWN_BEFORE = re.compile(
    rf"""(?: \b(?:unknown|unrecogni[sz]ed|unexpected|extra|extraneous|additional|illegal)
          \s+(?:[\w-]+\s+){{0,2}}?{_NOUN} (?:\s+(?:supplied|provided|passed|found|received|in\ request))*
      | \bextra\ (?:inputs|fields)\ (?:are\ )?not\ (?:permitted|allowed)\W+{_NOUN}
      | \badditionalPropert(?:y|ies)
      | \b(?:additional|unknown|extra)\ propert(?:y|ies)\ (?:(?:is|are)\ not\ allowed|found)
      | 未知参数 ) \W*{_QUOTES}$""",
    _FLAGS,
)
"""Words in front of a name that the endpoint does not know."""

UNKNOWN_AFTER = re.compile(
    rf"""^['"`´’”\])]*\s*(?:
        [:\-–]?\s*(?:extra\ (?:inputs|fields)|additional\ properties)\ (?:are\ )?not\ (?:permitted|allowed)
      | [:\-–]?\s*(?:is\ an?\ )?(?:unknown|unrecogni[sz]ed|unexpected)\s+(?:\w+\s+)?{_NAME_NOUN}
      | \ must\ not\ have\ additional\ properties
      | (?:is|was)\ (?:unexpected|unknown|unrecogni[sz]ed)
      | [^.;,]{{0,40}}\bcannot\ find\ field )""",
    _FLAGS,
)
"""Behind a name that the endpoint does not know."""

REFUSED_BEFORE = re.compile(
    rf"""(?: \b(?:unsupported|disallowed|forbidden|deprecated)\s+(?:[\w-]+\s+){{0,2}}?{_NOUN}
      | \b{_NOUN}\s+(?:(?:is|are)\s+)?not\ (?:supported|allowed|permitted|accepted|available)(?:\s+[\w./-]+){{0,6}}\s*:
      | (?:\bnot|n[’']t|\bcannot)\s+(?:currently\s+|yet\s+)?(?:support|accept|allow|permit)
          (?:s|ing)?(?:\s+(?:the|any|an?|use\ of|setting|specifying|following|sampling|with|via
            |{_QUALIFIER}|{_NOUN}))*
      | \b(?:cannot|can[’']t|may\ not|must\ not|should\ not)\ (?:set|specify|use|send|pass|provide|change)
          (?:\s+(?:the|an?|{_NOUN}))*
      | \bonly\b [^.;]{{0,40}}? \bdefault
      | \bno\ support\ for(?:\s+the)? | \bunsupported:? | \binstead\ of(?:\s+the)?
      | \b(?:remove|omit|drop|unset|do\ not\ (?:send|set|use|pass|include)|don[’']t\ (?:send|set|use|pass|include))
          (?:\s+(?:the|{_NOUN}))*
      | 不支持(?:的?参数)?
    ) \W{{0,4}}{_QUOTES}$""",
    _FLAGS,
)
"""Words in front of a name that the endpoint does not take."""

_ONE_NUMBER = r"(?:[01]|0?\.\d+|1\.0)(?![\d.]*\d)(?!\s*(?:-|–|to\b|and\b|or\b))"

_GAP = r"""(?:(?!\b(?:but|and|while|when|because|which|than|if|is|are|was|were|does|do)\b|[.!?]\s|[,;]).){0,60}?"""

REFUSED_AFTER = re.compile(
    rf"""^(?: {_GAP}
        (?: \b(?:is|are|was|were|has\ been|have\ been)?\s*(?:currently\s+)?{_NOT}\s+
              (?:currently\s+|yet\s+|be\s+|been\s+)*{_ABILITY}
          | \b(?:is|are|was|has\ been)\s+(?:currently\s+)?
              (?:deprecated|unsupported|unavailable|disabled|forbidden|removed)
          | \b(?:is|are)\s+(?:only\ {_ABILITY}|{_ABILITY}\ only)
          | \b(?:cannot|can[’']t|can\ not|must\ not|may\ not|should\ not)\ be\ (?:used|set|specified
              |provided|changed|modified|sent|included|combined|passed|given|customi[sz]ed)\b(?!\ to\b)
          | \bmust\ be\ (?:unset|omitted|removed|absent|left\ (?:out|unset))
          | \bmay\ only\ be\ set\ to\b | \bor\ unset\b
          | \bmust\ be\ [^;]{{0,80}}\bor\ unset\b
          | [:\s]\s*only\ (?:the\ default|1(?:\.0)?)\b[^.;]{{0,20}}\b{_ABILITY}
          | (?<![\w])unsupported\b | 不支持 )
      | ['"`´’”]?\s+does(?:\ not|n[’']t)\ support\s+(?:the\ )?(?:value\s+)?['"`\d] )""",
    _FLAGS,
)
"""Behind a name that the endpoint does not take."""

FIXED_BEFORE = re.compile(rf"\bonly\ (?:supports?|accepts?|allows?|takes?)\ (?:an?\ |the\ )?{_QUOTES}$", _FLAGS)
FIXED_AFTER = re.compile(
    rf"""^['"`´’”\])]*\s*[:,]?\s*(?:
        (?:parameter\ |value\ )?(?:must|has\ to|can\ only|may\ only)\ (?:only\ )?be
          \ (?:exactly\ |equal\ to\ |set\ to\ )?{_ONE_NUMBER}
      | (?:expected|requires?)\ {_ONE_NUMBER} | only\ (?:the\ value\ |a\ value\ of\ )?{_ONE_NUMBER}\ is\b
      | (?:value\ |parameter\ )?is\ (?:currently\ )?(?:fixed|immutable)\b )""",
    _FLAGS,
)
ONE_VALUE = re.compile(rf"^\s*(?:=|of|to\ be|set\ to)?\s*{_ONE_NUMBER}", _FLAGS)
"""Around a parameter of which the endpoint takes one value only: it is the default."""

ONLY_DEFAULT = re.compile(
    r"""only\ (?:the\ )?default | only\ \w+\s*=?\s*1(?:\.0)?\b | only\ (?:a\ value\ of\ )?1(?:\.0)?\ is
    | only\ be\ set\ to\ 1\b | or\ unset | must\ be\ (?:set\ to\ )?1(?:\.0)?\b(?!\d)""",
    _FLAGS,
)
"""The endpoint takes no other value than its own, so the parameter may as well be left out."""

OUT_OF_RANGE = re.compile(
    r"""\bbetween\b | \b(?:less|greater|larger|higher|lower|more|smaller)\ (?:than|or\ equal)\b | \bat\ (?:most|least)\b
    | \brange\b | [<>≤≥] | \b(?:maximum|minimum)\b | \bexceed | \btoo\ (?:large|small|high|low|long|many|big)\b
    | \b(?:supported|allowed|valid|accepted|possible)\ values\b | \b(?:must|should)\ be\ one\ of\b | \bup\ to\ \d""",
    _FLAGS,
)
"""The endpoint takes the parameter, and not this value: the caller has to choose another one."""

CONFLICT_BEFORE = re.compile(
    rf"(?:\bboth(?:\s+the)?|\bonly\ one\ of|\beither|\bat\ most\ one\ of)\s*(?:{_NOUN})?{_QUOTES}$", _FLAGS
)
CONFLICT_AFTER = re.compile(
    r"""^['"`´’”\])]*\s*(?:parameters?\s+|fields?\s+)?(?:
      (?:cannot|can[’']t|can\ not|must\ not|may\ not|should\ not)\s+(?:both\s+)?be\s+(?:both\s+)?(?:\w+\s+){0,2}?
        (?:specified|used|set|provided|combined|given|passed|sent|enabled|together|both|simultaneously)
      | are\ (?:mutually\ exclusive|not\ compatible|incompatible)
      | ,?\s*(?:but\ )?not\ both | ,?\s*(?:together|at\ the\ same\ time|simultaneously) )""",
    _FLAGS,
)
"""Around two parameters that the endpoint does not take together."""

CONFLICT_WORDS = re.compile(r"\b(?:not|cannot|can[’']t|n[’']t|exclusive|incompatible|only\ one|either)\b", _FLAGS)

LIST_SEPARATOR = re.compile(
    r"""[\s'"`´’”\[\](){}:=,.\d/&|*-]*(?:(?:and|or|nor|of\ type|value\ as|type|parameters?|fields?)\b)?
    [\s'"`´‘“\[({:=]*""",
    _FLAGS,
)
"""Between the names of an enumeration."""

SUGGESTION = re.compile(
    r"""(?:\buse|\bmoved\ to|\brenamed\ to|\breplaced\ (?:by|with)|\bin\ favou?r\ of|\bdid\ you\ mean|\bset|\btry
      |\bsend|\bpass|\bshould\ be|\bswitch(?:ing)?\ to|\binstead\ of\b.{0,40}?\buse)\W{1,4}
      (?:the\ )?(?:parameter\ )?[\s'"`]*$""",
    _FLAGS,
)
"""Words in front of the name that the endpoint wants."""

SCHEMA_REFUSED = re.compile(
    r"""\bresponse[_ ]format\b [^;]{0,60}? \b(?:unavailable|must\ be|should\ be|expected|invalid|not\ supported|only)\b
    | \binput\ should\ be\ [^;]{0,40}json_object
    | \b(?:invalid|unsupported|malformed|bad)\ json[ _-]?schema\b | \binvalid\ schema\ for\b | \bunsupported\ schema\b
    | \bschema\b [^.;]{0,60}? \b(?:exceeds|too\ (?:many|complex|deep|large|long))\b
    | \bschema\b [^.;]{0,60}? \b(?:not\ (?:supported|permitted|allowed)|unsupported)
    | \bunknown\ name\b [^;]{0,80}? \bresponse_?(?:json_?)?schema\b
    | \bgrammar\b [^.;]{0,40}? \b(?:error|invalid|fail\w*|not\ supported|unsupported|compil\w*)\b
    | \b(?:fail\w*|invalid|unable|error|could\ not|cannot)\b [^.;]{0,40}? \b(?:grammar|guided|xgrammar|outlines)\b
    | \b(?:output_format|output_config\.format|format)\.schema\b
    | \bmust\ contain\ the\ word\ \W?json\b | \binvalid\ (?:json\ schema\ in\ )?format\b""",
    _FLAGS,
)
"""A schema, or JSON as such, that the endpoint cannot follow."""
