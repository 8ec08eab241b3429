"""Settings from the environment (`CUNYI_…`, nested by `__`) or `cunyi.toml`; every complaint is named at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from models.base import Store, parse_database_url
from models.secrets import Keyring

SHORTEST_KEY = 16


class BadSettings(Exception):
    """Settings that cannot work. `complaints` names every one of them, with what to set."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


class Web(BaseModel):
    """The web server: webhooks, health, the supervisor's page or the simulator."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    public_url: str | None = Field(None, description="https address the platforms reach this server under")


class TelegramSettings(BaseModel):
    """Telegram; without a token the channel is off. Its servers are abroad, so names are masked unless `abroad` is false."""

    token: SecretStr | None = Field(None, description="bot token from @BotFather")
    base_url: str = Field("https://api.telegram.org", description="Bot API server, without /bot")
    mode: Literal["polling", "webhook"] = Field("polling", description="polling needs no public address")
    webhook_secret: SecretStr | None = Field(None, description="1-256 characters A-Z a-z 0-9 _ -, for webhook mode")
    abroad: bool = Field(True, description="mask residents' names; false only with a Bot API server in the country")
    bot_name: str | None = Field(None, description="bot's @name, for deep links of `cunyi invite`")

    @field_validator("token", "webhook_secret", "bot_name", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None


class WeComSettings(BaseModel):
    """WeCom 企业微信; off unless all five are given."""

    corp_id: str | None = Field(None, description="企业ID")
    agent_id: int | None = Field(None, description="应用 AgentId")
    secret: SecretStr | None = Field(None, description="应用 Secret")
    token: SecretStr | None = Field(None, description="接收消息的 Token")
    aes_key: SecretStr | None = Field(None, description="接收消息的 EncodingAESKey, 43 characters")
    base_url: str = Field("https://qyapi.weixin.qq.com", description="API server, without /cgi-bin")
    account_limit: int | None = Field(
        None,
        ge=1,
        description="帐号上限 of the corp; 200 times as many pushed messages a day, above which none arrives",
    )

    @field_validator("corp_id", "agent_id", "secret", "token", "aes_key", "account_limit", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None

    @property
    def is_on(self) -> bool:
        return self.corp_id is not None

    @model_validator(mode="after")
    def _all_or_nothing(self) -> WeComSettings:
        names = ("corp_id", "agent_id", "secret", "token", "aes_key")
        missing = [name for name in names if getattr(self, name) is None]
        if missing and len(missing) < len(names):
            needed = ", ".join(f"CUNYI_WECOM__{name.upper()}" for name in missing)
            raise ValueError(f"CUNYI_WECOM__…: WeCom needs all five; missing: {needed}")
        if self.aes_key and len(self.aes_key.get_secret_value()) != 43:
            raise ValueError("CUNYI_WECOM__AES_KEY must have exactly 43 characters (EncodingAESKey)")
        return self


class Settings(BaseSettings):
    """Everything an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="CUNYI_", env_nested_delimiter="__", extra="ignore", validate_default=True
    )

    database_url: str = Field("sqlite:///cunyi.db", description="sqlite:///file.db or postgresql://…")
    secret_key: SecretStr | None = Field(
        None, description="at least 16 characters; encrypts identity numbers and phones"
    )
    timezone: str = Field("Asia/Shanghai", description="the county's time zone")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="how much is logged")
    web: Web = Field(default_factory=lambda: Web())  # type: ignore[call-arg]
    telegram: TelegramSettings = Field(default_factory=lambda: TelegramSettings())  # type: ignore[call-arg]
    wecom: WeComSettings = Field(default_factory=lambda: WeComSettings())  # type: ignore[call-arg]
    rules: dict[str, Any] = Field(
        default_factory=dict, description="county settings of the protocols, see docs/rules.md"
    )
    reminders: dict[str, Any] = Field(
        default_factory=dict, description="hours, thresholds and days of the reminders, see cunyi timetable"
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        parse_database_url(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception as error:
            raise ValueError(f"{value!r} is no time zone; use a name like Asia/Shanghai") from error
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        if Path("cunyi.toml").exists():
            sources = (*sources, TomlConfigSettingsSource(settings_cls, toml_file=Path("cunyi.toml")))
        return sources

    @property
    def county(self) -> dict[str, Any]:
        """What handlers and reminders may know: the settings of the protocols, and under `reminders` those of reminders."""
        return {**self.rules, "reminders": self.reminders}

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings. Raises BadSettings with every complaint, each naming its variable."""
    complaints: list[str] = []
    while True:
        try:
            settings = Settings(**overrides)
            break
        except ValidationError as error:  # set aside what is wrong, so that the rest is looked at too
            complaints += [_complaint(e) for e in error.errors()]
            for e in error.errors():
                _set_aside(overrides, Settings, e["loc"])
        except SettingsError as error:  # a variable that has to be JSON
            field = str(error).split('"')[1]
            raise BadSettings([*complaints, f"CUNYI_{field.upper()}: write it as JSON"]) from None
        except ValueError as error:  # a cunyi.toml that is not TOML
            raise BadSettings([*complaints, f"cunyi.toml: {error}"]) from None
    if complaints := [
        *complaints,
        *_misspelt(),
        *_missing(settings),
        *_unknown_reminders(settings),
        *_wrong_rules(settings),
    ]:
        raise BadSettings(complaints)
    return settings


def _missing(settings: Settings) -> list[str]:
    """What is needed, or needed because of another setting."""
    missing = []
    key = settings.secret_key
    if key is None or len(key.get_secret_value()) < SHORTEST_KEY:
        keep = "keep them safe: without them sealed data is lost"
        missing.append(f"CUNYI_SECRET_KEY: set at least {SHORTEST_KEY} characters, {keep}")
    if settings.telegram.token and settings.telegram.mode == "webhook":
        if not settings.web.public_url:
            missing.append("CUNYI_TELEGRAM__MODE=webhook needs CUNYI_WEB__PUBLIC_URL")
        if not settings.telegram.webhook_secret:
            missing.append("CUNYI_TELEGRAM__MODE=webhook needs CUNYI_TELEGRAM__WEBHOOK_SECRET")
    return missing


def _misspelt() -> list[str]:
    """Variables that look like ours and set nothing, with the nearest that does."""
    names = dict.fromkeys(_names(Settings, "CUNYI"))
    free = tuple(
        f"CUNYI_{name.upper()}" for name, field in Settings.model_fields.items() if field.annotation == dict[str, Any]
    )
    complaints = []
    for name in map(str.upper, os.environ):
        if name.startswith("CUNYI_") and name not in names and name.partition("__")[0] not in free:
            near = get_close_matches(name, names, n=1)
            complaints.append(f"{name}: is no setting" + (f"; do you mean {near[0]}?" if near else ""))
    return complaints


def _names(model: type[BaseModel], above: str, between: str = "_") -> Iterator[str]:
    for name, field in model.model_fields.items():
        own = f"{above}{between}{name.upper()}"
        yield own
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _names(field.annotation, own, "__")


def _unknown_reminders(settings: Settings) -> list[str]:
    if not settings.reminders:
        return []
    from models.preferences import complaints  # only who sets something waits for the timetable
    from reminders.timetable import REMINDERS

    return complaints(settings.reminders, tuple(REMINDERS))


def _wrong_rules(settings: Settings) -> list[str]:
    if not settings.rules:
        return []
    from handlers.county_rules import complaints  # only who sets something waits for the protocols

    return complaints(settings.rules)


def _set_aside(overrides: dict[str, Any], model: type[BaseModel], place: Sequence[int | str]) -> None:
    """Put the default where a setting is wrong; a whole group of them where they do not go together."""
    name, *inner = map(str, place)
    field = model.model_fields[name]
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        group = overrides.setdefault(name, {})
        for part in inner[:1] or field.annotation.model_fields:
            _set_aside(group, field.annotation, [part])
    else:
        overrides[name] = field.get_default(call_default_factory=True)


def _complaint(error: Any) -> str:
    name = "CUNYI_" + "__".join(str(part).upper() for part in error["loc"]) if error["loc"] else ""
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}" if name and name not in message else message


def open_store(settings: Settings) -> Store:
    """The database of the settings, with the keys to its sealed columns and what the county has decided."""
    assert settings.secret_key is not None
    return Store(settings.database_url, Keyring(settings.secret_key.get_secret_value()), county=settings.rules)
