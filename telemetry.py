"""Telemetry: the named Prometheus instruments and their one registry."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)

STAGE_SECONDS = Histogram(
    "northstar_stage_seconds",
    "Time of one stage of a cycle: fetch, book, snapshot, keep, ring.",
    ["stage"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
SOURCE_SECONDS = Histogram(
    "northstar_source_seconds",
    "Time of one poll of a source, its retries included.",
    ["source", "outcome"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
FACTS = Counter(
    "northstar_facts",
    "Facts recorded for the first time, or in a new version.",
    ["source", "kind"],
    registry=REGISTRY,
)
REFUSED = Counter(
    "northstar_refused_rows",
    "Rows quarantined: refused or in conflict.",
    ["source"],
    registry=REGISTRY,
)
FILL_SECONDS = Histogram(
    "northstar_fill_seconds",
    "From a fill on the exchange, by its clock, to its record here, by channel: rest, stream.",
    ["channel"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
EVENT_SECONDS = Histogram(
    "northstar_event_seconds",
    "From the arrival of a fill or a settlement to the snapshot that has it.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
STREAM_CONNECTED = Gauge(
    "northstar_stream_connected",
    "Whether the exchange's stream is up and subscribed.",
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
STREAM_FRAMES = Counter(
    "northstar_stream_frames",
    "Messages of the exchange's stream by type; other is what we do not know.",
    ["type"],
    registry=REGISTRY,
)
STREAM_RECONNECTS = Counter(
    "northstar_stream_reconnects",
    "Connections of the exchange's stream that failed or ended.",
    registry=REGISTRY,
)
SNAPSHOT_SEQ = Gauge(
    "northstar_snapshot_seq",
    "Number of the newest snapshot.",
    registry=REGISTRY,
    multiprocess_mode="max",
)
SNAPSHOT_TIME = Gauge(
    "northstar_snapshot_timestamp_seconds",
    "Unix time of the newest snapshot.",
    registry=REGISTRY,
    multiprocess_mode="max",
)
CLIENTS = Gauge(
    "northstar_clients",
    "Live connections by transport.",
    ["transport"],
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
MESSAGES = Counter(
    "northstar_messages",
    "Messages written to clients by type.",
    ["type"],
    registry=REGISTRY,
)
BROADCAST_SECONDS = Histogram(
    "northstar_broadcast_seconds",
    "Time to write one message to every client.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
CUT = Counter(
    "northstar_clients_cut",
    "Connections the hub ended, by reason.",
    ["reason"],
    registry=REGISTRY,
)
TIER_READS = Counter(
    "northstar_tier_reads",
    "Reads of a tier by outcome: hit, miss, error.",
    ["tier", "outcome"],
    registry=REGISTRY,
)
