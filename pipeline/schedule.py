"""The schedule: what runs when while this process owns the lease."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from pipeline.clockwork import Clockwork
from pipeline.cycle import Cycle
from pipeline.pace import MARK_SECONDS, Pace
from storage.lease import Lease
from storage.snapshots import Snapshots

HEARTBEAT_SECONDS = 1.0
PRUNE_SECONDS = 60.0
GRACE_SECONDS = 30
log = structlog.get_logger()


class Schedule:
    """Ticks, heartbeats and pruning under one lease; the first job that fails ends all."""

    def __init__(
        self,
        cycle: Cycle,
        lease: Lease,
        snapshots: Snapshots,
        tick: float,
        mark: float = MARK_SECONDS,
    ) -> None:
        """Prepare the jobs; `tick` seconds between snapshots, `mark` between two for marks."""
        self._cycle = cycle
        self._clockwork = Clockwork(cycle, Pace(mark))
        self._failed = Event()
        self._error: BaseException | None = None
        self._scheduler = BackgroundScheduler(
            executors={name: ThreadPoolExecutor(1) for name in ("default", "lease")},
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": GRACE_SECONDS,
            },
            timezone="UTC",
        )
        self._every(tick, self._clockwork.tick)
        self._every(PRUNE_SECONDS, snapshots.prune)
        self._every(HEARTBEAT_SECONDS, lease.heartbeat, executor="lease")
        self._scheduler.add_listener(self._note, EVENT_JOB_ERROR)

    def _every(self, seconds: float, job: Callable[[], None], executor: str = "default") -> None:
        soon = datetime.now(UTC)
        self._scheduler.add_job(
            job, "interval", seconds=seconds, executor=executor, next_run_time=soon
        )

    def _note(self, event: JobExecutionEvent) -> None:
        self._error = self._error or event.exception
        self._failed.set()

    def run(self, stop: Event) -> None:
        """Turn until `stop` is set; raise what a job or the cycle raised, LeaseLost among it.

        The cycle runs in the thread that calls, the jobs beside it.
        """
        self._scheduler.start()
        try:
            self._clockwork.run(lambda: stop.is_set() or self._failed.is_set())
        finally:
            self._cycle.stop()
            self._scheduler.shutdown(wait=True)
        if self._error is not None:
            raise self._error
