"""Every metric the engine exposes, in one place: the dashboard and the alert rules are checked against these names."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

#: Buckets in seconds from 1 ms to 30 s: alerts are promised within tens of milliseconds, rescoring takes longer.
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Rows in a model request: powers of two up to the largest batch a model accepts.
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)

EVENTS = Counter("sekisho_events", "Records taken from an input topic", ["topic"])
EVENT_NOTES = Counter("sekisho_event_notes", "Events scored although something about them was odd", ["note"])
UNKNOWN_FIELDS = Counter(
    "sekisho_unknown_fields", "Fields that are not in the contract and were ignored", ["topic", "field"]
)
PREDICTIONS = Counter("sekisho_predictions", "Predictions acknowledged by Kafka", ["kind"])
ALERTS = Counter("sekisho_alerts", "Alerts acknowledged by Kafka, by what raised them", ["domain", "by"])
DEAD_LETTERS = Counter("sekisho_dead_letters", "Records that could not be used", ["topic", "reason"])
DECISIONS = Counter("sekisho_decisions", "Verdicts of moderators", ["domain", "verdict"])
RESCORES = Counter("sekisho_rescores", "Events sent to rescore because models were away", ["kind"])

STAGE_SECONDS = Histogram(
    "sekisho_stage_seconds", "Time an event batch spends in a stage", ["stage"], buckets=LATENCY_BUCKETS_S
)
EVENT_TO_ALERT_SECONDS = Histogram(
    "sekisho_event_to_alert_seconds",
    "From the record's Kafka timestamp to the alert's acknowledgement",
    ["by"],
    buckets=LATENCY_BUCKETS_S,
)
BATCH_ROWS = Histogram("sekisho_batch_rows", "Rows in one Triton request", ["model"], buckets=BATCH_BUCKETS)
IN_FLIGHT_ROWS = Gauge("sekisho_in_flight_rows", "Events taken and not yet acknowledged")
CONSUMER_LAG = Gauge("sekisho_consumer_lag", "Records not yet acknowledged", ["topic", "partition"])
WINDOWS = Gauge("sekisho_windows", "Conversations whose window this worker holds")
WINDOWS_UNREADABLE = Counter(
    "sekisho_windows_unreadable_total", "Values in the window table that this engine did not write"
)
WINDOWS_RESTATED = Counter(
    "sekisho_windows_restated_total",
    "Windows written again after somebody else's older state in the changelog",
)
OUTPUTS_DROPPED = Counter(
    "sekisho_outputs_dropped_total", "Records not written because their partition had another owner by then"
)
WINDOWS_DROPPED = Counter("sekisho_windows_dropped_total", "Conversations that were over and left the table")
COMMITTED_OFFSET = Gauge(
    "sekisho_committed_offset", "Offset committed for a partition", ["topic", "partition"]
)

TRITON_CALLS = Counter("sekisho_triton_calls", "Calls to Triton by outcome", ["model", "outcome"])
TRITON_SECONDS = Histogram(
    "sekisho_triton_seconds", "Time of one Triton call", ["model"], buckets=LATENCY_BUCKETS_S
)
BREAKER_OPEN = Gauge("sekisho_triton_breaker_open", "1 while calls to the model are not tried", ["model"])
IMAGES = Counter("sekisho_images", "Listing images by outcome", ["outcome"])

RULE_HITS = Counter("sekisho_rule_hits", "Rules that fired", ["rule_id", "mode"])
RULES_LOADED = Gauge("sekisho_rules_loaded", "Rules in the live set", ["mode"])
RULESET_INFO = Gauge("sekisho_ruleset_info", "1 for the live rule set and policy", ["ruleset", "policy"])
RULES_LOADED_AT = Gauge("sekisho_rules_loaded_timestamp_seconds", "When the live set was loaded")
RULES_RELOADS = Counter("sekisho_rules_reloads", "Attempts to load changed rule files", ["outcome"])
READY = Gauge("sekisho_ready", "1 while /readyz answers 200")
THRESHOLD = Gauge("sekisho_threshold", "Least score that alerts at the moment", ["domain", "role"])
BUDGET = Gauge(
    "sekisho_budget_alerts_per_day", "Alerts a day that a domain's moderators can review", ["domain"]
)

# Of the whole fleet, the same on every worker: take the maximum over workers, never the sum.
_SOURCE = ["domain", "by", "name", "version", "role"]
QUALITY_ALERTS = Gauge(
    "sekisho_quality_alerts", "Alerts of the review horizon by verdict", [*_SOURCE, "verdict"]
)
QUALITY_PRECISION = Gauge(
    "sekisho_quality_precision", "Violations among judged alerts, with its 95 % interval", [*_SOURCE, "bound"]
)
QUALITY_PRECISION_AT_K = Gauge(
    "sekisho_quality_precision_at_k", "The same among each day's K highest-scored alerts", [*_SOURCE, "bound"]
)
QUALITY_ODD_DECISIONS = Gauge(
    "sekisho_quality_odd_decisions", "Decisions about which something was odd", ["what"]
)
QUALITY_RECALL = Gauge(
    "sekisho_quality_recall",
    "Share of violations that is alerted on, by the random patrol",
    ["domain", "bound"],
)
QUALITY_BEHIND = Gauge("sekisho_quality_behind", "Alerts and decisions that this worker has not read yet")

# Of the whole fleet too, the last day against the four weeks before (docs/drift.md).
DRIFT_LEVEL = Gauge(
    "sekisho_drift_level",
    "-1 too few events, 0 steady, 1 watch, 2 drifted",
    ["of", "domain", "name", "version"],
)
DRIFT_SCORES = Gauge(
    "sekisho_drift_scores",
    "How far a model's scores lie from the reference: psi, ks, top (ln of how many times as many score high)",
    ["domain", "model", "version", "measure"],
)
DRIFT_INPUTS = Gauge(
    "sekisho_drift_inputs", "Population stability index of a fact of the inputs", ["kind", "fact"]
)
DRIFT_UNKNOWN_WORDS = Gauge(
    "sekisho_drift_unknown_words",
    "Share of the words of sampled texts that a model does not know",
    ["model", "version", "period"],
)
DRIFT_PRECISION_FALL = Gauge(
    "sekisho_drift_precision_fall", "How much lower the precision of the last seven days is", _SOURCE
)
