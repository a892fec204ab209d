"""The connection to Triton: gRPC calls that always end, and errors with a reason."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import numpy.typing as npt
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from streams.inference.addresses import Targets, targets
from streams.inference.contracts import DataType, ServedConfig, TensorSpec
from streams.inference.failures import InferenceFailed, reason_of
from streams.settings import Settings
from streams.tls import TlsFiles

Result = TypeVar("Result")

#: Loading takes 0.3 s on the embedded server and as long as a TensorRT engine takes to build on a GPU.
_LOAD_TIMEOUT_S = 120.0
#: gRPC's header for `--grpc-restricted-protocol=…:admin=KEY`.
_ADMIN_HEADER = "triton-grpc-protocol-admin"

_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": "inference.GRPCInferenceService", "method": "ModelInfer"}],
            # At most 0.1 + 0.2 + 0.4 + 0.5 s of waiting: longer than an embedded server's restart takes.
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # The default backs off up to 120 s: a server that is back would stay unused.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    # A request beyond this is never retried. Sixteen images take 2.4 MB; the default is 256 KB.
    ("grpc.per_rpc_retry_buffer_size", 16 << 20),
    # No keepalive: Triton answers pings with "too_many_pings", and the deadline finds a hung server anyway.
]


@dataclass(frozen=True, slots=True)
class ClientTls:
    """PEM files for TLS to Triton; certificate and key for mutual TLS."""

    ca_file: str
    cert_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class ModelState:
    """One line of the repository index; `version` is None for a model without any version loaded."""

    model: str
    version: int | None
    state: Literal["READY", "LOADING", "UNLOADING", "UNAVAILABLE", "UNKNOWN"]
    reason: str


class TritonClient:
    """Asyncio client of one or several Triton servers with the same models. Every call has a deadline.

    It connects at the first call, on the event loop of that call; use it on one loop only. All methods but `live`
    raise InferenceFailed.
    """

    def __init__(
        self,
        servers: Targets,
        *,
        timeout_s: float,
        tls: ClientTls | None = None,
        admin_key: str | None = None,
    ) -> None:
        self._targets = servers
        self._timeout_s = timeout_s
        self._tls = tls
        self._admin_headers = {_ADMIN_HEADER: admin_key} if admin_key else None
        self._clients: dict[str, InferenceServerClient] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> TritonClient:
        """As `SEKISHO_TRITON*` say. Raises ValueError for addresses and files that cannot be used."""
        ca_file, cert_file, key_file = (
            settings.triton_tls_ca_file,
            settings.triton_tls_cert_file,
            settings.triton_tls_key_file,
        )
        if ca_file is None and (cert_file is not None or key_file is not None):
            raise ValueError(
                "a client certificate for Triton is set, but no SEKISHO_TRITON_TLS_CA_FILE, which turns TLS on"
            )
        tls = None
        if ca_file is not None:
            # Looked at here, because gRPC says no more of a bad file than "unavailable".
            TlsFiles("SEKISHO_TRITON_TLS", ca_file, cert_file, key_file).context()
            tls = ClientTls(
                str(ca_file), str(cert_file) if cert_file else None, str(key_file) if key_file else None
            )
        key = settings.triton_admin_key
        return cls(
            targets(settings.triton, tls=tls is not None),
            timeout_s=settings.triton_timeout_s,
            tls=tls,
            admin_key=key.get_secret_value() if key else None,
        )

    async def infer(
        self, model: str, version: int, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """One request: arrays with the batch first, in and out. Rides over a server's restart of about a second."""
        tensors = []
        for name, array in inputs.items():
            tensor = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
            tensor.set_data_from_numpy(array)
            tensors.append(tensor)
        result = await self._call(
            self._client().infer(
                model,
                tensors,
                model_version=str(version),
                outputs=[InferRequestedOutput(name) for name in outputs],
                client_timeout=self._timeout_s,
            )
        )
        arrays = {name: result.as_numpy(name) for name in outputs}
        missing = [name for name, array in arrays.items() if array is None]
        if missing:
            raise InferenceFailed("bad_output", f"{model}/{version} gave no output {', '.join(missing)}")
        return arrays

    async def live(self) -> bool:
        """Whether a server answers within the deadline. Never raises InferenceFailed."""
        try:
            return bool(await self._call(self._client().is_server_live(client_timeout=self._timeout_s)))
        except InferenceFailed:
            return False

    async def ready(self, model: str, version: int) -> bool:
        """Whether every server serves this version. A killed stub does not show here: only a request finds it."""
        for client in self._each():
            answer = client.is_model_ready(model, str(version), client_timeout=self._timeout_s)
            try:
                if not await self._call(answer):
                    return False
            except InferenceFailed as failure:
                if failure.reason not in {"not_found", "bad_request"}:
                    raise
                return False
        return True

    async def index(self) -> list[ModelState]:
        """The repository index of the first server: models and versions, loaded or not."""
        answer = await self._call(
            self._first().get_model_repository_index(
                headers=self._admin_headers, client_timeout=self._timeout_s
            )
        )
        return [
            ModelState(
                entry.name,
                int(entry.version) if entry.version else None,
                entry.state or "UNKNOWN",
                entry.reason,
            )
            for entry in answer.models
        ]

    async def config(self, model: str) -> ServedConfig:
        """The configuration under which the first server serves the model."""
        answer = await self._call(
            self._first().get_model_config(
                model, headers=self._admin_headers, client_timeout=self._timeout_s, as_json=True
            )
        )
        return served_config(answer["config"])

    async def requests(self, model: str, version: int) -> int:
        """How many requests the servers answered or failed for this version since they loaded it."""
        count = 0
        for client in self._each():
            answer = await self._call(
                client.get_inference_statistics(model, str(version), client_timeout=self._timeout_s)
            )
            for entry in answer.model_stats:
                count += entry.inference_stats.success.count + entry.inference_stats.fail.count
        return count

    async def load(self, model: str) -> None:
        """Load the model, or its changed files, on every server; old versions serve until the new ones are ready."""
        for client in self._each():
            await self._call(
                client.load_model(model, headers=self._admin_headers, client_timeout=_LOAD_TIMEOUT_S)
            )

    async def unload(self, model: str) -> None:
        """Stop serving the model on every server."""
        for client in self._each():
            await self._call(
                client.unload_model(model, headers=self._admin_headers, client_timeout=_LOAD_TIMEOUT_S)
            )

    async def reload(self, model: str) -> None:
        """Unload and load, server after server: what revives a model whose stub was killed (loading is a no-op)."""
        for client in self._each():
            headers = self._admin_headers
            await self._call(client.unload_model(model, headers=headers, client_timeout=_LOAD_TIMEOUT_S))
            await self._call(client.load_model(model, headers=headers, client_timeout=_LOAD_TIMEOUT_S))

    async def close(self) -> None:
        """Close the connections; calls in flight end as cancelled."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()

    async def __aenter__(self) -> TritonClient:
        """Nothing happens yet: it connects at the first call."""
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Close the connections."""
        await self.close()

    def _client(self, target: str | None = None) -> InferenceServerClient:
        """A channel belongs to the running event loop, so it is not made before the first call."""
        target = target or self._targets.shared
        if target not in self._clients:
            tls = self._tls
            self._clients[target] = InferenceServerClient(
                target,
                ssl=tls is not None,
                root_certificates=tls and tls.ca_file,
                certificate_chain=tls and tls.cert_file,
                private_key=tls and tls.key_file,
                channel_args=_CHANNEL_OPTIONS,
            )
        return self._clients[target]

    def _each(self) -> list[InferenceServerClient]:
        return [self._client(target) for target in self._targets.each]

    def _first(self) -> InferenceServerClient:
        return self._client(self._targets.each[0])

    @staticmethod
    async def _call(answer: Awaitable[Result]) -> Result:
        try:
            return await answer
        except InferenceServerException as error:
            message = error.message() or ""
            raise InferenceFailed(reason_of(error.status(), message), message) from error


def served_config(config: Mapping[str, Any]) -> ServedConfig:
    """From Triton's model configuration in its JSON form."""
    return ServedConfig(
        inputs=_tensor_specs(config.get("input", ())),
        outputs=_tensor_specs(config.get("output", ())),
        max_batch_size=int(config.get("max_batch_size", 0)),
        parameters={
            key: value.get("string_value", "") for key, value in config.get("parameters", {}).items()
        },
    )


def _tensor_specs(entries: Sequence[Mapping[str, Any]]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(
            entry["name"],
            cast("DataType", entry["data_type"].removeprefix("TYPE_")),
            tuple(int(d) for d in entry["dims"]),
        )
        for entry in entries
    )
