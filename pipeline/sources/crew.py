"""A crew: threads for what may hang on an upstream; the process ends without waiting for them."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    """Work, and where its end is told."""

    work: Callable[[], T]
    future: Future[T]

    def do(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.work())
        except BaseException as error:  # noqa: BLE001 -- raised again by whoever asks the future
            self.future.set_exception(error)


class Crew:
    """A few threads, started as they are needed; each does one job after the other.

    The interpreter joins the threads of an executor at its end, however long they hang; these
    it leaves behind.
    """

    def __init__(self, threads: int, name: str) -> None:
        """Start no thread yet."""
        self._threads = threads
        self._name = name
        self._lock = Lock()
        self._started = 0
        self._idle = Semaphore(0)
        self._jobs: SimpleQueue[_Job[object] | None] = SimpleQueue()
        self._closed = False

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do `work` as soon as a thread is free; RuntimeError once closed."""
        job = _Job(work, Future[T]())
        with self._lock:
            if self._closed:
                raise RuntimeError(f"{self._name}: nothing is begun any more")
            self._jobs.put(job)  # type: ignore[arg-type]  # a queue of jobs of any result
            if not self._idle.acquire(blocking=False) and self._started < self._threads:
                self._started += 1
                name = f"{self._name}_{self._started}"
                Thread(target=self._work, name=name, daemon=True).start()
        return job.future

    def close(self) -> None:
        """Begin no more; what has not begun is cancelled, what has goes on."""
        with self._lock:
            self._closed = True
            while not self._jobs.empty():
                job = self._jobs.get()
                if job is not None:
                    job.future.cancel()
            for _ in range(self._started):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.do()
            self._idle.release()
