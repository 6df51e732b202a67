"""One more question before a wrong gradient is reported: is it right up to 1/m, for another forward, with simpler inputs?"""

from __future__ import annotations

from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from .another_forward import of_a_common_loss, of_bias_once, of_scores, of_usual_forward, with_the_old_weight
from .question import Answer, Ask, Question
from .simpler_inputs import by_layers, with_equal_sizes, with_one, with_simple_settings
from .up_to import say_mean, take_back_sizes, up_to_a_tiny_number, up_to_samples

ALWAYS = (up_to_a_tiny_number, up_to_samples, of_usual_forward, of_bias_once, of_scores, of_a_common_loss, with_the_old_weight)
UNCLEAR = (with_equal_sizes, with_simple_settings, by_layers)  # asked where no finding says what is wrong with each gradient


def ask_again(call: Call, report: Report, ask: Ask, mean: bool = False) -> Answer | None:
    """Return what one more question shows about a wrong gradient; None where none shows anything.

    `mean`: whether its gradients are 1/m times those of a sum, as was found with other inputs.
    """
    return _answer(Question(call, report, ask, mean))


def _answer(question: Question) -> Answer | None:
    take_back_sizes(question)
    say_mean(question)
    unclear = not question.clear.issuperset(question.wrong)
    questions = (*ALWAYS, *(UNCLEAR if unclear else ()), *(() if question.clear else (with_one,)))
    answer = next(filter(None, (asked(question) for asked in questions)), None)
    if answer is None or answer.then is None:
        return answer
    more, report = _answer(answer.then) or Answer(""), answer.then.report
    report.answers += [more.sentence] if more.sentence else []
    return Answer("", more.nuance, (not more.sentence and more.report) or report)


def right_where_equal(call: Call, ask: Ask) -> Answer | None:
    """Say whether backward, which raises or is wrong, is right where two sizes are equal."""
    return with_equal_sizes(Question(call, Report(None), ask))


def right_with(call: Call, ask: Ask) -> Report | None:
    """Return the report of this call if that is right; a wrong one takes little time."""
    return Question(call, Report(None), ask).right(call)
