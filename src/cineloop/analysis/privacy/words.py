"""The words of a review sheet, English and Chinese side by side."""

from __future__ import annotations

from cineloop.analysis.words import Bilingual, Language, Pairs

SHEET: Pairs = {
    "title": ("De-identified recording: review before it is passed on", "去标识化录像：移交前审查"),
    "kicker": ("Review", "审查"),
    "frames": ("{n:,} frame|{n:,} frames", "{n:,} 帧"),
    "private": (
        "This sheet shows frames that were removed. It is as private as the recording itself.",
        "本页显示被移除的帧，与原录像同样属于隐私。",
    ),
    # What was done.
    "done": ("What was done", "处理概况"),
    "removed": ("Frames removed", "移除的帧"),
    "threshold": ("Threshold of the gate", "体内外判断的阈值"),
    "release": ("release {share:g} of it", "释放阈值为其 {share:g}"),
    "filled": ("Picture filled", "画面涂黑"),
    "filled_is": ("the most of a part; {n} rectangle|the most of a part; {n} rectangles", "各部分中最多者；{n} 个矩形"),
    "share_outside": ("outside {share}", "体外 {share}"),
    "share_unknown": ("unknown {share}", "未知 {share}"),
    "share_lingering": ("lingering {share}", "未结束 {share}"),
    "share_padding": ("padding {share}", "边缘 {share}"),
    "share_island": ("island {share}", "夹缝 {share}"),
    # Where to look.
    "first": ("Look at these first", "请先查看"),
    "first_short": ("Doubts", "疑点"),
    "first_intro": (
        "The most doubtful first: short stretches that were kept between two that were removed, what has no score, and "
        "what came nearest to the threshold; in red what is closest. Pictures show what was kept, as it is.",
        "按可疑程度排列：夹在两段移除之间的短暂保留、没有评分之处、最接近阈值之处；红字为最可疑者。图片为保留画面的原样。",
    ),
    "no_doubt": ("There is nothing that was nearly decided otherwise.", "没有接近另一判断的画面。"),
    "left_out": (
        "{n} more place left out for the sheet's size.|{n} more places left out for the sheet's size.",
        "为控制篇幅，另有 {n} 处未列出。",
    ),
    "near": ("Kept, with one of the highest scores", "保留，但评分在最高之列"),
    "island": ("A short stretch that was kept between two that were removed", "夹在两段移除之间的短暂保留"),
    "edge": ("Kept, beside what was removed", "保留，紧邻移除之处"),
    "hardly": ("Removed, and the gate was hardly sure", "移除，但判断把握不大"),
    "no_score": ("no score", "无评分"),
    "score": ("score {score}, threshold {threshold}", "评分 {score}，阈值 {threshold}"),
    "highest": ("highest score {score}, threshold {threshold}", "最高评分 {score}，阈值 {threshold}"),
    "lasts": ("lasts {seconds:.1f} s", "持续 {seconds:.1f} 秒"),
    "unseen": ("its pictures were removed and are not shown", "画面已移除，不予显示"),
    "until": ("{start} to {stop}", "{start} 至 {stop}"),
    "headed": ("{when}: {what}", "{when}：{what}"),
    "kept_alt": ("Frame {frame} of part {part}, kept", "第 {part} 部分第 {frame} 帧，保留"),
    "removed_alt": ("Frame {frame} of part {part}, removed", "第 {part} 部分第 {frame} 帧，移除"),
    "kept_at": ("part {part}, frame {frame}, kept", "第 {part} 部分第 {frame} 帧，保留"),
    "removed_at": ("part {part}, frame {frame}, removed", "第 {part} 部分第 {frame} 帧，移除"),
    # Text.
    "text": ("Is there text left?", "是否残留文字？"),
    "text_short": ("Text", "文字"),
    "text_intro": (
        "Frames spread over what was kept. A name, a number or a date in one of them is in all of them.",
        "均匀取自保留画面的帧。其中一帧若有姓名、号码或日期，则各帧都有。",
    ),
    "nothing_kept": ("Nothing was kept.", "没有保留任何画面。"),
    "outside_of": ("outside of the {shape}", "画面区域（{shape}）之外"),
    "shape_rectangle": ("rectangle", "矩形"),
    "shape_circle": ("circle", "圆形"),
    "shape_octagon": ("octagon", "八边形"),
    "picture": ("the endoscope's picture", "内镜画面"),
    "given": ("given", "指定"),
    "found": ("found", "检出"),
    "no_masks": (
        "Nothing is filled: no text was found, no region given, and the picture has no border.",
        "未涂黑任何区域：未检出文字，未指定区域，画面无边框。",
    ),
    "masks": ("What is filled with black in every frame that was kept.", "每一保留帧中涂黑的区域。"),
    "part": ("part", "部分"),
    "where": ("filled, in pixels", "涂黑区域（像素）"),
    "why": ("why", "原因"),
    # What was removed.
    "all": ("All that was removed", "全部移除内容"),
    "all_short": ("Removed", "移除"),
    "nothing_removed": ("Nothing was removed.", "未移除任何画面。"),
    "why_outside": ("the gate: out of the body", "判断为体外"),
    "why_unknown": ("nothing is known", "未知"),
    "why_lingering": ("not over yet: below the threshold, above its release", "尚未结束：低于阈值，高于释放阈值"),
    "why_padding": ("beside what was removed", "紧邻移除之处"),
    "why_island": ("a short stretch between two", "两段之间的短暂画面"),
    "when": ("when", "时间"),
    "which": ("frames", "帧"),
    "lowest": ("lowest score", "最低评分"),
    "most": ("highest score", "最高评分"),
    "more_ranges": ("{n:,} more range in audit.csv.|{n:,} more ranges in audit.csv.", "另有 {n:,} 段见 audit.csv。"),
    "ranges": ("{n:,} range|{n:,} ranges", "{n:,} 段"),
    "ranges_are": ("Ranges of frames that were removed.", "被移除的帧段。"),
}


def words(language: Language) -> Bilingual:
    """Return the words of a language."""
    return Bilingual(SHEET, language)
