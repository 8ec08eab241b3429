"""What is left of a line when its form has been read: fillers go, the rest is quoted back, and a number is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from handlers.form import Form
from handlers.lines import Line, blank
from handlers.steps import Known
from models.conversation import Doubt, Draft

MOST_GUESSES = 5
_BREAK = re.compile(r"[\s,。;:!?、~…·'\"“”‘’|+*=&@#^()（）<>《》/\\\ue010-]+")
_HAN = "\u4e00-\u9fff"
# Words that carry no finding. A leftover is dropped only where it is made of nothing else.
_FILLERS = (
    "今天 今日 今儿 今儿个 今早 今晨 刚才 刚刚 刚 现在 目前 早上 早晨 上午 中午 下午 晚上 傍晚 凌晨 这次 本次 此次 这个 那个 这 那 有点 一点 点 些 一下 下子 一直 一起 一般 都 也 还 又 再 就 才 很 "
    "蛮 挺 比较 的 了 着 过 地 得 吧 啊 呀 哈 呢 嗯 哦 噢 哎 喂 嘞 咯 哒 哟 嘛 么 是 有 在 和 跟 与 及 给 帮 替 为 把 被 让 到 去 来 从 他 她 它 我 我们 咱 咱们 俺 您 你 他们 大家 家 家里 "
    "人 位 个 量 量的 量了 测 测的 测了 测得 测量 查 访 随访 访视 看 看了 看望 完成 已完成 已 做完 完了 好了 结束 记 记录 记下 登记 录 录入 上报 报 写 麻烦 请 谢谢 多谢 辛苦 你好 您好 "
    "医生 主任 老师 机器人 助手 患者 病人 居民 老人 老人家 老人家的 老乡 女 男 女性 男性 本人 自己 数值 结果 数据 情况 值 数 读数 单位 mmhg mmol mmol/l bp kg 血压 血糖 测血压 量血压 测血糖 血压计 "
    "高糖 都有 高血压 糖尿病 两样 说 讲 讲的 说的 说是 一个 那边 那里 这里 这边 村 村里 村部 组 屋里 屋头 服务 包 服务包 套餐 签 签约 协议 年 岁 周岁 虚岁 姓名 性别 年龄 住址 地址 编号 类别 项目 "
    "药 降压药 吃了 吃了药 有时 有时候 次 回 首次 第一次 第二次 第三次 平均 均 分别 并 且 然后 另外 其他 无 ok OK 收到 好 好的 嘿 诶 额 喔 唉 来的 来了 上门 家访 门诊 顺便 已经 正在 一切 不 不是 称 称了 落雨 下雨 左右 以下 以上 上下 大概 大约 差不多 好像 可能 估计 控制在 控制 达到 不到 多 余 来 把 几 上次 上回 发 发了 做 做了 共 一共 总共 "
    "人少 人多 合计 等 各 每 约 约的 约好 散步 走路 锻炼 运动 昨天 前天 名 群众 村民 乡亲 份 张 例 场 举行 开展 活动 举办 组织 参加 免费 家庭医生 家住 住 住在 现住"
).split()
_FILLER = re.compile("(?:" + "|".join(sorted(map(re.escape, _FILLERS), key=len, reverse=True)) + ")+", re.IGNORECASE)
_AGE = re.compile(r"(?:年龄|今年|年纪)?\s*:?\s*(\d{1,3})\s*(?:周岁|虚岁|岁)(?:了|多)?")
_AGE_NAMED = re.compile(r"(?:年龄|今年)\s*:?\s*(\d{1,3})(?!\d)")
_GROUP = re.compile(r"第?\d{1,2}\s*(?:村民小组|小组|组|队)")
_EXPLAINS = re.compile(rf"[{_HAN}]{{1,2}}的[{_HAN}](?![{_HAN}])")  # 富贵的贵: which character is meant
_TIMES = re.compile(r"\d\s?次(?=测|量|平均|血压)")  # 3次平均150/90
_COUNTER = re.compile(
    r"(?:个半?(?:月|小时)?|天|年|月|周|星期|小时|里|公里|盒|块|元|瓶|位|口|名|代|层|楼|遍|针|点|顿|餐|杯|碗|袋|种|项|人|户|套|台|部|亩|只|头|辆|步|圈)"
)


@dataclass(slots=True)
class Leftovers:
    """`words` were not understood, `numbers` have to be asked; `remarks` are things to be checked."""

    words: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def leftovers(line: Line, taken: Iterable[tuple[int, int]], known: Known, *, group: str = "") -> Leftovers:
    """The parts of a line that nothing has taken.

    A number is explained by the resident's own age or village group; counted with another thing's word (3里, 2盒) it is
    quoted with its words; any other number is asked.
    """
    text = blank(line.text, taken)
    left = Leftovers()
    text = _without_age(text, known, left)
    for explained in (_GROUP, _EXPLAINS, _TIMES):
        text = explained.sub(_gone, text)
    numbers = [(start, end) for start, end in line.numbers if text[start:end].strip("\ue010 ")]
    age = known.age
    asked: list[tuple[int, int]] = []
    for start, end in numbers:
        number = text[start:end]
        if _COUNTER.match(text, end) or _is_named(text, start):
            continue  # quoted with its words
        if age is not None and number == str(age):
            age = None  # 65 65 135/85: one of them is the age, and the other is asked
        elif group and number == group.rstrip("组") and not re.search(r"[\d,./\ue010]$", text[:start]):
            group = ""
        else:
            asked.append((start, end))
        text = blank(text, [(start, end)])
    left.numbers = _pairs_together(line, asked)
    left.words = _words(text, line.said)
    return left


def _is_named(text: str, at: int) -> bool:
    """血红蛋白120, R18: it is said what the number is, and the form has no place for it."""
    word = re.search(rf"(?:[{_HAN}]{{2,}}|[A-Za-z])$", text[:at])
    return bool(word) and not is_filler(word[0] if word else "")


def _without_age(text: str, known: Known, left: Leftovers) -> str:
    for match in (*_AGE.finditer(text), *_AGE_NAMED.finditer(text)):
        said = int(match[1])
        if known.age is not None and abs(said - known.age) > 1 and "儿" not in text[match.start() - 3 : match.start()]:
            left.remarks.append(f"写的是{said}岁,档案里是{known.age}岁,请核对是不是这一位。")
        text = blank(text, [match.span()])
    return text


def _gone(match: re.Match[str]) -> str:
    return "\ue010" * len(match[0])


def _pairs_together(line: Line, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Numbers as they were typed; 52/50 is asked as one."""
    typed = {vague.start: vague.raw for vague in line.vague}
    found: list[str] = []
    last_end = -2
    for start, end in spans:
        if start == last_end + 1 and line.said[last_end] in "/-~":
            found[-1] += line.said[last_end:end]
        else:
            found.append(typed.get(start, line.said[start:end]))
        last_end = end
    return found


