"""Every figure a supervisor can ask for, each with its definition. Adding one is adding one entry to `INDICATORS`. 指标

Figures are sums of counters, never a scan of records. A percentage is never given without its numerator, denominator,
day and definition; where the county has not given a denominator the figure is empty and says so: nothing is guessed.
"""

from __future__ import annotations

from typing import Literal

from models.indicator import Given, Indicator, Sum, at_end, during, enrolled_at_end, managed, on_track, this_year
from models.services import PROGRAMMES, SERVICES, UNITS

RENEWAL_DAYS_MARK = "{renewal_days}"
"""Stands in a definition for the county's setting."""

CHAPTERS = ("档案", "慢病", "签约", "义诊", "转诊培训", "妇幼筛查", "记录")


def _count(service: str, title: str) -> Indicator:
    unit = UNITS.get(service, "人次")
    definition = f"本期{title}的记录数,按发生日期计,更正和撤销的不计。"
    return Indicator(f"count.{service}", title, "记录", unit, definition, during(f"count.{service}"))


def _flow(code: str, title: str, chapter: str, unit: str, definition: str, measure: str = "") -> Indicator:
    return Indicator(code, title, chapter, unit, definition, during(measure or code))


def _managed(programme: str, chapter: str = "慢病") -> Indicator:
    words = PROGRAMMES[programme]
    definition = f"本年1月1日至截止日曾在管的{words}人数(年内已管理人数,含年内结案、迁出、死亡)。"
    return Indicator(
        f"{programme}_managed", f"{words}管理人数", chapter, "人", definition, managed(programme), period="state"
    )


def _standardised(programme: str, visited: str = "面对面且实测的") -> Indicator:
    words = PROGRAMMES[programme]
    return Indicator(
        f"{programme}_standardised_rate",
        f"{words}规范管理率",
        "慢病",
        "%",
        f"公卫口径:截止日已满的各季度(本年纳管的从纳管当季起,至少一个季度)每季都有{visited}{words}随访的人数"
        "÷年内已管理人数;电话随访和两周复访不抵季度次数。",
        on_track(programme),
        managed(programme),
        "state",
    )


def _controlled(programme: str, title: str, limit: str) -> Indicator:
    return Indicator(
        f"{programme}_control_rate",
        title,
        "慢病",
        "%",
        f"公卫口径:本年截止日前最近一次实测达标({limit})的人数÷年内已管理人数;本年没有实测(失访)算未达标。",
        this_year(f"{programme}.controlled"),
        managed(programme),
        "state",
    )


def _of_given(
    code: str, title: str, who: str, of: str, numerator: Sum, period: Literal["flow", "state"] = "flow"
) -> Indicator:
    """A rate of mothers and children whose denominator the county gives."""
    return Indicator(code, title, "妇幼筛查", "%", f"{who}÷{of}(由县里录入)。", numerator, "given", period)


def _signing(kind: str, title: str, who: str, denominator: Sum | Given) -> Indicator:
    definition = f"截止日家庭医生签约协议在有效期内的{who},每人只计1次。"
    return Indicator(
        f"signing_rate_{kind}", title, "签约", "%", definition, at_end(f"signed.{kind}"), denominator, "state"
    )


def _fulfilment_by_person() -> Indicator:
    definition = "截止日协议有效、约定项目已全部完成的签约人数÷截止日有效签约人数;记录在协议期内的服务自动算作证据,电话随访按县里设置。"
    fulfilled, signed = at_end("signing.fulfilled"), at_end("signed.general")
    return Indicator("signing_fulfilment_rate", "履约率(按人)", "签约", "%", definition, fulfilled, signed, "state")


def _fulfilment_by_item() -> Indicator:
    definition = "截止日有效协议约定的项目中已完成的项数÷约定项数;一项要做够约定次数才算完成,按需提供的项目不计。"
    done, due = at_end("signing.items_done"), at_end("signing.items_due")
    return Indicator("signing_fulfilment_rate", "履约率(按项)", "签约", "%", definition, done, due, "state")


INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "health_record_coverage",
        "居民健康档案建档率",
        "档案",
        "%",
        "截止日已建档且未迁出、未死亡的人数÷常住人口(常住人口由县里录入)。",
        at_end("residents.registered"),
        "population",
        "state",
    ),
    Indicator(
        "elderly_managed",
        "老年人健康管理人数",
        "档案",
        "人",
        "本年1月1日至截止日做过老年人健康体检的65岁及以上(或县里定的年龄)人数,每人每年只计1次。",
        this_year("people.elderly_check"),
        period="state",
    ),
    Indicator(
        "elderly_tcm_rate",
        "老年人中医药健康管理率",
        "档案",
        "%",
        "本年接受中医体质辨识并得到保健指导的65岁及以上人数,每人每年计1次÷辖区65岁及以上常住居民数;县里录入了常住人数用录入的,没有录入用截止日在册、当年满65岁的登记人数。",
        this_year("elderly_tcm"),
        at_end("residents.elderly"),
        "state",
    ),
    Indicator(
        "elderly_managed_rate",
        "老年人健康管理率",
        "档案",
        "%",
        "本年做过老年人健康体检的人数÷辖区65岁及以上常住居民数;县里录入了常住人数用录入的,没有录入用截止日在册、当年满65岁的登记人数。",
        this_year("people.elderly_check"),
        at_end("residents.elderly"),
        "state",
    ),
    Indicator(
        "hypertension_yearly_check",
        "高血压患者年度健康检查",
        "慢病",
        "人",
        "本年有一次年度健康检查记录(与老年人体检为同一份)的在管高血压患者人数,每人每年只计1次。",
        this_year("people.yearly_check.hypertension"),
        period="state",
    ),
    Indicator(
        "diabetes_yearly_check",
        "糖尿病患者年度健康检查",
        "慢病",
        "人",
        "本年有一次年度健康检查记录(与老年人体检为同一份)的在管糖尿病患者人数,每人每年只计1次。",
        this_year("people.yearly_check.diabetes"),
        period="state",
    ),
    _managed("hypertension"),
    _standardised("hypertension"),
    _controlled("hypertension", "高血压控制率", "低于140/90,65岁及以上低于150/90"),
    _managed("diabetes"),
    _standardised("diabetes"),
    _controlled("diabetes", "糖尿病控制率", "空腹血糖低于7.0"),
    _managed("mental_health"),
    _standardised("mental_health", "面对面、评估问全的"),
    _managed("tb"),
    Indicator(
        "tb_management_rate",
        "肺结核患者管理率",
        "慢病",
        "%",
        "本年截止日前至少入户或随访过一次的肺结核患者人数÷年内已管理人数(县里录入同期确诊并通知基层管理的人数时,以录入的为分母)。",
        this_year("tb_visited"),
        managed("tb"),
        "state",
    ),
    Indicator(
        "tb_adherence_rate",
        "肺结核规则服药率",
        "慢病",
        "%",
        "本期完成疗程的患者中,全程实际服药次数达到应服药次数90%的人数÷本期完成疗程的人数,按登记停止治疗的随访日期计。",
        during("tb_regular"),
        during("tb_completed"),
    ),
    _managed("copd"),
    _managed("pneumoconiosis"),
    _managed("rehabilitation"),
    _signing("general", "签约率(一般人群)", "人数÷常住人口(或县里给定的签约基数)", "population"),
    _signing("key", "签约率(重点人群)", "重点人群人数÷登记的重点人群人数", at_end("residents.key")),
    _signing("poor", "签约率(脱贫人口)", "脱贫、监测、低保、特困人数÷登记的这类人数", at_end("residents.poor")),
    Indicator(
        "signing_renewal_rate",
        "续签率",
        "签约",
        "%",
        "本期到期的协议中,到期前已续或到期后{renewal_days}天内续签的份数÷本期到期的份数;死亡、迁出的不计。",
        during("signing.renewed"),
        during("signing.expired"),
    ),
    Indicator(
        "signing_fulfilment_rate",
        "履约率",
        "签约",
        "%",
        "协议期内完成约定服务项目的签约人数÷有效签约人数;全国没有统一口径,县里确定口径后才计算。",
        None,
        "given",
        "state",
        setting="signing.fulfilment",
        variants={"person": _fulfilment_by_person(), "item": _fulfilment_by_item()},
    ),
    _flow("agreements_signed", "签订协议", "签约", "份", "本期开始生效的签约协议份数,撤销的不计。"),
    _flow("agreements_personalised", "个性化签约", "签约", "份", "本期开始生效、含个性化包的签约协议份数,撤销的不计。"),
    _flow("agreements_ended", "提前解约", "签约", "份", "本期未到期就解约的协议份数,含换医生;名单里有原因。"),
    _flow("outreach_sessions", "义诊场次", "义诊", "场", "本期义诊记录数,一次活动一场。", "count.outreach_clinic"),
    _flow("outreach_attendances", "义诊人次", "义诊", "人次", "本期各场义诊的接诊人次之和,同一人来两次计两次。"),
    _flow("physical_checks", "免费体检", "义诊", "人次", "本期各场活动的免费体检人次之和,可以多于义诊人次。"),
    _flow("publicity_contacts", "面对面宣传", "义诊", "人次", "本期各场活动面对面宣传人次之和。"),
    _flow("outreach_agreements", "义诊现场签约", "义诊", "份", "本期各场义诊上报的现场签约份数,不等于签订协议数。"),
    _flow("lectures", "健康讲座", "义诊", "场", "本期健康教育记录中的讲座和义诊中的讲座场次。"),
    _flow("health_education_people", "健康教育人次", "义诊", "人次", "本期各场讲座、公众咨询的参加人次之和。"),
    _flow("leaflets", "发放资料", "义诊", "份", "本期各项活动发放的宣传资料份数。"),
    _flow(
        "expert_hours",
        "专家支援时长",
        "转诊培训",
        "小时",
        "本期专家坐诊、带教、挂职等记录的服务小时之和,不满1小时的不计。",
    ),
    _flow("expert_patients", "专家接诊", "转诊培训", "人次", "本期专家下乡支援的接诊人次之和。"),
    _flow("warning_education", "会议和警示教育", "转诊培训", "场", "本期培训记录中的会议和警示教育场次。"),
    _flow("referrals_up", "上转", "转诊培训", "人次", "本期登记的上转人次。"),
    _flow("referrals_down", "下转", "转诊培训", "人次", "本期登记的下转人次。"),
    _flow("trainings", "培训场次", "转诊培训", "场", "本期培训记录数。", "count.training"),
    _flow("training_people", "培训人次", "转诊培训", "人次", "本期各场培训的参加人次之和。"),
    Indicator(
        "folic_acid_distribution_rate",
        "叶酸投服率",
        "妇幼筛查",
        "%",
        "本期领到叶酸的人数(每人每年计1次)÷应服用人数(由县里录入)。",
        during("folic_acid_recipients"),
        "given",
    ),
    Indicator(
        "folic_acid_adherence_rate",
        "叶酸依从率",
        "妇幼筛查",
        "%",
        "本期按规定时长服满叶酸的人数(每人每年计1次)÷服用人数(由县里录入)。",
        during("folic_acid_adherent"),
        "given",
    ),
    Indicator(
        "newborn_screening_rate",
        "新生儿疾病筛查率",
        "妇幼筛查",
        "%",
        "本期已筛查的新生儿数÷活产数(由县里录入)。",
        during("newborns_screened"),
        "given",
    ),
    _managed("maternal", "妇幼筛查"),
    _managed("child", "妇幼筛查"),
    _flow(
        "live_births",
        "登记活产数",
        "妇幼筛查",
        "个",
        "本期登记的分娩中的活产数,按登记分娩的日期计;率的分母用县里录入的活产数。",
    ),
    _of_given(
        "early_booking_rate",
        "早孕建册率",
        "本期登记分娩的产妇中,孕13周之前(90天以内)建册并第一次产检的人数",
        "活产数",
        during("mothers_booked_early"),
    ),
    _of_given(
        "hospital_delivery_rate", "住院分娩率", "本期登记的住院分娩活产数", "活产数", during("hospital_live_births")
    ),
    _of_given(
        "postpartum_visit_rate",
        "产后访视率",
        "本期出院后28天内接受过上门访视的产妇人数(电话不算,不知道出院日的从分娩日算)",
        "活产数",
        during("mothers_visited"),
    ),
    _of_given(
        "maternal_systematic_rate",
        "孕产妇系统管理率",
        "本期产后访视的产妇中,孕13周前建册、产检5次及以上、住院分娩、产后访视都做到的人数",
        "活产数",
        during("mothers_systematic"),
    ),
    _of_given(
        "newborn_visit_rate",
        "新生儿访视率",
        "本期按规范接受过1次及以上家庭访视的新生儿人数(电话不算)",
        "活产数",
        during("newborns_visited"),
    ),
    _of_given(
        "child_management_rate",
        "儿童健康管理率",
        "本年接受1次及以上随访(新生儿访视或健康检查,电话不算)的0~6岁儿童人数,每人每年计1次",
        "辖区0~6岁儿童数",
        this_year("children_followed"),
        "state",
    ),
    _of_given(
        "child_tcm_rate",
        "0~36月儿童中医药健康管理率",
        "本年按月龄接受过中医药健康指导的0~36月儿童人数,每人每年计1次",
        "应管理的0~36月儿童数",
        this_year("children_tcm"),
        "state",
    ),
    _flow("vaccine_doses", "接种剂次", "妇幼筛查", "剂次", "本期登记的免疫规划疫苗接种剂次,提前打的不算数的也计。"),
    _of_given("vaccination_rate", "免疫规划疫苗接种率", "本期实际接种剂次", "应接种剂次", during("vaccine_doses")),
    _of_given(
        "vaccination_card_rate",
        "建证率",
        "截止日在接种程序里管理的儿童人数(已建证)",
        "应建证儿童数",
        enrolled_at_end("vaccination"),
        "state",
    ),
    *(
        Indicator(
            f"{kind}_early_rate",
            f"{title}早诊率",
            "妇幼筛查",
            "%",
            f"本期追踪结案、诊断为癌前病变或早期的{title}筛查对象人数÷诊断为{title}或癌前病变的人数(含分期不清楚的);每人每年只计1次。",
            during(f"{kind}_early"),
            during(f"{kind}_detected"),
        )
        for kind, title in (("cervical", "宫颈癌"), ("breast", "乳腺癌"))
    ),
    _flow("two_cancer_screened", "两癌检查", "妇幼筛查", "人", "本期登记的宫颈癌、乳腺癌免费检查人数。"),
    _flow("preconception_couples", "孕前优生检查", "妇幼筛查", "对", "本期登记的孕前优生健康检查夫妇对数,一对为两人。"),
    _flow(
        "preconception_people", "孕前优生检查人数", "妇幼筛查", "人", "本期登记的孕前优生健康检查人数,夫妻都查算两人。"
    ),
    _flow(
        "voluntary_tested",
        "自愿咨询检测",
        "妇幼筛查",
        "人次",
        "本期登记的匿名自愿咨询检测人次之和,不登记姓名,没有名单。",
    ),
    _flow(
        "voluntary_reactive",
        "自愿咨询检测待复检",
        "妇幼筛查",
        "人次",
        "本期匿名自愿咨询检测中初筛有反应、待复检的人次之和;待复检不是确诊,没有名单。",
    ),
    _flow("prenatal_screened", "产前筛查", "妇幼筛查", "人", "本期登记的产前筛查人数。"),
    *(_count(service, title) for service, title in SERVICES.items()),
)

BY_CODE = {indicator.code: indicator for indicator in INDICATORS}
