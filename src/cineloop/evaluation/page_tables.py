"""The parts of an evaluation's page that are mostly tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cineloop.evaluation.comparison import Difference
from cineloop.evaluation.intervals import Estimate, find
from cineloop.evaluation.metrics import METRICS
from cineloop.evaluation.missed import Missed
from cineloop.evaluation.pooling import Spread
from cineloop.evaluation.questions import Answer
from cineloop.evaluation.result import Evaluation
from cineloop.evaluation.subgroups import SubgroupTable
from cineloop.report.drawing import Drawing
from cineloop.report.html import (
    Block,
    Bullets,
    Cell,
    Column,
    Details,
    Figure,
    Paragraph,
    Row,
    Section,
    Table,
    Tone,
    count,
    interval,
    number,
    row,
)

_BINARY = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv", "balanced_accuracy", "f1")
_SEVERAL = ("auroc", "auprc", "balanced_accuracy", "accuracy", "macro_f1", "mcc", "kappa")


def headline_names(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the metrics that lead a page, the one of the recipe's selection first."""
    names = _BINARY if evaluation.threshold is not None else _SEVERAL
    return tuple(dict.fromkeys((evaluation.config.selection, *names)))


def percent(evaluation: Evaluation) -> str:
    """Return the confidence of the intervals."""
    return f"{100 * evaluation.config.confidence:g}%"


def below(evaluation: Evaluation) -> str:
    """Return what stands below the figures of a table."""
    return f"Below a figure stands its two-sided {percent(evaluation)} interval."


def interval_text(one: Estimate) -> str:
    """Return an estimate's interval, or why it has none."""
    return interval(one.low, one.high) or one.reason or ""


def value_cell(one: Estimate | None) -> Cell:
    """Return an estimate with its interval as a table's cell."""
    if one is None:
        return Cell("–", "muted")
    if one.value is None:
        return Cell("undefined", "muted", one.reason or "")
    return Cell(number(one.value), detail=interval_text(one))


def questions_section(answers: Sequence[Answer]) -> Section | None:
    """Return how well each question is answered, with links to its own page; None where there are none."""
    if not answers:
        return None
    columns = (
        Column("Question"),
        Column("Leading figure", numeric=True),
        Column("Sensitivity", numeric=True, hint="At the threshold that was chosen on validation."),
        Column("Specificity", numeric=True, hint="At the threshold that was chosen on validation."),
        Column("Threshold", numeric=True),
        Column("Items", numeric=True),
        Column("Patients", numeric=True),
    )
    rows = []
    for answer in answers:
        question, found = answer.question, answer.evaluation
        leading = find(found.estimates, question.selection)
        threshold = found.threshold
        binary = threshold is not None
        known = found.predictions.known()
        rows.append(
            row(
                Cell(question.title, detail=f"asked of {question.asked_of}", link=f"{question.name}/report.html"),
                replace(value_cell(leading), text=f"{METRICS[question.selection].title} {value_cell(leading).text}"),
                value_cell(find(found.estimates, "sensitivity") if binary else None),
                value_cell(find(found.estimates, "specificity") if binary else None),
                Cell(number(threshold.value), detail=threshold.source) if threshold is not None else Cell("–", "muted"),
                f"{len(known):,}",
                f"{known.n_clusters:,}",
            )
        )
    return Section(
        "Questions",
        (Table("How well each question is answered", columns, tuple(rows), note=below(answers[0].evaluation)),),
        intro="Each is judged on the items of which it is true what the question presumes, whatever the model said.",
    )


def missed_section(missed: Missed | None) -> Section | None:
    """Return what was missed of the positive class; None where that was not counted."""
    if missed is None:
        return None
    columns = (
        Column("What"),
        Column("Missed", numeric=True),
        Column("Of", numeric=True),
        Column("Share", numeric=True),
        Column("Share at most", numeric=True),
        Column("How"),
    )
    rows = [
        row(
            title,
            Cell(f"{share.missed:,}", "bad" if share.missed else "good"),
            f"{share.of:,}",
            number(share.missed / share.of) if share.of else "–",
            Cell(number(share.upper), detail=missed.bound) if share.upper is not None else "–",
            share.how,
        )
        for title, share in (
            ("frames", missed.frames),
            ("segments without one frame found", missed.segments),
            ("patients with any missed frame", missed.patients),
        )
    ]
    return Section(
        "What slipped through",
        (Table(f"{missed.positive} that was not found", columns, tuple(rows)),),
        intro="At the decision threshold. A segment is a stretch of such frames, one after another, in one recording. "
        "Bounds here are one-sided, as only the worst case matters: all of the doubt lies above them. The intervals of "
        "all other figures are two-sided, with half of it above and half below.",
    )


