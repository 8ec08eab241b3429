"""Rehabilitation of the disabled: what is needed, what was given, and where it is to be applied for. 残疾人康复随访

No national follow-up form (domain.md A12): how often is a setting without default. The certificate's 20 digits are the
identity number, the kind and the grade.
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.decisions import Findings, Outcome, Protocol, Rule
from handlers.protocols.common import ANY_FORM, COMMON_SIGNS, CONTACT, refer, short_chest_pain
from handlers.protocols.county_interval import CountyInterval
from handlers.protocols.findings import codes, fact, is_yes

NORM = "残疾人康复(重点人群) / domain.md A12"

KINDS = {1: "视力", 2: "听力", 3: "言语", 4: "肢体", 5: "智力", 6: "精神", 7: "多重"}
GRADES = {1: "一级", 2: "二级", 3: "三级", 4: "四级"}
NEEDS = {0: "没有", 1: "手术", 2: "康复训练", 3: "辅助器具", 4: "护理", 5: "药物"}
NURSING = 4
MET_BY = {1: {7}, 2: {1, 7}, 3: {2, 7}, 4: {3}, 5: {4}}  # need -> what was done that meets it; 7 is 转介
WORSE = 4  # of 1明显好转 2好转 3无变化 4加重
OLDEST_CHILD = 6  # years; 0~6岁残疾儿童康复救助
GUARDED = (5, 6, 7)  # intellectual, mental and multiple disabilities need a guardian
ADULT = 18
DANGER_SIGNS = {**COMMON_SIGNS, "none": "以上都没有"}
HOW_OFTEN = CountyInterval("rehabilitation.visits_per_year", "REH", "康复", NORM, unknown="没有全国的随访表")
SETTINGS = HOW_OFTEN.setting


def unmet(f: Findings) -> list[str]:
    """What is needed and was not given today."""
    done = codes(f.get("items"))
    needs = sorted(codes(f.get("rehabilitation_needs")) - {0})
    return [NEEDS[need] for need in needs if done.isdisjoint(MET_BY.get(need, ()))]


def child_without_aid(f: Findings) -> bool:
    return f.age is not None and f.age <= OLDEST_CHILD and is_yes(f.get("child_rescue"))


def guardian_unknown(f: Findings) -> bool:
    needed = fact(f, "disability_kind") in GUARDED or (f.age is not None and f.age < ADULT)
    return needed and not fact(f, "guardian")


ACT = (  # all that match; the most severe wins, and of equal ones the first is said first
    *ANY_FORM,
    Rule(
        "REH-21",
        when=lambda f: is_yes(f.get("pressure_sore")),
        then=refer("今天就教家属减压、翻身(两小时一次),请乡镇卫生院来换药;发热或发黑马上转诊。"),
        because="有压疮",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
    Rule(
        "REH-22",
        when=lambda f: f.get("treatment_effect") == WORSE,
        then=refer("功能变差了:请乡镇卫生院或康复机构评估,查有没有新的脑卒中、骨折或感染。"),
        because="比上次差",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
    short_chest_pain("REH-41"),
    *CONTACT,
    Rule(
        "REH-51",
        when=lambda f: bool(unmet(f)),
        then=Outcome(say="还有没解决的康复需求({unmet}):报乡镇卫生院和残联,看能不能走精准康复。"),
        because="有康复需求还没有服务({unmet})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "REH-52",
        when=child_without_aid,
        then=Outcome(say="0~6岁残疾儿童可以申请康复救助:告诉家长到乡镇或残联申请,越早训练越好。"),
        because="0~6岁残疾儿童还没有参加康复救助",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "REH-53",
        when=guardian_unknown,
        then=Outcome(say="请补充监护人是谁,以后随访、转诊都要找得到。"),
        because="智力、精神、多重残疾或未成年人,没有写监护人",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "REH-54",
        when=lambda f: is_yes(f.get("entered_with_federation")),
        then=Outcome(say="残联的精准康复系统里还没有,请一并报录,免得再跑一趟。"),
        because="残联系统还没有录入",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "REH-56",
        when=lambda f: is_yes(f.get("fall")),
        then=Outcome(say="看有没有骨折和头部受伤;家里加扶手、防滑垫,夜里留灯。"),
        because="跌倒过",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
    Rule(
        "REH-55",
        when=lambda f: NURSING in codes(f.get("rehabilitation_needs")),
        then=Outcome(say="教家属护理:两小时翻一次身,看看皮肤有没有红、破,活动关节。"),
        because="需要护理",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
    *HOW_OFTEN.rules,
)


def values(f: Findings) -> Mapping[str, object]:
    return {
        "unmet": "、".join(unmet(f)),
    }


protocol = Protocol(
    code="rehabilitation",
    title="残疾人康复随访",
    version="2026+M",
    source="残疾人是家庭医生签约的重点人群,没有全国的随访表,字段按残疾人证和康复需求",
    classifications={},
    classify=(),
    act=ACT,
    schedule=HOW_OFTEN.schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
