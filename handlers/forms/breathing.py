"""Steps that both forms for the lungs share (domain.md A5, A11). 血氧、呼吸困难"""

from __future__ import annotations

from handlers.steps import Number, SelectOne, options

SPO2 = Number(
    field="spo2", title="血氧", ask="静息血氧饱和度多少?(%)没有血氧仪可以跳过。", words=("血氧饱和度", "氧饱和度", "SpO2", "氧饱"), unit="%",
    units={"%": 1}, alone=(), possible=(30, 100), sure=(80, 100), optional=True, example="血氧 95",
)  # fmt: skip
USUAL_SPO2 = Number(
    field="usual_spo2", title="平时血氧", ask="这位病人平时血氧大概多少?不知道可以跳过。", words=("平时血氧", "平常血氧", "平时氧饱和度"), unit="%",
    units={"%": 1}, alone=(), possible=(30, 100), sure=(80, 100), optional=True,
    when=lambda known: (
        "usual_spo2" in known.answers or ("usual_spo2" not in known.details and "spo2" in known.answers and not known.past())
    ),
)  # fmt: skip
MMRC = SelectOne(
    field="mmrc",
    title="呼吸困难(mMRC)",
    ask="走路喘到什么程度?",
    words=("mMRC", "MMRC", "呼吸困难分级", "呼吸困难评分"),
    options=options(
        (0, "0级 剧烈活动才喘", "0级", "~0", "~不喘", "*剧烈活动才喘", "*用力才喘", "没有气促"),
        (1, "1级 快走或上坡喘", "1级", "~1", "*上坡喘", "*快走喘", "*走快了喘"),
        (2, "2级 平地走得比同龄人慢或要停下来", "2级", "~2", "*走得比人慢", "走得慢", "*平地要歇"),
        (3, "3级 平地走百米或几分钟就要停", "3级", "~3", "*走百米要歇", "*走百米要停", "*走几步就喘"),
        (4, "4级 出不了门,穿衣也喘", "4级", "~4", "*穿衣都喘", "*穿衣也喘", "*出不了门", "*说话都喘"),
    ),
)  # fmt: skip
RESPIRATION = Number(
    field="respiration", title="呼吸频率", words=("呼吸", "呼吸次数"), unit="次/分", units={"次/分": 1, "次每分": 1, "次": 1}, alone=(),
    possible=(4, 80), sure=(8, 40), asked=False,
)  # fmt: skip