def comparison_section(evaluation: Evaluation) -> Section | None:
    """Return how the model compares with another, None where there is nothing to show."""
    found = evaluation.comparison
    if found is None:
        return None
    columns = (
        Column("Figure"),
        Column("Difference", numeric=True),
        Column("p", numeric=True, hint="Two-sided, from the bootstrap of the difference; not corrected for many rows."),
        Column(found.first, numeric=True),
        Column(found.second, numeric=True),
    )
    left_out = [
        f"{count(n, 'item')} only {name} predicted"
        for n, name in ((found.only_first, found.first), (found.only_second, found.second))
        if n
    ]
    bullets = [
        f"{ {'delong': 'DeLong (AUROC)', 'mcnemar': 'McNemar, exact (accuracy)'}[test.name] }: "
        f"p = {_p_value(test.p_value)}; {test.detail}."
        for test in found.tests
    ]
    if found.note:
        bullets.append(f"{found.note[0].upper()}{found.note[1:]}.")
    if left_out:
        bullets.append(f"Left out: {'; '.join(left_out)}.")
    main = headline_names(evaluation)
    caption = f"{found.second} minus {found.first}, paired by item"
    note = f"Below a difference stands its two-sided {percent(evaluation)} interval."
    rows = [_difference_row(one) for one in found.differences if one.key.metric in main]
    rest = [_difference_row(one) for one in found.differences if one.key.metric not in main]
    return Section(
        "Comparison",
        (
            Table(caption, columns, tuple(rows), note=note),
            Bullets(tuple(bullets)),
            Details("Other figures", (Table(f"{caption}: other figures", columns, tuple(rest), note=note),)),
        ),
        intro=f"{count(found.n_items, 'item')} of {count(found.n_patients, 'patient')} that both models predicted; "
        "each replicate draws patients once for both.",
    )


def _difference_row(one: Difference) -> Row:
    gain = (one.difference or 0.0) * (1 if METRICS[one.key.metric].higher_is_better else -1)
    clear = one.low is not None and one.high is not None and not one.low <= 0 <= one.high
    tone: Tone = "plain" if not clear else "good" if gain > 0 else "bad"
    return row(
        METRICS[one.key.metric].title,
        Cell(_signed(one.difference), tone, interval(one.low, one.high)),
        _p_value(one.p_value),
        number(one.first),
        number(one.second),
    )


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{'+' if value > 0 else ''}{number(value)}"


def _p_value(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def spread_section(evaluation: Evaluation) -> Section | None:
    """Return the spread over seeds or folds, None where there is nothing to show."""
    if not evaluation.spread:
        return None
    n_models = len(evaluation.spread[0].values)
    one_of = evaluation.spread_over.removesuffix("s")
    columns = (
        Column("Figure"),
        Column("Pooled", numeric=True),
        Column("Mean ± SD", numeric=True),
        *(Column(f"{one_of} {place}", numeric=True) for place in range(1, n_models + 1)),
    )
    main = headline_names(evaluation)
    rows = [_spread_row(one, evaluation) for one in evaluation.spread if one.key.metric in main]
    rest = [_spread_row(one, evaluation) for one in evaluation.spread if one.key.metric not in main]
    intro = (
        "Pooled: the mean probability of all models."
        if evaluation.spread_over == "seeds"
        else "Pooled: each item by the model that did not train on its patient."
    )
    caption = f"Figures over {n_models} {evaluation.spread_over}"
    blocks = (
        Table(caption, columns, tuple(rows), note=below(evaluation)),
        Details("Other figures", (Table(f"{caption}: others", columns, tuple(rest), note=below(evaluation)),)),
    )
    return Section(f"Spread over {evaluation.spread_over}", blocks, intro, short="Spread")


def _spread_row(one: Spread, evaluation: Evaluation) -> Row:
    return row(
        METRICS[one.key.metric].title,
        value_cell(evaluation[one.key.metric]),
        f"{number(one.mean)} ± {number(one.sd)}",
        *(number(value) for value in one.values),
    )


def subgroups_section(evaluation: Evaluation, drawings: Mapping[str, Drawing]) -> Section | None:
    """Return figures by subgroup, None where there is nothing to show."""
    if not evaluation.subgroups:
        return None
    blocks: list[Block] = [_subgroup_table(table, evaluation) for table in evaluation.subgroups if table.rows]
    if "subgroups" in drawings:
        title = f"{METRICS[evaluation.config.selection].title} by subgroup"
        caption = f"Bars: two-sided {percent(evaluation)} intervals. Dashed: over all items. n: patients."
        blocks.insert(0, Figure(drawings["subgroups"], caption, title))
    without = "; ".join(f"{table.attribute} ({table.reason})" for table in evaluation.subgroups if not table.rows)
    if without:
        blocks.append(Paragraph(f"Not broken down: {without}.", "muted"))
    rule = (
        f"A subgroup of fewer than {evaluation.config.subgroup_patients} patients gets counts and no figures. "
        "Intervals are not corrected for looking at many subgroups."
    )
    return Section("Subgroups", tuple(blocks), intro=rule)


def _subgroup_table(table: SubgroupTable, evaluation: Evaluation) -> Table:
    names = list(dict.fromkeys(one.key.metric for row in table.rows for one in row.estimates))
    columns = (
        Column(table.attribute),
        Column("Items", numeric=True),
        Column("Patients", numeric=True),
        *(Column(METRICS[name].title, numeric=True) for name in names),
    )
    rows = tuple(
        row(
            Cell(group.level, detail=f"too few: {group.reason}" if group.reason else ""),
            f"{group.n_items:,}",
            f"{group.n_patients:,}",
            *(value_cell(find(group.estimates, name)) for name in names),
        )
        for group in table.rows
    )
    return Table(f"By {table.attribute}", columns, rows, note=below(evaluation))
