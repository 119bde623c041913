"""Segments: saved conditions over users, and who meets them.

A tree of questions with `all`, `any` and `not` over them. It is asked of one person at a time; whoever asks
brings what the questions need to know, which each tree says of itself (`wants`).
"""

from .happened import EVENT, CameTo, Happened, Sum
from .journeys import IsInside
from .known import HasAttribute, InList, OfSegment, ReachableOn
from .nesting import goes_in_circles, names_in, reached_from, resolve, size_of
from .person import Facts, Person, Wanted, Wants
from .reading import DEEPEST, MOST_QUESTIONS, read_question
from .times import Times, Which
from .trees import EVERYBODY, NOBODY, AllOf, AnyOf, Not, Question, together
from .windows import EVER, Bounds, Window

__all__ = [
    "DEEPEST",
    "EVENT",
    "EVER",
    "EVERYBODY",
    "MOST_QUESTIONS",
    "NOBODY",
    "AllOf",
    "AnyOf",
    "Bounds",
    "CameTo",
    "Facts",
    "Happened",
    "HasAttribute",
    "InList",
    "IsInside",
    "Not",
    "OfSegment",
    "Person",
    "Question",
    "ReachableOn",
    "Sum",
    "Times",
    "Wanted",
    "Wants",
    "Which",
    "Window",
    "goes_in_circles",
    "names_in",
    "reached_from",
    "read_question",
    "resolve",
    "size_of",
    "together",
]
