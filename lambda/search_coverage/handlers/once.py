"""One report a search job, however often and at the same time it is asked for: Powertools' idempotency."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyItemNotFoundError,
    IdempotencyPersistenceLayerError,
)

from search_coverage import SERVICE
from search_coverage.aws.claims import Claims
from search_coverage.aws.errors import AwsCallFailed
from search_coverage.coverage.errors import SearchCoverageError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient

# Shorter than the hour after which the sweep announces a job again: a report that has vanished since is made anew.
_REMEMBERED_SECONDS = 50 * 60
_KEY_PREFIX = "report"

TellOnce = Callable[[str, Callable[[], str]], str]
"""Takes what people are told and how; gives the id of the message by which they were told, now or by an earlier
attempt. Raises `ClaimLost` if another attempt has taken over."""

_logger = Logger(service=SERVICE, child=True)


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
        work: Callable[["TellOnce"], dict[str, Any]],
        context: "LambdaContext",
        *,
        again: bool,
    ) -> dict[str, Any]:
        """Do the work, or return what it returned less than an hour ago, with ``created`` set to false.

        Args:
            search_job: The identifier of the search job.
            work: Gets what people are to be told through, so that they are told once.
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
            return work(lambda what, tell: self._tell_once(search_job, what, tell, again=again))

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

    def _tell_once(self, search_job: str, what: str, tell: Callable[[], str], *, again: bool) -> str:
        self._claims.confirm(search_job)
        if message_id := self._claims.told(search_job, what, again=again):
            _logger.info("people were told already", message_id=message_id)
            return message_id
        message_id = tell()
        try:
            self._claims.remember_told(search_job, what, message_id, again=again)
        except AwsCallFailed as error:
            # They were told. Only if this attempt fails later are they told again.
            _logger.warning(str(error))
        return message_id

    def _forget_result(self, search_job: str) -> None:
        try:
            record = self._claims.get_record(search_job)  # type: ignore[arg-type]
        except IdempotencyItemNotFoundError:
            return
        if record is not None and record.status == "COMPLETED":
            self._claims.delete_record(search_job, Exception("to be done again"))  # type: ignore[arg-type]


def _work(*, search_job: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG001 - the key
    return work()
