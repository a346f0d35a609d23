"""One report a search job, however often and at the same time it is asked for: Powertools' idempotency."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyItemNotFoundError,
    IdempotencyPersistenceLayerError,
)

from search_coverage.aws.claims import Claim, Claims
from search_coverage.aws.errors import doing
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

    The claim of one that was killed without a word goes to Lambda's next attempt at the same request. For other
    requests it ends with the deadline that it had, and the sweep sees to it that there is another request.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Keep the records in ``table``, keyed by search job and not by event: one end may come in several events."""
        self._config = IdempotencyConfig(expires_after_seconds=_REMEMBERED_SECONDS)
        self._claims = Claims(client, table)
        self._claims.configure(self._config, key_prefix=_KEY_PREFIX)
        self._run = idempotent_function(
            _work,
            data_keyword_argument="search_job",
            persistence_store=self._claims,
            config=self._config,
            key_prefix=_KEY_PREFIX,
        )

    def run(
        self,
        search_job: str,
        work: Callable[[Claim], dict[str, Any]],
        context: "LambdaContext",
        *,
        again: bool,
    ) -> dict[str, Any]:
        """Do the work, or return what it returned less than an hour ago, with ``created`` set to false.

        Args:
            search_job: The identifier of the search job.
            work: Gets the claim, through which it is sure to be alone and tells people once.
            context: The invocation's.
            again: Do the work whatever was returned before, but still not beside another invocation.

        Returns:
            What the work returned; or that another request's invocation is at it (``inProgress``). The latter counts
            as done, because the sweep asks again as long as there is no report.

        Raises:
            ReportInProgress: Another invocation is at it, and this one has to be tried again: it is a replay, or
                another attempt at the same request.
            IdempotencyUnavailable: DynamoDB did not answer, so nobody can tell.
        """
        self._config.register_lambda_context(context)
        self._claims.begin_attempt(context.aws_request_id)
        done_now = False

        def work_now() -> dict[str, Any]:
            nonlocal done_now
            done_now = True
            with self._claims.claim(search_job, again=again).kept() as claim:
                return work(claim)

        try:
            if again:
                self._forget_result(search_job)
            result: dict[str, Any] = self._run(search_job=search_job, work=work_now)
        except (IdempotencyAlreadyInProgressError, IdempotencyInconsistentStateError) as error:
            if not again and self._claims.holder not in {None, context.aws_request_id}:
                return {"searchJobIdentifier": search_job, "created": False, "inProgress": True}
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
        with doing(f"Forgetting the earlier answer about search job {search_job}"):
            try:
                record = self._claims.get_record(search_job)  # type: ignore[arg-type]
            except IdempotencyItemNotFoundError:
                return
            if record is not None and record.status == "COMPLETED":
                self._claims.delete_record(search_job, Exception("to be done again"))  # type: ignore[arg-type]


def _work(*, search_job: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG001 - the key
    return work()
