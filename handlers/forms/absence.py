"""The steps of a visit at which the resident was not seen; every follow-up has them (domain.md A0, A3, H3). 未访到"""

from __future__ import annotations

from collections.abc import Callable

from handlers.absence import AWAY, DIED, LOST, MOVED, REFUSED, SEEN
from handlers.steps import Day, Known, SelectOne, Text, options


def says(*outcomes: int) -> Callable[[Known], bool]:
    """Asked when the visit ended so."""
    return lambda known: known.answers.get("outcome") in outcomes


OUTCOME = SelectOne(
    field="outcome",
    title="见到本人",
    ask="见到本人了吗?",
    options=options(
        (SEEN, "见到了", "见到本人"),
        (AWAY, "外出", "=外出", "外出打工", "外出务工", "出去打工", "去打工了", "打工了", "打工去了", "在外打工", "在外地", "去外地", "外出未归", "不在家", "没在家", "家里没人", "家里没得人", "屋里没人", "没人在家", "门锁着", "门是锁的", "门锁了", "锁着门",
         "家中无人", "没见到人", "没碰到人", "人不在", "出门了", "走亲戚去了", "去儿子家住", "去女儿家住"),
        (REFUSED, "拒访", "=拒访", "拒绝随访", "拒绝访视", "不让访", "不愿意访", "不想随访", "不愿随访", "不愿意随访", "不肯随访", "不要随访", "不肯让访", "不让进门", "不配合随访", "拒绝上门"),
        (LOST, "失访", "=失访", "联系不上", "找不到人", "电话打不通", "失去联系", "走失"),
        (DIED, "死亡", "=死亡", "去世", "过世", "过身", "病故", "病逝", "死了", "已故", "过了世", "人没了", "不在了"),
        (MOVED, "迁出", "=迁出", "搬走了", "搬家了", "迁走了", "迁居", "户口迁走"),
    ),
    asked=False,
)  # fmt: skip
NOT_SEEN_WHY = Text(
    field="not_seen_why", title="没访到的原因", ask="为什么没访到?可以跳过。", words=("原因",), optional=True, when=says(REFUSED), longest=60
)  # fmt: skip
BACK_ON = Day(
    field="back_on", title="大概哪天回来", ask="大概哪天回来?不知道可以跳过,一个月后再提醒您。", words=("回来", "预计回来"), after=("回来", "回家"),
    past=False, bare=False, optional=True, when=says(AWAY),
)  # fmt: skip
LOST_REASON = SelectOne(
    field="lost_reason",
    title="失访原因",
    ask="失访的原因是?",
    options=options((1, "外出打工"), (2, "迁居他处"), (3, "走失"), (4, "连续3次未到访"), (5, "其他")),
    when=says(LOST),
    bare=(),
)
DIED_ON = Day(
    field="died_on", title="死亡日期", ask="哪天去世的?", words=("死亡日期", "去世日期", "死于", "去世于"), after=("去世", "过世", "死亡", "病故", "病逝", "走的"),
    before=("去世", "过世", "过身", "死亡", "病故", "病逝", "死了", "不在了", "人没了"),
    bare=False, when=says(DIED),
)  # fmt: skip
DEATH_CAUSE = SelectOne(
    field="death_cause",
    title="死亡原因",
    ask="死亡原因是?",
    options=options(
        (1, "躯体疾病", "病死", "心脏病", "脑中风", "脑出血", "癌症", "肿瘤", "老死", "年老"),
        (2, "自杀", "喝农药", "上吊"),
        (3, "他杀"),
        (4, "意外", "车祸", "摔死", "溺水"),
        (5, "精神疾病相关并发症"),
        (6, "其他"),
        (9, "不清楚"),
    ),
    when=says(DIED),
    bare=(),
)
DEATH_ILLNESS = SelectOne(
    field="death_illness",
    title="躯体疾病的种类",
    ask="是哪一类病?不清楚可以跳过。",
    options=options(
        (1, "传染病和寄生虫病"),
        (2, "肿瘤", "癌症"),
        (3, "心脏病", "心梗"),
        (4, "脑血管病", "脑出血", "中风"),
        (5, "呼吸系统疾病", "肺炎"),
        (6, "消化系统疾病"),
        (7, "其他疾病"),
        (8, "不详"),
    ),
    optional=True,
    when=lambda known: known.answers.get("outcome") == DIED and known.answers.get("death_cause") == 1,
    bare=(),
)
"""Of the form for severe mental disorders alone (domain.md A3)."""
MOVED_ON = Day(
    field="moved_on", title="迁出日期", ask="哪天搬走的?", words=("迁出日期",), after=("搬走", "迁走", "迁出", "搬家"),
    before=("搬走", "迁走", "迁出", "搬家"), bare=False, when=says(MOVED)
)  # fmt: skip
MOVED_TO = Text(
    field="moved_to", title="迁往哪里", ask="搬到哪里去了?可以跳过。", words=("迁往", "搬到"), optional=True, when=says(MOVED), longest=60,
    like=r"[^\s,。;\d\ue010]{2,12}",
)  # fmt: skip

ABSENCE = (OUTCOME, NOT_SEEN_WHY, BACK_ON, LOST_REASON, DIED_ON, DEATH_CAUSE, MOVED_ON, MOVED_TO)
