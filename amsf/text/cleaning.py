"""What models put around a description, taken off: thinking, stop tokens, preambles, markup.

Chat models are told to write one paragraph and nothing else; many add to it all the same, and some
servers pass on what they should have parsed. What cannot be told from the description is left,
for :mod:`amsf.text.answers` to refuse.
"""

from __future__ import annotations

import json
import re

from amsf.base.display import hidden_character

_NAMES = (
    r"(?:\w+:)?(?:(?:begin|start|end)[_ ]of[_ ])?(?:(?:start|end)_)?"
    r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|analysis|reflection|scratchpad|cot)"
)
# <think>, [THINK], <|begin_of_thought|>, <seed:think>, and the end of each.
_OPENING = re.compile(
    rf"<\|(?:begin_of|start)_?{_NAMES}\|>|[<\[◁](?!/){_NAMES}[>\]▷]|<unused94>(?:thought)?",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    rf"<\|end(?:_of)?_{_NAMES}\|>|[<\[◁]/{_NAMES}[>\]▷]|<unused95>", re.IGNORECASE
)
_BLOCK = re.compile(rf"(?:{_OPENING.pattern}).*?(?:{_CLOSING.pattern})", re.IGNORECASE | re.DOTALL)
# The channels of gpt-oss: only the last message of the final one is the answer.
_FINAL = re.compile(r"<\|channel\|>\s*final\s*<\|message\|>", re.IGNORECASE)
_CHANNEL = re.compile(r"<\|channel\|>\s*(?:analysis|commentary)\b.*", re.IGNORECASE | re.DOTALL)
_RESPONSE = re.compile(r".*here is my response:", re.IGNORECASE | re.DOTALL)

_TOKEN = (
    r"(?:<\|[\w ▁-]{1,40}\|>|<｜[\w ▁-]{1,40}｜>|</?s>|\[/?INST\]|<</?SYS>>"
    r"|</?(?:bos|eos|pad|unk|eot|eod|start_of_turn|end_of_turn|unused\d+|endoftext)>)"
)
_ROLE = r"(?:assistant|model|bot|ai)"
_START = re.compile(rf"\s*(?:{_TOKEN}\s*(?:{_ROLE}\b:?)?|{_ROLE}\s*(?::|\n))\s*", re.IGNORECASE)
_END = re.compile(
    rf"{_TOKEN}|\n\s*(?:\*\*)?(?:user|human|assistant|system|instruction)(?:\*\*)?:"
    r"|\n\s*#+\s*(?:instruction|input|user|human)\b",
    re.IGNORECASE,
)

_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_FENCE = re.compile(r"^\s*(?:```|~~~)\w*\s*$", re.MULTILINE)
_HEADING = re.compile(r"^\s*(?:#+\s.*|[-*_=]{3,}|\*\*[^*.\n]{1,60}\*\*:?|__[^_.\n]{1,60}__:?)\s*$")
_BULLET = re.compile(r"^\s*(?:[-*+•–]|\d{1,2}[.)])\s+")
_ITEM_HEAD = re.compile(r"^\s*(?:\*\*|__)[^*_\n]{1,60}(?::(?:\*\*|__)|(?:\*\*|__):)\s*")
_EMPHASIS = re.compile(r"(\*\*|__|\*|`+)(?=\S)(.+?)(?<=\S)\1")
_QUOTES = ('""', "''", "“”", "‘’", "«»", "„“", "「」", "``")

_CHATTER = re.compile(
    r"^(?:(?:sure|certainly|of course|absolutely|okay|ok|alright|great|no problem|got it"
    r"|understood|definitely|gladly)\b(?:\s(?:thing|here|i)\b)?[^.!:\n]{0,80}[.!:]"
    r"|(?:here(?:'s| is| are|’s)|below is|the following is|this is|i'll|i will|as requested)\b"
    r"[^.:\n]{0,160}:"
    r"|(?:final )?(?:answer|description|response|output|paragraph|text|summary|action)\s*:)\s*",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    r"(?:^|(?<=[.!?\"”)])\s|\n)\s*(?:let me know\b|i hope\b|hope (?:this|that|it)\b|feel free\b"
    r"|would you like\b|do you (?:want|need)\b|if you(?:'d| would)? (?:like|need|want|have) "
    r"(?:any|me|more|further|another|a different|other|to know)\b|is there anything\b"
    r"|please (?:let|tell) me\b|\(?(?:word count|words?)\s*:|\(?(?:about |approx\w* |~)?\d+ words\b"
    r"|\(?note:).*$",
    re.IGNORECASE | re.DOTALL,
)


def clean(text: str) -> str:
    """The description alone, in single blanks; empty where there is nothing but thinking."""
    text = text.replace("\r\n", "\n")
    text = "".join(c for c in text if c in "\n\t" or not hidden_character(c))
    text = _without_turns(without_thinking(text))
    text = _unwrapped(text)
    before = None
    while before != text:  # quotes around markup around a preamble, in any order
        before = text
        text = _without_quotes(_CHATTER.sub("", _without_markup(text)).strip())
        text = _FAREWELL.sub("", text).strip()
    return " ".join(text.split())


def without_thinking(text: str) -> str:
    """An answer less what a model thought before it; an opened block may have lost its end."""
    if final := list(_FINAL.finditer(text)):
        text = text[final[-1].end() :]
    text = _CHANNEL.sub("", text)
    if re.match(r"\s*here is my thought process:", text, re.IGNORECASE):
        text, answered = _RESPONSE.subn("", text)
        if not answered:
            return ""
    text = _BLOCK.sub("", text)
    if closed := list(_CLOSING.finditer(text)):
        text = text[closed[-1].end() :]  # its beginning may be part of the prompt
    opened = _OPENING.search(text)
    return text[: opened.start()] if opened else text


def _without_turns(text: str) -> str:
    """The first turn alone, without the tokens that begin and end it."""
    while start := _START.match(text):
        text = text[start.end() :]
    end = _END.search(text)
    return text[: end.start()] if end else text


def _unwrapped(text: str) -> str:
    """The one text in a JSON object, if that is what was answered."""
    bare = _FENCE.sub("", text).strip()
    if not bare.startswith("{"):
        return text
    try:
        values = list(json.loads(bare).values())
    except (ValueError, RecursionError):
        return text
    return values[0] if len(values) == 1 and isinstance(values[0], str) else text


def _without_markup(text: str) -> str:
    text = _TAG.sub(" ", _FENCE.sub("", text))
    lines = [line for line in text.split("\n") if not _HEADING.match(line)]
    lines = [_ITEM_HEAD.sub("", _BULLET.sub("", line)) for line in lines]
    text, marks = "\n".join(lines), 1
    while marks:
        text, marks = _EMPHASIS.subn(r"\2", text)
    return text.strip()


def _without_quotes(text: str) -> str:
    quoted = len(text) > 2 and text[0] + text[-1] in _QUOTES and text[0] not in text[1:-1]
    return text[1:-1].strip() if quoted else text
