"""入户走访: why the doctor went, which policies were explained, what is needed (domain.md F1: 结对帮扶、政策宣传)."""

from __future__ import annotations

from handlers.form import Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.event import NOTE, count
from handlers.steps import SelectMany, Text, options

PURPOSE = SelectMany(
    field="purpose",
    title="走访事由",
    ask="这次走访是为什么?可以多选。",
    none_code="",
    options=options(
        (1, "健康指导", "健康宣教", "指导", "看看情况", "了解情况", "健康询问"),
        (2, "政策宣传", "宣传政策", "讲政策", "健康扶贫政策"),
        (3, "结对帮扶", "帮扶", "帮扶走访", "扶贫走访", "结对走访"),
        (4, "签约服务", "履约服务"),
        (5, "送药", "送医送药", "代购药", "带药"),
        (6, "慰问关怀", "慰问", "看望", "关怀"),
        (7, "康复护理", "换药", "护理", "康复指导"),
        (8, "通知体检或筛查", "通知体检", "通知筛查", "通知接种", "动员体检"),
        (9, "其他", "=其他"),
    ),
)
POLICIES = SelectMany(
    field="policies",
    title="宣传的政策",
    none_code=0,
    asked=False,
    options=options(
        (0, "没有宣传"),
        (1, "医保缴费和报销", "宣传医保", "讲医保", "医保", "合作医疗", "报销政策"),
        (2, "先诊疗后付费", "一站式结算", "一站式"),
        (3, "大病集中救治", "大病救治", "大病保险"),
        (4, "慢病签约管理", "慢病管理", "签约政策"),
        (5, "重病兜底保障", "兜底保障", "医疗救助", "兜底"),
        (6, "免费筛查和体检", "宣传筛查", "免费筛查", "免费体检", "两癌筛查政策"),
        (7, "生育和优生政策", "优生政策", "叶酸政策", "生育政策"),
    ),
)
NEEDS = Text(field="needs", title="居民的需求", words=("需求", "困难", "要求", "诉求"), asked=False, longest=120)
DONE = Text(field="done", title="处理情况", words=("处理", "已处理", "解决"), asked=False, longest=120)

form = Form(
    code="home_visit",
    title="入户走访",
    about="resident",
    hints=("慰问", "看望", "家看了", "家里看了", "屋里看了", "家坐了", "家看看"),
    words=("入户走访", "走访", "走访了", "帮扶走访", "上门慰问", "上门看望"),
    steps=(
        common.ON,
        *ABSENCE,
        PURPOSE,
        POLICIES,
        count("publicity_contacts", "面对面宣传", "宣传", "宣传了"),
        count("leaflets", "资料", "发资料", "发了资料", "宣传资料", unit="份"),
        NEEDS,
        DONE,
        NOTE,
    ),
    counts={"publicity_contacts": "publicity_contacts", "leaflets": "leaflets"},
)
