"""One report a search job, however often and at the same time it is asked for: Powertools' idempotency."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyItemNotFoundError,
    IdempotencyPersistenceLayerError,
)

from search_coverage.coverage.errors import SearchCoverageError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient

# Shorter than the hour after which the sweep announces a job again: a report that has vanished since is made anew.
_REMEMBERED_SECONDS = 50 * 60
_KEY_PREFIX = "report"


class ReportInProgress(SearchCoverageError):
    """Another invocation is making the report of this search job."""


class IdempotencyUnavailable(SearchCoverageError):
    """The idempotency table could not be read or written."""


class Once:
    """Lets one invocation at a time, and one an hour, work on a search job.

    While one works the others fail, so that Lambda tries them again. The claim of one that was killed without a word
    ends with the deadline it had: until then its own retries fail as well, and the next announcement takes over.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Keep the records in ``table``, keyed by search job and not by event: one end may come in several events."""
        self._config = IdempotencyConfig(expires_after_seconds=_REMEMBERED_SECONDS)
        self._records = DynamoDBPersistenceLayer(table_name=table, boto3_client=client)
        self._records.configure(self._config, key_prefix=_KEY_PREFIX)
        self._run = idempotent_function(
            _work,
            data_keyword_argument="search_job",
            persistence_store=self._records,
            config=self._config,
            key_prefix=_KEY_PREFIX,
        )

    def run(
        self, search_job: str, work: Callable[[], dict[str, Any]], context: "LambdaContext", *, again: bool
    ) -> dict[str, Any]:
        """Do the work, or return what it returned less than an hour ago, with ``created`` set to false.

        Args:
            again: Do the work whatever was returned before, but still not beside another invocation.

        Raises:
            ReportInProgress: Another invocation is at it.
            IdempotencyUnavailable: DynamoDB did not answer, so nobody can tell.
        """
        self._config.register_lambda_context(context)
        done_now = False

        def work_now() -> dict[str, Any]:
            nonlocal done_now
            done_now = True
            return work()

        try:
            if again:
                self._forget_result(search_job)
            result: dict[str, Any] = self._run(search_job=search_job, work=work_now)
        except (IdempotencyAlreadyInProgressError, IdempotencyInconsistentStateError) as error:
            raise ReportInProgress(
                f"Another invocation is making the report of search job {search_job}. Lambda tries this one again, "
                "in case the other does not finish."
            ) from error
        except IdempotencyPersistenceLayerError as error:
            raise IdempotencyUnavailable(
                f"The idempotency record of search job {search_job} could not be read or written: {error}. "
                "Lambda tries again."
            ) from error
        return result if done_now else {**result, "created": False}

    def _forget_result(self, search_job: str) -> None:
        try:
            record = self._records.get_record(search_job)  # type: ignore[arg-type]
        except IdempotencyItemNotFoundError:
            return
        if record is not None and record.status == "COMPLETED":
            self._records.delete_record(search_job, Exception("to be done again"))  # type: ignore[arg-type]


def _work(*, search_job: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG001 - the key
    return work()
