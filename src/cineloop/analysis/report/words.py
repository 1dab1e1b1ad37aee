"""The words of a report's page, English and Chinese side by side, beside those of every analysis."""

from __future__ import annotations

from cineloop.analysis.indicator import Definition
from cineloop.analysis.words import LANGUAGES, Bilingual, Language, Pairs, Said
from cineloop.report.furniture import DISCLAIMER

PAGE: Pairs = {
    "kicker": ("Procedure report", "检查报告"),
    "subtitle": (
        f"What software found in the recording. {DISCLAIMER}",
        "软件对检查录像的分析结果。研究用软件，非医疗器械。",
    ),
    "summary": ("Summary", "概要"),
    "timeline": ("Timeline", "时间线"),
    "indicators": ("Indicators", "质量指标"),
    "cleanliness": ("Cleanliness", "清洁度"),
    "best": ("Best frames", "最佳画面"),
    "events": ("Events", "事件"),
    "models": ("Models", "模型"),
    "recording": ("Recording and settings", "录像与设置"),
    "recording_short": ("Recording", "录像"),
    # Header.
    "duration": ("duration", "时长"),
    "analysed": ("analysed", "分析时间"),
    "files": ("files", "文件数"),
    "looked": ("frames looked at", "分析帧数"),
    "picture": ("picture", "画面"),
    "more_warnings": ("{n} more warning below.|{n} more warnings below.", "下文另有 {n} 条警告。"),
    "gap_banner": (
        "{n} stretch could not be decoded, {time} in all; nothing is said about it."
        "|{n} stretches could not be decoded, {time} in all; nothing is said about them.",
        "有 {n} 段录像无法解码，共 {time}；对这些时段不作判断。",
    ),
    "warnings": ("Warnings", "警告"),
    "no_warnings": ("There are none.", "无。"),
    # Figures.
    "to": ("{low} to {high}", "{low} 至 {high}"),
    "range_is": (
        "The range is that of the values under varied thresholds and filters; it is no confidence interval.",
        "范围为改变阈值与滤波宽度后所得数值的范围，并非置信区间。",
    ),
    "some_undetermined": (
        "Under {share} of the variations there is no value.",
        "在 {share} 的设置变化下无法得出数值。",
    ),
    "s": ("{time} s", "{time}秒"),
    "min": ("{time} min", "{minutes}分{seconds:02d}秒"),
    "h": ("{time} h", "{hours}时{minutes:02d}分{seconds:02d}秒"),
    "unvaried": ("in all variations", "各设置下均相同"),
    "side": ("{side} reference:", "{side}参考值："),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "applies": ("meant for {what}", "适用于{what}"),
    "definition": ("Definition", "定义"),
    "formula": ("Formula", "公式"),
    "source": ("Source", "出处"),
    "own": ("our own", "自定义"),
    "parts": ("Consists of", "组成"),
    "needs": ("Needs", "所需模型"),
    "variation": ("Variations", "设置变化"),
    "reference": ("Reference", "参考值"),
    "indicators_intro": (
        "Each opens to its definition. A reference says on which side a value lies; it is no verdict on a single "
        "procedure.",
        "点击展开定义。参考值仅说明数值在哪一侧，不构成对单次检查的评判。",
    ),
    "no_indicators": ("No indicator was computed.", "未计算任何指标。"),
    "bbps_withdrawal": ("Readable withdrawal, by score of the frames", "退镜可读时间内各画面评分所占比例"),
    "bbps_inside": ("Readable time in the body, by score of the frames", "体内可读时间内各画面评分所占比例"),
    "bbps_note": (
        "Scores of single frames on the scale of the Boston Bowel Preparation Scale, weighted by time. A distribution "
        "over frames is not a BBPS score, which is of three segments after cleansing.",
        "单帧画面按波士顿肠道准备量表评分并按时间加权。画面评分的分布不等于 BBPS 评分，后者针对清洗后的三个肠段。",
    ),
    "bbps_0": ("0: solid stool", "0：固体粪便"),
    "bbps_1": ("1: partly seen", "1：部分可见"),
    "bbps_2": ("2: minor residue", "2：少量残留"),
    "bbps_3": ("3: clean", "3：清洁"),
    "no_cleanliness": (
        "not determinable, because no model scored the cleanliness of a readable frame",
        "无法确定，因为没有模型对可读画面的清洁度评分",
    ),
    # A table without a page.
    "indicator": ("indicator", "指标"),
    "value": ("value", "数值"),
    "other_settings": ("with other settings", "其他设置下"),
    # Lanes and curves.
    "phase": ("Phase", "阶段"),
    "pause": ("Pauses, given", "暂停（给定）"),
    "paused": ("pause", "暂停"),
    "segment": ("Segment, given", "肠段（给定）"),
    "segment_right": ("right colon", "右半结肠"),
    "segment_transverse": ("transverse colon", "横结肠"),
    "segment_left": ("left colon", "左半结肠"),
    "of_signal": ("{signal}: {state}", "{signal}：{state}"),
    "gate": ("Gate: outside", "体内外判断：体外"),
    "classifier": ("Classifier", "分类器"),
    "clips": ("Clips: {name}", "片段：{name}"),
    "still": (
        "Timeline of the procedure, {duration}: {phases}.",
        "检查时间线，{duration}：{phases}。",
    ),
    "timeline_intro": (
        "What was decided, instant by instant. Where a lane is empty, it does not apply or nothing is known.",
        "逐时刻的判断结果。空白处表示不适用或未知。",
    ),
    "exact": (
        "Curves are rounded to a 254th; exact values stand in timeline.parquet.",
        "曲线取整至 1/254；精确值见 timeline.parquet。",
    ),
    "needs_script": (
        "Zooming, pictures and the video need scripts; this drawing does not.",
        "缩放、画面与视频需启用脚本；此图不需要。",
    ),
    # Events and gaps.
    "events_caption": ("What happened, in order of time.", "按时间顺序排列的事件。"),
    "time": ("Time", "时间"),
    "event": ("Event", "事件"),
    "detail": ("Detail", "说明"),
    "frame": ("Frame", "帧"),
    "known_at": ("Known at", "可知时刻"),
    "known_hint": ("The moment from which on it could be known.", "自该时刻起方可得知。"),
    "in_file": ("In file", "文件内位置"),
    "no_events": ("Nothing was noted.", "无事件。"),
    "gaps_caption": ("What could not be decoded.", "无法解码的时段。"),
    "from": ("From", "开始"),
    "until": ("Until", "结束"),
    "lasts": ("Lasts", "时长"),
    "frames": ("Frames", "帧数"),
    # Best frames.
    "best_intro": (
        "Sharp readable frames of each phase, spread over it, that do not look alike.",
        "各阶段中清晰、互不相似的可读画面，按时间分散选取。",
    ),
    "best_alt": ("Frame at {time}, {phase}", "{time} 的画面，{phase}"),
    "sharper": ("sharper than {share}", "清晰度高于 {share} 的画面"),
    "sharpest": ("among the sharpest {share}", "清晰度居前 {share}"),
    "no_best": ("No frame could be chosen.", "未能选出画面。"),
    # Models, recording, settings.
    "stage_inbody": ("In or out of the body", "体内外判断"),
    "stage_quality": ("Frame quality", "画面质量"),
    "stage_classify": ("Clip classification", "片段分类"),
    "stage_segment": ("Segmentation", "分割"),
    "run": ("Run", "训练"),
    "weights_alone": ("weights alone", "仅权重"),
    "architecture": ("Architecture", "网络结构"),
    "weights": ("Weights SHA-256", "权重 SHA-256"),
    "corpus": ("Training cohort", "训练数据指纹"),
    "unknown": ("unknown", "未知"),
    "engine": ("Engine", "推理引擎"),
    "tells": ("Tells apart", "类别"),
    "thresholds": ("Thresholds", "阈值"),
    "tuned": ("{what}, tuned on validation", "{what}（经验证集调优）"),
    "untuned": ("{what}, untuned", "{what}（未调优）"),
    "none": ("none", "无"),
    "judged": ("Judged", "判断次数"),
    "files_caption": ("The files, in order.", "各文件（按顺序）。"),
    "file": ("File", "文件"),
    "begins": ("Begins", "起点"),
    "size": ("Size", "尺寸"),
    "rate": ("Rate", "帧率"),
    "codec": ("Codec", "编码"),
    "truncated": ("truncated", "不完整"),
    "settings": ("Settings", "设置"),
    "fingerprint": ("fingerprint", "指纹"),
    "fingerprint_is": (
        "The fingerprint is over the files, the settings, the models and the version of Cineloop; equal fingerprints "
        "mean equal figures, up to rounding.",
        "指纹由文件、设置、模型与 Cineloop 版本共同算出；指纹相同则结果相同（舍入误差除外）。",
    ),
    "footnote": (
        "The same in a form for programs: report.json. Every instant: timeline.parquet.",
        "供程序读取的同一结果：report.json。逐时刻数据：timeline.parquet。",
    ),
}

