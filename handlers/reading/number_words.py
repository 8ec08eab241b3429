"""The words around numerals: what is counted, what is no number, what makes a number vague. Patterns only."""

import re
from functools import cache

_N = "〇零一二三四五六七八九十百千万两幺几"
_1_9 = "[一二三四五六七八九]"
_D = "[1-9一二三四五六七八九]"
KIND = "天次片粒颗支根包瓶杯碗周月年岁人个口句顿块户份条位"  # what is counted: "一两天" is vague, "一两" is 50 g
_MEASURE = (
    rf"(?:公[斤分里尺两]|千克|厘米|毫[升米克]|小时|[{KIND}斤两号日分遍针剂度级场对克米尺寸元张项种组胎例回餐名倍季])"
)
_HOUR = rf"(?:(?<![\d.])(?:1?\d|2[0-4])|十{_1_9}|二十[一二三四]?|[一二三四五六七八九两十])"


@cache
def tokens() -> re.Pattern[str]:
    """A numeral, or what only looks like one. Compiled when it is first used, for that takes 10 ms."""
    return re.compile(
        rf"""(?=[\d.{_N}SPOCHABhlIo半初廿卅老阿小周星礼上近成个大多下前后])(?:(?P<word>SpO2|PaO2|CO2|O2|HbA1c|A1[cC]|B(?:12|[126])(?!\d)|(?:HPV|hpv)\d+|[12一二]型
        |三七[粉片花丸胶伤皂总]|三九[感胃牌]|十二指肠|十[字全足]|十分(?!钟)|百[合日白姓货年分](?:之(?=[{_N}\d]))?|(?<![{_N}])(?:一一(?=[核对说告检登])|五一(?=[节劳放假期前后回])|六一(?=[儿节]))|三八[妇节]
        |千[金万](?![{_N}])|万一|[〇零一二三四五六七八九十]+分之[{_N}]+|[一大多小上下前后]半(?!斤|片)
        |初(?:十|[一二三四五六七八九])|[廿卅][一二三四五六七八九]?|[老阿小幺][一二两三四五六七八九幺](?![{_N}.\d])
        |(?<![每孕{_N}半\d])(?:周|星期|礼拜)[一二三四五六日天](?![次十个百])
        |{_HOUR}(?:点(?:钟|整|半|[一二三]刻|[二三四五]?十{_1_9}?分?|零{_1_9}分?|[一二三四五六七八九\d]分|\d\d分?(?!\d)
                       |(?![\d{_N}点.]))|:[0-5]\d(?!\d)|时(?:[0-5]?\d分?|半)?)
        |\d{{8,}}[xX]?|(?:19|20)\d\d(?:\.\d+){{2,}})
    |(?P<vague>[上近成][百千]|百(?=把|[来多余][{KIND}])|百十(?=[来多几{KIND}])|[千个](?=把[{KIND}]))
    |(?P<fraction>[1一]/[24](?=[片粒颗支包]))
    |(?P<odd>(?<![A-Za-z\d.])(?=[\d.]*[lIOo])(?=[lIOo.]*\d)[\dlIOo]+(?:\.[\dlIOo]+)?(?![A-Za-z\d])
        |\d+(?:\.\d+){{2,}}|(?<![\d.,])[1-9],\d{{3}}(?![\d/-])|(?<!\d)\.\d{{1,2}}(?!\d))
    |(?P<arabic>\d+(?:[.点]\d+)?)
    |(?P<half>半(?=[斤两片粒颗支包瓶碗杯个公年月小尺块]))
    |(?P<han>[{_N}]+))""",
        re.VERBOSE,
    )


DECIMALS = re.compile(rf"点([〇零一二三四五六七八九]{{1,2}}|\d{{1,2}})(?![{_N}\d.分刻])")
TAIL = re.compile(
    rf"(?P<and_half>个|公斤|小时|[片粒颗斤两尺寸包瓶碗杯支岁年度块])半(?![夜天身边路生])"
    rf"|(?P<tenths>[个尺斤两块])(?P<tenth>{_D}|两(?=两))(?:(?<=尺.)寸|(?<=斤.)两(?![{KIND}])|(?<=块.)钱|(?![\d.{_N}]|{_MEASURE}))"
    rf"|(?P<metres>[米度])(?P<hundredths>\d{{1,2}}|[〇零一二三四五六七八九]{{1,2}})(?![\d.{_N}]|{_MEASURE})"
)
MEASURED = re.compile(_MEASURE)
AFTER = re.compile(
    rf" ?(?:[?？]|几|左右(?![手臂上下脚腿眼耳侧肢])|上下(?![午肢眼])|出头|以[上下内]|[来把余](?=[{KIND}斤公度里])|之间|不到|上十)"
    rf"|(?:{_MEASURE}|kg|cm|mmol/L|mmHg)?(?:多(?![喝吃动休锻走睡注运关观测量问看做穿尿饮食汗梦痰次])|左右(?![手臂脚腿眼耳侧肢])|以[上下内])"
)
BEFORE = re.compile(
    r"(?:大概|大约|约莫|(?<![预签解履续相])约|差不多|好像|可能|估计|将近|接近|(?<![最附])近|不到|不足|超过|[高低大小]于|至少|最多|起码)[是有在为]? ?$|[<>≤≥±] ?$"
)
BEFORE_ENDS = frozenset("概约莫多像能计近到足过于少码是有在为<>≤≥± ")  # the cheap look first
MAY_BE_TENS = re.compile(r"(?:心率|脉搏|[高低上下大小]压|[/杠])[:是为]? ?$")  # never below ten: "心率七八" is 78
# What may stand right before a short numeral. Elsewhere it may be the end of a name (杨八一, 李十五) and is left alone.
LABEL = frozenset("腹糖率重围温氧搏压后前高白龄分级量测共计了有是为到:=杠得比")
