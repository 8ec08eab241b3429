"""尘肺病患者随访: breath, complications, work and help (domain.md A11); the interval is the county's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.danger import plain_danger_step
from handlers.forms.event import NOTE
from handlers.protocols import pneumoconiosis
from handlers.protocols.pneumoconiosis import COMPLICATIONS, DANGER_SIGNS
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, Text, options

IN_PERSON = (1, 2)

MMRC = SelectOne(
    field="mmrc",
    title="呼吸困难(mMRC)",
    ask="平时喘到什么程度?",
    words=("呼吸困难", "mMRC", "气促分级"),
    options=options(
        (0, "0级 用力才喘", "剧烈活动才喘", "不喘", "没有气促"),
        (1, "1级 快走或上缓坡喘", "上坡喘", "快走喘"),
        (2, "2级 比同龄人走得慢", "走得慢", "平地要歇"),
        (3, "3级 走百米要歇", "走百米要歇", "走百米要停", "走几步就喘"),
        (4, "4级 穿衣说话都喘", "穿衣都喘", "不能出门", "出不了门", "说话都喘"),
    ),
)
SPO2 = Number(
    field="spo2", title="血氧", ask="血氧饱和度多少?(%)没测可以跳过。", words=("血氧饱和度", "血氧", "SpO2", "氧饱和度"), unit="%",
    units={"%": 1, "个": 1}, alone=(), possible=(30, 100), sure=(60, 100), optional=True,
)  # fmt: skip
DANGER = plain_danger_step(
    DANGER_SIGNS,
    "现在有没有下面的情况?",
    said={
        "sudden_chest_pain": ("突然胸痛", "突然气促", "突然喘"),
        "haemoptysis": ("咯血", "咳血", "痰里带血", "吐血"),
        "cyanosis": ("嘴唇发紫", "口唇发绀", "嘴巴发紫"),
        "fever": ("发热", "发烧", "黄痰", "脓痰"),
        "none": ("没有不舒服", "无不适", "病情平稳", "老样子", "还好"),
    },
)
KIND = SelectOne(
    field="kind", title="尘肺种类", words=("种类",), asked=False,
    options=options((1, "矽肺", "硅肺"), (2, "煤工尘肺", "煤肺"), (3, "石棉肺"), (4, "电焊工尘肺", "电焊尘肺"), (5, "其他尘肺", "其他")),
)  # fmt: skip
STAGE = SelectOne(
    field="stage", title="期别", words=("期别",), asked=False, options=options((1, "壹期", "一期", "Ⅰ期", "1期"), (2, "贰期", "二期", "Ⅱ期", "2期"), (3, "叁期", "三期", "Ⅲ期", "3期"))
)  # fmt: skip
YES_NO = ((1, "有"), (2, "无"))


def yes_no(field: str, title: str, *words: str) -> SelectOne:
    """A help that somebody gets or not."""
    return SelectOne(
        field=field,
        title=title,
        words=words,
        options=options((1, "有", "是", "享受"), (2, "无", "没有", "否", "没享受")),
        asked=False,
        bare=(),
    )


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Face to face it counts as a visit by the county's interval."""
    return ["standard_visit"] if answers.get("mode") in IN_PERSON else []


form = Form(
    code="pneumoconiosis_follow_up",
    title="尘肺病随访",
    about="resident",
    words=("尘肺病随访", "尘肺随访", "尘肺病", "尘肺", "矽肺", "煤工尘肺"),
    programme="pneumoconiosis",
    protocol=pneumoconiosis.protocol,
    marks=marks,
    steps=(
        common.ON,
        *ABSENCE,
        common.MODE,
        MMRC,
        DANGER,
        SPO2,
        SelectMany(
            field="complications", title="并发症", words=("并发症",), none_code=1, asked=False,
            options=options(*((code, label, *(("~无", "~没有", "没有并发症", "无并发症") if code == 1 else ())) for code, label in COMPLICATIONS.items())),
        ),
        common.SMOKING,
        KIND,
        STAGE,
        Day(field="diagnosed_on", title="诊断日期", words=("诊断日期", "确诊日期"), bare=False, asked=False),
        Text(field="diagnosed_at", title="诊断机构", words=("诊断机构",), asked=False, longest=40),
        Text(field="employer", title="用人单位", words=("用人单位", "单位"), asked=False, longest=40),
        SelectOne(field="employer_exists", title="用人单位是否存在", options=options((1, "存在"), (2, "不存在", "倒闭", "关闭")), asked=False, bare=()),
        yes_no("injury_insurance", "工伤保险", "工伤保险", "工伤"),
        yes_no("medical_aid", "医疗救助", "医疗救助"),
        yes_no("subsistence", "最低生活保障", "低保"),
        yes_no("compensation", "赔偿", "赔偿"),
        yes_no("rehabilitation_station", "康复站", "康复站", "去康复站"),
        Text(field="needs", title="需求", words=("需求", "困难"), asked=False, longest=80),
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        NOTE,
        common.NEXT,
    ),
)  # fmt: skip
