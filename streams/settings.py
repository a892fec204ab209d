"""All settings of the engine in one typed class: `SEKISHO_*` environment variables, files of secrets, or a TOML file.

`sekisho settings` prints each with its description, so the descriptions are written for the operator.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

#: Names the TOML file; environment variables win over it.
CONFIG_FILE_VARIABLE = "SEKISHO_CONFIG"
#: Names a directory with one file for each secret, as Docker and Kubernetes mount them: `sekisho_security_password`.
SECRETS_VARIABLE = "SEKISHO_SECRETS_DIR"


class Settings(BaseSettings):
    """Settings of worker and commands. Field `broker` is set by `SEKISHO_BROKER`, and so on."""

    model_config = SettingsConfigDict(
        env_prefix="SEKISHO_", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    # Kafka
    broker: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, host:port, comma separated")
    topic_prefix: str = Field("", description="goes before every topic name and the consumer group")
    partitions: int = Field(
        8, ge=1, le=4096, description="partitions of every topic that `topics create` makes"
    )
    replication_factor: int = Field(1, ge=1, description="replicas of every topic that `topics create` makes")
    group: str = Field("sekisho", description="name of the Faust app: consumer group and changelog prefix")
    max_record_bytes: int = Field(
        4 << 20, ge=1024, description="a larger record becomes a dead letter unread"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how to talk to Kafka"
    )
    security_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, with SASL_* protocols"
    )
    security_username: str | None = Field(None, description="SASL user")
    security_password: SecretStr | None = Field(None, description="SASL password")
    security_ca_file: Path | None = Field(None, description="CA certificates that signed the brokers' (PEM)")
    security_cert_file: Path | None = Field(None, description="client certificate (PEM), for mutual TLS")
    security_key_file: Path | None = Field(None, description="client key (PEM), for mutual TLS")

    # Triton
    triton: str = Field("127.0.0.1:8001", description="Triton gRPC servers, host:port, comma separated")
    triton_timeout_s: float = Field(2.0, gt=0, description="deadline of one Triton call")
    triton_tls_ca_file: Path | None = Field(
        None, description="CA certificates that signed Triton's (PEM); turns TLS on"
    )
    triton_tls_cert_file: Path | None = Field(None, description="client certificate for Triton (PEM)")
    triton_tls_key_file: Path | None = Field(None, description="client key for Triton (PEM)")
    triton_admin_key: SecretStr | None = Field(
        None, description="key for Triton's restricted model-control calls"
    )
    model_repository: Path = Field(
        Path("triton_repo"),
        description="model repository, for `up`, `models` and the words that models know (drift)",
    )

    # Rules
    rules_dir: Path = Field(Path("rules"), description="directory of the rule files and domains.yaml")
    rules_poll_s: float = Field(
        5.0, gt=0, description="how often the rule files' content is compared (the watch is a hint)"
    )

    # Windows
    window_store: Literal["memory", "rocksdb"] = Field(
        "memory", description="where the conversations' windows live; both are recovered from Kafka"
    )
    window_idle_days: float = Field(
        30.0, gt=0, description="a conversation silent for so long is over: its window is dropped"
    )
    window_ended_days: float = Field(
        7.0, gt=0, description="the same, once its transaction was completed or cancelled"
    )

    # Screening
    pii_mask: bool = Field(True, description="mask personal data before models, alerts, predictions and logs")
    batch_rows: int = Field(64, ge=1, le=1024, description="most events scored together")
    batches_in_flight: int = Field(3, ge=1, le=16, description="batches scored at the same time")
    backlog_rows: int = Field(2048, ge=1, description="events held in memory before fetching pauses")
    rule_patience_s: float = Field(
        0.1, ge=0, description="how long an alert by rules waits for the models before it goes out alone"
    )
    score_deadline_s: float = Field(
        5.0, gt=0, description="how long an event waits for its scores before it goes to `rescore`"
    )
    rescore_max_age_s: float = Field(
        86_400.0, gt=0, description="after this an event in `rescore` is recorded as not scored by models"
    )
    image_hosts: tuple[str, ...] = Field(
        (), description="hosts that listing images may be fetched from (JSON list)"
    )
    image_paths: Path | None = Field(
        None, description="directory that local image paths may point into; unset: refused"
    )
    image_timeout_s: float = Field(3.0, gt=0, description="time for one image, fetch and decode")

    # Review
    review_days: float = Field(
        30.0, gt=0, le=90, description="alerts and verdicts so old still count in precision and budgets"
    )

    # Process
    data_dir: Path = Field(
        Path(".sekisho"), description="where the worker and the embedded servers keep their files"
    )
    web_bind: str = Field("127.0.0.1", description="address of /metrics, /healthz, /readyz, /rules")
    web_port: int = Field(6066, ge=0, le=65535, description="port of the same")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level that is logged"
    )
    log_format: Literal["json", "text"] = Field(
        "json", description="structured lines, or text for a terminal"
    )
    drain_s: float = Field(10.0, gt=0, description="time to finish what is in flight on stop or rebalance")
    stall_s: float = Field(
        60.0, gt=0, description="no progress with lag standing for so long: not ready, then exit"
    )

    @field_validator("broker", "triton")
    @classmethod
    def _without_login(cls, servers: str) -> str:
        if "@" in servers:  # error messages and logs name the servers
            raise ValueError(
                "write host:port; a login in an address would be shown in logs and errors. Kafka's goes into "
                "SEKISHO_SECURITY_USERNAME and SEKISHO_SECURITY_PASSWORD"
            )
        return servers

    @field_validator("topic_prefix")
    @classmethod
    def _legal_prefix(cls, prefix: str) -> str:
        if any(not (c.isascii() and (c.isalnum() or c in "._-")) for c in prefix):
            raise ValueError("a topic prefix may hold letters, digits, '.', '_' and '-' only")
        return prefix

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments beat environment variables, which beat files of secrets, which beat the TOML file.

        `SEKISHO_SECRETS_DIR` names the directory of the secrets, `SEKISHO_CONFIG` the TOML file.
        """
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if directory := os.environ.get(SECRETS_VARIABLE):
            if not Path(directory).is_dir():
                raise FileNotFoundError(f"{SECRETS_VARIABLE} names {directory}, which is not a directory")
            sources.append(SecretsSettingsSource(settings_cls, secrets_dir=directory))
        if path := os.environ.get(CONFIG_FILE_VARIABLE):
            if not Path(path).is_file():
                raise FileNotFoundError(f"{CONFIG_FILE_VARIABLE} names {path}, which is not a file")
            sources.append(TomlConfigSettingsSource(settings_cls, toml_file=path))
        return tuple(sources)

    def topic(self, name: str) -> str:
        """The full name of a topic of the contract, e.g. `messages` → `prod.messages`."""
        return f"{self.topic_prefix}{name}"
