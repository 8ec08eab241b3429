"""placeholder until the real one lands"""
from dataclasses import dataclass, field
from handlers import residents
from handlers.filling import absorb
from models.conversation import Draft
@dataclass
class Entry:
    drafts: list = field(default_factory=list)
    remarks: list = field(default_factory=list)
def looks_like_entry(turn, text): return False
def read_entry(turn, text):
    m = residents.find_in_line(turn, text)
    if m is None: return None
    d = Draft("hypertension_follow_up", m.ids[0] if m.is_sure else None, candidates=list(m.ids))
    return Entry([d])
