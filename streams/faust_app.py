"""The Faust app with the settings that make it safe, and what follows from them for how much may be on its way."""

from __future__ import annotations

from streams.kafka.faust_corrections import CorrectedApp, CorrectedTableManager
from streams.kafka.security import faust_credentials
from streams.settings import Settings

#: Kafka takes a member for dead after this; with heartbeats every second a pause of the machine is survived.
SESSION_S = 10.0
HEARTBEAT_S = 1.0
REQUEST_TIMEOUT_S = 30.0
#: Bounds what a crash repeats: half a second of events.
COMMIT_INTERVAL_S = 0.5
#: Records per fetch over all partitions: a batch is examined in about 50 ms.
POLL_RECORDS = 256
#: Bytes fetched per partition and request; a larger record comes alone.
FETCH_BYTES = 1 << 20
#: Faust stops fetching a partition when an agent's queue is at 4/5 and blocks *all* partitions when it is full; each
#: partition may add one more batch after the mark, so a fifth of the queue must hold one batch of every partition.
QUEUE_PER_PARTITION = 5


def most_events_ahead(settings: Settings) -> int:
    """Events of a topic that may stand before one that was delivered: a full lane, and a full queue of Faust's."""
    return settings.backlog_rows + _queue_deliveries(settings) * POLL_RECORDS


def _queue_deliveries(settings: Settings) -> int:
    return max(64, QUEUE_PER_PARTITION * (settings.partitions + 1))


def new_app(settings: Settings) -> CorrectedApp:
    """The Faust app with the settings that make it safe (see docs/architecture.md). Makes its data directory."""
    data_dir = settings.data_dir / "faust"
    data_dir.mkdir(parents=True, exist_ok=True)
    return CorrectedApp(
        f"{settings.topic_prefix}{settings.group}",
        broker=[f"kafka://{server.strip()}" for server in settings.broker.split(",")],
        broker_credentials=faust_credentials(settings),
        TableManager=CorrectedTableManager,
        store=f"{settings.window_store}://",
        datadir=str(data_dir),
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_request_timeout=REQUEST_TIMEOUT_S,
        broker_rebalance_timeout=settings.drain_s + 5.0,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_max_poll_records=POLL_RECORDS,
        consumer_max_fetch_size=FETCH_BYTES,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=_queue_deliveries(settings),
        stream_wait_empty=False,
        table_standby_replicas=0,
        worker_redirect_stdouts=False,
    )
