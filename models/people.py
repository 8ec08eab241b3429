"""Organisations, the health workers in them, the residents they look after, and how workers are reached."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, object_session

from models.base import Base, Key, UtcDateTime
from models.secrets import Keyring


class Level(StrEnum):
    """Rung of an organisation. Counters are kept for every rung up to the county."""

    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    GROUP = "group"


LEVEL_WORDS = {"县": Level.COUNTY, "乡镇": Level.TOWNSHIP, "村": Level.VILLAGE, "组": Level.GROUP}


class Role(StrEnum):
    """What a health worker may see and do."""

    DOCTOR = "doctor"  # 村医: the residents of their own villages
    TOWNSHIP = "township"  # 公卫科: every village of the township
    COUNTY = "county"  # 卫健局: figures of every township
    ADMIN = "admin"  # 管理员: installs, invites, imports


ROLE_WORDS = {"村医": Role.DOCTOR, "公卫科": Role.TOWNSHIP, "卫健局": Role.COUNTY, "管理员": Role.ADMIN}
ROLE_TITLES = {role: word for word, role in ROLE_WORDS.items()}


class Status(StrEnum):
    """Of a resident. Only ACTIVE and ABSENT ones are visited; reminders stop for the others."""

    ACTIVE = "active"
    ABSENT = "absent"
    MOVED = "moved"
    DIED = "died"
    MERGED = "merged"  # registered twice: everything about them is kept under `merged_into_id` (models.merging)


SEX_TITLES = {"male": "男", "female": "女"}
STATUS_TITLES = {
    Status.ACTIVE: "在册",
    Status.ABSENT: "外出",
    Status.MOVED: "迁出",
    Status.DIED: "死亡",
    Status.MERGED: "已合并",
}


PATH = String(128).with_variant(String(128, collation="C"), "postgresql")
"""What lies below a path stands between it and it with `~`: by code points, and by no locale's alphabet."""


class Organisation(Base):
    """A county, township, village or village group. `path` is '/1/4/17/': the ids from the top down to itself."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(64), index=True)
    level: Mapped[str] = mapped_column(String(16))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    path: Mapped[str] = mapped_column(PATH, index=True)
    population: Mapped[int | None]
    """常住人口, the denominator of coverage; None until the county gives it: a figure is never guessed."""
    denominators: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Further denominators given by the county, by figure code."""
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What its supervisors set for everybody below it, see `preferences`."""

    def ancestry(self) -> list[int]:
        """Ids from the top to this organisation itself."""
        return [int(part) for part in self.path.strip("/").split("/")]


class HealthWorker(Base):
    """A village doctor or supervisor who chats with the bot."""

    __tablename__ = "health_workers"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(16))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    villages: Mapped[list[Any]] = mapped_column(default=list)
    """Ids of the villages a doctor answers for; empty for supervisors, whose scope is their organisation."""
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(default=True)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Resident(Base):
    """A resident of a village. Identity number and phone are sealed; look-ups go through keyed hashes."""

    __tablename__ = "residents"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    sex: Mapped[str | None] = mapped_column(String(8))
    born_on: Mapped[date | None]
    identity_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    identity_hash: Mapped[str | None] = mapped_column(String(32), unique=True)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    village_group: Mapped[str | None] = mapped_column(String(32))
    householder: Mapped[str | None] = mapped_column(String(64))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("health_workers.id"))
    groups: Mapped[list[Any]] = mapped_column(default=list)
    """Population groups of 签约 (老年人, 高血压 …), as words."""
    status: Mapped[str] = mapped_column(String(16), default=Status.ACTIVE)
    status_on: Mapped[date | None]
    registered_on: Mapped[date | None]
    registered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))

    __table_args__ = (
        Index("ix_residents_village_id_name", "village_id", "name"),
        Index("ix_residents_worker_id", "worker_id"),
    )

    def identity_number(self) -> str | None:
        """The number in clear, for authorised in-country screens only."""
        return _open(self, self.identity_sealed, "residents.identity")

    def phone(self) -> str | None:
        return _open(self, self.phone_sealed, "residents.phone")

    def age_on(self, day: date) -> int | None:
        """Full years on a day; None without a date of birth."""
        return full_years(self.born_on, day) if self.born_on else None


class ResidentKey(Base):
    """One way a resident can be found: 'n:张桂兰', 'p:zhangguilan', 'f:' fuzzy pinyin, 'i:zgl', 'd:' + hash of last 4, 'h:户主'."""

    __tablename__ = "resident_keys"

    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index("ix_resident_keys_resident_id", "resident_id"), Index("ix_resident_keys_key", "key"))


class ChannelAccount(Base):
    """A worker's address on one channel. `unreachable_why` is set by the sender when the platform refuses it."""

    __tablename__ = "channel_accounts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    account: Mapped[str] = mapped_column(String(128))
    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"), index=True)
    bound_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unreachable_why: Mapped[str | None] = mapped_column(String(200))
    unreachable_since: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # of the last refusal; stays when it is over

    __table_args__ = (UniqueConstraint("channel", "account"),)


class Invitation(Base):
    """A one-time code that binds a channel account to a worker. Only its hash is kept."""

    __tablename__ = "invitations"

    code_hash: Mapped[str] = mapped_column(String(32), primary_key=True)
    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def full_years(born_on: date, day: date) -> int:
    """Age in full years: the 65th birthday counts as 65."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def _open(row: Base, sealed: bytes | None, place: str) -> str | None:
    if sealed is None:
        return None
    session = object_session(row)
    if session is None:
        raise RuntimeError("a sealed value is opened within the session its row belongs to")
    keyring: Keyring = session.info["keyring"]
    return keyring.open(sealed, place=place)
