"""An evaluation as a page for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cineloop.evaluation.intervals import Estimate, find
from cineloop.evaluation.metrics import METRICS, PER_CLASS
from cineloop.evaluation.missed import Missed
from cineloop.evaluation.page_tables import (
    below,
    comparison_section,
    headline_names,
    interval_text,
    missed_section,
    percent,
    questions_section,
    spread_section,
    subgroups_section,
    value_cell,
)
from cineloop.evaluation.questions import Answer
from cineloop.evaluation.result import Evaluation
from cineloop.report.charts import Panel, training_curve
from cineloop.report.drawing import Drawing
from cineloop.report.epochs import EpochConfusion, confusion_thumb, thinned
from cineloop.report.gallery import FrameStrip, gallery
from cineloop.report.html import (
    Banner,
    Block,
    Bullets,
    Card,
    Cards,
    Cell,
    Column,
    Details,
    Fact,
    Facts,
    Figure,
    Grid,
    Page,
    Paragraph,
    Range,
    Section,
    Stack,
    Table,
    count,
    interval,
    number,
    row,
)

_MOST_EPOCHS = 12
_CALIBRATION = ("ece", "ece_mass", "brier", "log_loss")


def page(
    evaluation: Evaluation,
    drawings: Mapping[str, Drawing],
    *,
    title: str | None = None,
    subtitle: str = "",
    gallery: Sequence[FrameStrip] = (),
    training: Sequence[Panel] = (),
    epochs: Sequence[EpochConfusion] = (),
    provenance: Mapping[str, str],
    answers: Sequence[Answer] = (),
    missed: Missed | None = None,
) -> Page:
    """Return the page of an evaluation.

    Args:
        evaluation: What was found.
        drawings: Its figures, from :func:`cineloop.evaluation.plots.draw`.
        title: The cohort and split by default.
        subtitle: Which model.
        gallery: Frames of the worst mistakes.
        training: Curves of the training that made the model.
        epochs: What its epochs decided on validation.
        provenance: For the footer.
        answers: Questions that the model answers besides its classes.
        missed: What was missed of the positive class.
    """
    known = evaluation.predictions.known()
    sections = (
        questions_section(answers),
        _headline(evaluation),
        missed_section(missed),
        _decisions(evaluation, drawings),
        _discrimination(evaluation, drawings),
        _calibration(evaluation, drawings),
        comparison_section(evaluation),
        spread_section(evaluation),
        subgroups_section(evaluation, drawings),
        _mistakes(evaluation, gallery),
        _training(evaluation, training, epochs),
        _methods(evaluation),
    )
    return Page(
        title=title or f"{evaluation.cohort}: {evaluation.split}",
        kicker="Evaluation",
        subtitle=subtitle,
        chips=(
            Fact("cohort", evaluation.cohort),
            Fact("split", evaluation.split),
            Fact("items", f"{len(known):,}"),
            Fact("patients" if known.identity_known else "patients (assumed)", f"{known.n_clusters:,}"),
        ),
        banners=tuple(Banner(text) for text in evaluation.warnings),
        watermark=evaluation.watermark,
        sections=tuple(section for section in sections if section is not None),
        provenance=tuple(Fact(name, value) for name, value in provenance.items()),
    )


def _card(one: Estimate, evaluation: Evaluation) -> Card:
    lead = one.key.metric == evaluation.config.selection
    span = None
    if one.metric.unit_range and one.value is not None and one.low is not None and one.high is not None:
        span = Range(one.value, one.low, one.high)
    detail = interval_text(one)
    if one.low is not None:
        detail = f"two-sided {percent(evaluation)} CI {detail}"
    return Card(
        label=one.metric.title,
        value=number(one.value) if one.value is not None else "undefined",
        detail=detail,
        hint=one.metric.definition,
        range=span,
        lead=lead,
    )


def _headline(evaluation: Evaluation) -> Section:
    shown = [evaluation[name] for name in headline_names(evaluation)]
    return Section(
        "Headline",
        (
            Cards(tuple(_card(one, evaluation) for one in shown)),
            Details("Every figure", (_figures(evaluation.headline, "Every overall figure", percent(evaluation)),)),
        ),
        intro=_protocol(evaluation),
    )


def _protocol(evaluation: Evaluation) -> str:
    config, threshold = evaluation.config, evaluation.threshold
    if evaluation.predictions.decision is not None:
        decision = "A class is decided by the questions, one after the other, at their thresholds."
    elif threshold is None:
        decision = "The most probable class is decided."
    else:
        source = {
            "validation": f"chosen on validation by {threshold.rule}",
            "fixed": "fixed beforehand",
            "untuned": "the default, untuned",
        }[threshold.source]
        positive = evaluation.predictions.classes[1]
        decision = f"{positive!r} is decided from a probability of {threshold.value:.3f}, {source}."
    source = f"{config.replicates:,} bootstrap replicates over patients"
    return f"Two-sided {percent(evaluation)} intervals come from {source}. {decision}"


def _figures(estimates: Iterable[Estimate], caption: str, confidence: str) -> Table:
    rows = tuple(
        (
            one.metric.title,
            Cell(number(one.value), "plain" if one.value is not None else "muted"),
            interval(one.low, one.high) or "–",
            one.reason or one.method or "",
            f"{one.n_items:,}",
            f"{one.n_patients:,}",
        )
        for one in estimates
    )
    columns = (
        Column("Figure"),
        Column("Value", numeric=True),
        Column(f"Two-sided {confidence} interval", numeric=True),
        Column("Kind of interval"),
        Column("Items", numeric=True),
        Column("Patients", numeric=True),
    )
    return Table(caption, columns, rows)


def _decisions(evaluation: Evaluation, drawings: Mapping[str, Drawing]) -> Section:
    blocks: list[Block] = [
        Grid(
            (
                Figure(drawings["confusion"], title="Items"),
                Figure(drawings["confusion_normalised"], title="Shares of the true class"),
            )
        )
    ]
    labels = [name for name in evaluation.predictions.classes if find(evaluation.estimates, "f1", name)]
    if labels:
        columns = (Column("Class"), *(Column(METRICS[name].title, numeric=True) for name in PER_CLASS))
        rows = tuple(
            row(label, *(value_cell(find(evaluation.estimates, name, label)) for name in PER_CLASS)) for label in labels
        )
        blocks.append(Table("Each class against the rest", columns, rows, note=below(evaluation)))
    if evaluation.operating_points:
        names = ("sensitivity", "specificity", "ppv", "npv")
        columns = (
            Column("Asked for on validation"),
            Column("Threshold", numeric=True),
            *(Column(METRICS[name].title, numeric=True) for name in names),
        )
        rows = tuple(
            row(
                Cell(point.rule, detail=point.reason or ""),
                number(point.threshold),
                *(value_cell(find(point.estimates, name)) for name in names),
            )
            for point in evaluation.operating_points
        )
        note = f"Thresholds are chosen on validation items; the figures are what they achieve here. {below(evaluation)}"
        blocks.append(Table("Operating points", columns, rows, note=note))
    return Section("Decisions", tuple(blocks))


def _discrimination(evaluation: Evaluation, drawings: Mapping[str, Drawing]) -> Section:
    if "roc" not in drawings:
        reason = "All items are of one class, so nothing can be told apart and no curve is drawn."
        return Section("Discrimination", (Paragraph(reason, "muted"),))
    banded = evaluation.threshold is not None
    caption = f"Band: pointwise two-sided {percent(evaluation)} interval over patients." if banded else ""
    hidden = len(evaluation.curves) > 6
    blocks: list[Block] = [
        Grid(
            (
                Figure(drawings["roc"], caption, "Receiver operating characteristic"),
                Figure(drawings["precision_recall"], caption, "Precision and recall"),
            )
        )
    ]
    if hidden:
        blocks.append(Paragraph("Curves of the first six classes; the table of classes has all of them.", "muted"))
    if "scores" in drawings:
        blocks.append(Figure(drawings["scores"], title="Probabilities"))
    return Section("Discrimination", tuple(blocks))


def _calibration(evaluation: Evaluation, drawings: Mapping[str, Drawing]) -> Section:
    calibration = evaluation.calibration
    scaled = calibration.temperature
    columns = [Column("Figure"), Column("As predicted", numeric=True)]
    if scaled is not None:
        columns.append(Column("At the temperature", numeric=True))
    rows = tuple(
        row(
            METRICS[name].title,
            value_cell(evaluation[name]),
            *((value_cell(find(calibration.estimates, name)),) if scaled is not None else ()),
        )
        for name in _CALIBRATION
    )
    if scaled is not None:
        text = (
            f"A temperature of {scaled.value:.2f}, fitted on {count(scaled.n_items, 'validation item')}, took their "
            f"log-loss from {scaled.log_loss_before:.3f} to {scaled.log_loss_after:.3f}. Every other section shows the "
            "probabilities as they were predicted."
        )
    else:
        text = f"No temperature was fitted: {calibration.reason}."
    table = Table("Calibration figures, smaller is better", tuple(columns), rows, note=below(evaluation))
    side = (table, Paragraph(text, "muted"))
    figure = Figure(
        drawings["reliability"], f"Bars: two-sided {percent(evaluation)} interval over patients.", "Reliability"
    )
    return Section("Calibration", (Grid((figure, Stack(side))),))


def _mistakes(evaluation: Evaluation, strips: Sequence[FrameStrip]) -> Section:
    wrong = int(evaluation.confusion.sum() - evaluation.confusion.trace())
    total = int(evaluation.confusion.sum())
    intro = f"{wrong:,} of {total:,} items are decided wrongly; the most certain of them first."
    if not wrong:
        return Section("Mistakes", (Paragraph("No item is decided wrongly.", "good"),))
    if evaluation.config.examples and strips:
        intro += " Items of every kind, right ones too, are in examples.html beside this page."
    blocks: list[Block] = [gallery(strips)] if strips else []
    columns = (
        Column("Item"),
        Column("True"),
        Column("Decided"),
        Column("Probability", numeric=True, hint="of the decided class"),
    )
    rows = tuple((one.id, one.true, one.decided, number(one.probability)) for one in evaluation.mistakes(50))
    table = Table(f"The {len(rows)} most certain mistakes", columns, rows)
    blocks.append(Details(f"Table of the {len(rows)} most certain", (table,)) if strips else table)
    return Section("Mistakes", tuple(blocks), intro=intro)


def _training(evaluation: Evaluation, panels: Sequence[Panel], epochs: Sequence[EpochConfusion]) -> Section | None:
    if not panels:
        return None
    drawn = tuple(Figure(training_curve(panel, watermark=evaluation.watermark), title=panel.title) for panel in panels)
    blocks: list[Block] = [Grid(drawn)]
    if epochs:
        shown = thinned(epochs, _MOST_EPOCHS)
        fewer = f", {len(shown)} of {len(epochs)} epochs" if len(shown) < len(epochs) else ""
        names = ", ".join(epochs[0].classes)
        blocks.append(
            Stack(
                (
                    Paragraph(
                        f"What each epoch decided on validation{fewer}. Rows are true, columns "
                        f"decided, both in the order {names}; the more probable class is decided.",
                        "muted",
                    ),
                    Grid(
                        tuple(
                            Figure(confusion_thumb(one, watermark=evaluation.watermark), title=one.title.capitalize())
                            for one in shown
                        ),
                        small=True,
                    ),
                )
            )
        )
    return Section("Training", tuple(blocks))


def _methods(evaluation: Evaluation) -> Section:
    config = evaluation.config
    kinds = {one.method for one in evaluation.estimates}
    kind = "bias-corrected and accelerated" if config.interval == "bca" else "percentile"
    bullets = [
        f"Intervals: two-sided, {config.replicates:,} replicates (seed {config.seed}), each drawing patients with "
        f"replacement and taking all of their items; {kind}.",
        "Calibration errors have basic intervals, which take off the bias that resampling adds; the error of few items "
        "is itself biased upwards.",
        "A figure that is undefined in a replicate is left out of its interval; metrics.json says in what share.",
    ]
    if kinds & {"clopper-pearson", "newcombe"}:
        bullets.append(
            "Where every replicate is perfect the bootstrap sees no uncertainty: shares then have the exact "
            "interval of Clopper and Pearson over patients, the AUROC Newcombe's (2006, method 5), other figures none."
        )
    used = dict.fromkeys(one.key.metric for one in evaluation.estimates)
    definitions = Facts(tuple(Fact(METRICS[name].title, METRICS[name].definition) for name in METRICS if name in used))
    return Section(
        "How this was measured", (Bullets(tuple(bullets)), Details("Definitions", (definitions,))), short="Methods"
    )