SCRIPT: Pairs = {
    "timeline": ("Timeline of the procedure", "检查时间线"),
    "zoomIn": ("Zoom in", "放大"),
    "zoomOut": ("Zoom out", "缩小"),
    "earlier": ("Earlier", "向前"),
    "later": ("Later", "向后"),
    "whole": ("Whole procedure", "全程"),
    "previousEvent": ("Previous event", "上一事件"),
    "nextEvent": ("Next event", "下一事件"),
    "probabilities": ("Probabilities", "概率"),
    "help": (
        "Click to pin a moment, drag to zoom into a stretch, Shift and drag to move. The wheel zooms with Ctrl, or "
        "once the timeline is in focus. Keys: arrows, + and −, 0 for all, Page Up and Page Down for events.",
        "单击固定时刻，拖动放大区间。Ctrl 加滚轮缩放，Shift 加拖动平移；时间线获得焦点后可直接用滚轮缩放。"
        "按键：方向键、+ 与 −、0 显示全程、Page Up 与 Page Down 切换事件。",
    ),
    "touch": (
        "Tap to pin a moment. Drag to move, pinch to zoom.",
        "轻触固定时刻，拖动平移，双指缩放。",
    ),
    "frame": ("frame {n}", "第 {n} 帧"),
    "pictureAt": ("picture at {time}", "{time} 的画面"),
    "nothing": ("nothing is known here", "此处无数据"),
    "notDecoded": ("not decoded", "未解码"),
    "goTo": ("Go to {time}", "跳到 {time}"),
    "inPart": ("file {n}, {time}", "文件 {n}，{time}"),
    "open": ("Open the recording …", "打开录像…"),
    "otherFile": ("This file lasts {time}; it is not of this procedure.", "此文件时长 {time}，不属于本次检查。"),
    "unplayable": ("This browser cannot play the file.", "此浏览器无法播放该文件。"),
}