def _words(text: str, said: str) -> list[str]:
    words: list[str] = []
    at = 0
    for part in [*_BREAK.finditer(text), None]:
        end = part.start() if part else len(text)
        word = said[at:end].strip()
        meaning = re.sub(rf"[^{_HAN}A-Za-z0-9]", "", word)
        counted = re.search(r"\d", text[at:end])  # 2盒, R18: a number that is not asked is quoted
        if counted or (len(re.sub(r"[\d.]", "", meaning)) > 1 and not _FILLER.fullmatch(meaning)):
            words.append(word)
        at = part.end() if part else end
    return words


_CARRIES = re.compile(
    r"^(?:的|了|因为|因|由于|请|麻烦|帮忙|给|为|开了|办了|已经|已|要|去|到|往|转|送|做个|个|是|人|她|他|今天|刚才|现在|,)+|(?:的|了|去|到|往|转|送|给|一个|个|要)+$"
)


def rest_of(line: Line, taken: Iterable[tuple[int, int]]) -> str:
    """What a line says beyond all that was taken, as it was typed: the reason on a referral slip, a note."""
    text = blank(line.text, taken)
    pieces, at = [], 0
    for part in [*re.finditer(r"[\s,。;:!?\ue010]+", text), None]:
        end = part.start() if part else len(text)
        piece = _CARRIES.sub("", line.said[at:end].strip())
        if len(piece) > 1:
            pieces.append(piece)
        at = part.end() if part else end
    return " ".join(pieces)


def is_filler(word: str) -> bool:
    return bool(_FILLER.fullmatch(word))


def ask_numbers(draft: Draft, forms: Sequence[Form], left: Leftovers, known: Known) -> None:
    """A number that nothing explains is never passed over: 67 是什么?"""
    for n, number in enumerate(left.numbers, 1):
        answered = [*draft.answers, *draft.doubts]
        draft.doubts["number" if n == 1 else f"number{n}"] = ask_number(number, forms, answered, known)


def ask_number(number: str, forms: Sequence[Form], answered: Iterable[str], known: Known) -> Doubt:
    """What a number without any word could be; the doctor says which, or that it is nothing to record."""
    answered = set(answered)
    guesses: list[tuple[str, dict[str, object]]] = []
    if number.replace(".", "", 1).isdecimal():
        steps = dict.fromkeys(step for form in forms for step in form.steps)
        for step in steps:
            if not answered & set(step.fields):
                guesses += step.guess(float(number), known)
    example = "请写清楚,例如 心率76。" if not guesses else ""
    return Doubt(f"“{number}”是什么?{example}", [*guesses[:MOST_GUESSES], ("不用记", {})])
