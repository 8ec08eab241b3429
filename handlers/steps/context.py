"""The words before a value that change whose, when or whether it is: a goal, last time's, advice, a denial.

Only what stands in the same clause, close before the value, counts. Whatever is met here is asked or left unread:
"上次150/90", "控制在140/90", "嘱按时吃药" and "没有规律服药" must never be read as today's finding.
"""

from __future__ import annotations

import re

_CLOSE = 8  # characters of the clause that are looked at
_CLAUSE = re.compile(r"[,。;;!!\n\ue010]")
_NOT = re.compile(
    r"(?:没有|没能|没|不太|不怎么|不能|不想|不会|不大|不肯|不愿|不是|不|未能|未|否认|未见|未诉|无|非|别|莫|冇|难以|忘了|忘记)"
    r"(?:再|明显|啥|什么|感觉|觉得|出现|得|及时)?$"
)
_ADVICE = re.compile(
    r"(?:叫(?![他她它]?不(?!要|能|准|许))|让|嘱咐|嘱|劝|要|应|该|需|建议|提醒|告诉|告知|交代|督促|指导|教育|宣教|记得|必须|如果|要是|万一|如有|若|争取|保证|答应)"
    r"[^\s,。;]{0,5}$"
)
_ANOTHER_TIME = re.compile(
    r"(?:上次|上回|上一次|上个?月(?!\d)|上周(?![一二三四五六日天末\d])|前次|前几天|头几天|之前|以前|从前|原来|原先|去年|平时|平常|当时|那时|出院时|住院时|入院时|体检时|医院量|医院测|医院里量|最高|最低|刚开始|一开始|过去|曾经)"
    r"[^\s,。;\d]{0,4}[\s::]*$"
)
_GOAL = re.compile(
    r"(?:没到|没有到|没过|没超过|未到|目标|控制在|控制到|降到|减到|达到|标准|正常值|正常是|要求|不超过|低于|小于|争取)[^\s,。;\d]{0,4}[\s::是为]*$"
)
KIN = (
    "老公|丈夫|爱人|老婆|妻子|媳妇|儿媳妇|儿媳|老伴|儿子|女儿|女婿|孙子|孙女|外孙女|外孙|孙媳|父亲|母亲|爸爸|妈妈|老爸|老妈|爸|妈|婆婆|公公|岳父|岳母|爷爷|奶奶|外公|外婆"
    "|哥哥|弟弟|姐姐|妹妹|嫂子|侄子|侄女|外甥|家属|堂客|屋里人|屋里头的|那口子|婆娘|老头子|老汉|老爹|老娘|老婆子|老太婆|亲家|姑爷|媳妇|小孩|孩子|满崽|崽"
)
_OTHER_PERSON = re.compile(rf"(?<![和跟与同])(?:{KIN})(?!督导)[^,。;\d]{{0,5}}$")


def before(line: str, at: int) -> str:
    """The part of the clause that stands close before a place in the line."""
    close = line[max(0, at - _CLOSE) : at]
    return _CLAUSE.split(close)[-1]


def denied(line: str, at: int) -> int | None:
    """Where the denial right before this place begins, or None."""
    words = before(line, at)
    match = _NOT.search(words)
    return at - len(words) + match.start() if match else None


def advised(line: str, at: int) -> bool:
    """What stands here is what somebody should do, not what they did."""
    return bool(_ADVICE.search(before(line, at)))


def of_another_time(line: str, at: int) -> bool:
    return bool(_ANOTHER_TIME.search(before(line, at)))


def a_goal(line: str, at: int) -> bool:
    return bool(_GOAL.search(before(line, at)))


def of_somebody_else(line: str, at: int) -> bool:
    """A relative's, not the resident's: 老婆头晕."""
    return bool(_OTHER_PERSON.search(before(line, at)))


_TOLD = re.compile(r"(?:他|她|本人|病人|患者|自己|老人)(?:自己)?(?:说|讲|报)(?:的|是|血压|血糖|空腹)*[\s:]*$")


def not_todays(line: str, at: int) -> str:
    """Why the value here is not simply today's value of this resident; "" when nothing speaks against it."""
    if a_goal(line, at):
        return "像是目标,不是这次测的"
    if of_another_time(line, at):
        return "像是以前的,不是这次的"
    if _TOLD.search(before(line, at)):
        return "像是本人说的,不是当面测的"
    if of_somebody_else(line, at):
        return "像是家里人的,不是本人的"
    return ""