class Words(Bilingual):
    """The words of one language.

    Args:
        language: Which.
    """

    def __init__(self, language: Language) -> None:
        super().__init__(PAGE, language)
        self._shared = LANGUAGES[language]

    def said(self, what: Said) -> str:
        """Return a reason or a remark."""
        return self._shared.say(what)

    def missing(self, reason: Said) -> str:
        """Return that there is no value, and why."""
        return self._shared.missing.format(self.said(reason))

    def title(self, about: Definition) -> str:
        """Return what an indicator is called."""
        return self._shared.title(about)

    def definition(self, about: Definition) -> str:
        """Return what an indicator is."""
        return self._shared.definition(about)

    def formula(self, about: Definition) -> str:
        """Return how an indicator is computed."""
        return self._shared.formula(about)

    def phase(self, value: str) -> str:
        """Return what a stretch of the course is called; one that is not known by its name."""
        return self._shared.phases.get(value, value)

    def event(self, name: str) -> str:
        """Return what an event is called, as a title; one that is not known by its name."""
        return capital(self._shared.events.get(name, name))

    def part(self, name: str) -> str:
        """Return what a part of an indicator is called; one that is not known by its name."""
        return self._shared.parts.get(name, name)

    def side(self, side: str) -> str:
        """Return where a value lies, before the reference."""
        return self("side", side=self._shared.sides[side])

    @property
    def unverified(self) -> str:
        """That a reference's figure was not read in its source."""
        return self._shared.unverified

    @property
    def script(self) -> dict[str, str]:
        """The words of the page's script."""
        return dict(Bilingual(SCRIPT, self.language).all)


def capital(text: str) -> str:
    """Return a text with its first letter as a capital."""
    return text[:1].upper() + text[1:]
