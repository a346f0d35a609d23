"""Where our code reaches into ministack: the only module that knows its insides, for one version of it.

ministack 1.5.33 starts an unbounded thread for each event from EventBridge or Scheduler, and never retries it. Its
own retries (Invoke with InvocationType=Event, S3 notifications) hold a thread each, too, take a throttle for a failure,
and record an invoke count that is always 3. `install` sends all of these through `async_delivery` instead. SNS to
Lambda stays as it is: nothing here uses it. An e-mail is a line in ministack's log; `install` keeps it in a mailbox.
CloudFormation refuses a stack with a saved query, and forgets the encryption of a bucket; `install` teaches it both.
"""

import contextvars
import json
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from simulators.embedded_aws.async_delivery import Condition, DeliveryQueue, Outcome
from simulators.embedded_aws.bucket_encryption import provision_bucket_encryption
from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.mailbox import Mail, Mailbox
from simulators.embedded_aws.named_queries import provision_named_queries
from simulators.embedded_aws.query_definitions import provision_query_definitions

MINISTACK_VERSION = "1.5.33"

_logger = logging.getLogger(__name__)

_DEFAULT_RETRIES = 2
_DEFAULT_MAXIMUM_AGE = 21_600  # seconds; AWS's six hours
_SCHEDULER_TICK = 1.0  # seconds; ministack looks only every ten, so that rate(1 minute) came up to ten seconds late


def require_ministack() -> None:
    """Checks that the installed ministack is the one that the seams were cut for.

    Raises:
        EmulatorError: It is missing, or another version.
    """
    try:
        installed = version("ministack")
    except PackageNotFoundError as error:
        raise EmulatorError(
            f"ministack {MINISTACK_VERSION}, the embedded AWS, is not installed: run `make setup`."
        ) from error
    if installed != MINISTACK_VERSION:
        raise EmulatorError(
            f"The embedded AWS is written for ministack {MINISTACK_VERSION}, but {installed} is installed: "
            f"run `make setup`, or go through {__name__} for the new version."
        )


def install(*, concurrency: int, retry_delays: tuple[float, ...], mailbox: Mailbox) -> None:
    """Replaces ministack's asynchronous delivery, before it serves its first request.

    Args:
        concurrency: How many asynchronous invocations may run at once.
        retry_delays: Seconds before each retry.
        mailbox: Where e-mails go.
    """
    require_ministack()
    from ministack.services import athena, eventbridge, lambda_svc, s3, scheduler, sns  # noqa: PLC0415  the child pays
    from ministack.services.cloudformation import provisioners  # noqa: PLC0415

    deliveries = DeliveryQueue(concurrency=concurrency, retry_delays=retry_delays)

    def invoke_async_with_retry(function: dict[str, Any], event: object) -> None:
        deliveries.submit(LambdaInvocation(lambda_svc, function, event))

    def dispatch_to_lambda(arn: str, payload: str) -> None:
        function, config, name = lambda_svc._get_func_record_for_ref(arn)  # noqa: SLF001
        if not function or not config:
            _logger.warning("An event for the function %s was dropped: there is no such function.", name or arn)
            return
        record = lambda_svc._execution_record_for_config(function, config)  # noqa: SLF001
        invoke_async_with_retry(record, json.loads(payload))

    lambda_svc.invoke_async_with_retry = invoke_async_with_retry
    eventbridge._dispatch_to_lambda = dispatch_to_lambda  # noqa: SLF001
    scheduler._SCHEDULE_TICK_INTERVAL = _SCHEDULER_TICK  # noqa: SLF001
    _keep_mails(sns, mailbox)
    provision_query_definitions(provisioners._RESOURCE_HANDLERS)  # noqa: SLF001
    provision_named_queries(provisioners._RESOURCE_HANDLERS, athena)  # noqa: SLF001
    provision_bucket_encryption(provisioners._RESOURCE_HANDLERS, s3)  # noqa: SLF001


def _keep_mails(sns: Any, mailbox: Mailbox) -> None:
    """Delivers to e-mail subscriptions, by ministack's own rules for filters and message structures."""
    fanout: Callable[..., None] = sns._fanout  # noqa: SLF001

    def fanout_with_mail(  # noqa: PLR0913, PLR0917  ministack's own arguments
        topic_arn: str,
        message_id: str,
        message: str,
        subject: str,
        structure: str = "",
        attributes: dict[str, Any] | None = None,
        *others: Any,
        **more: Any,
    ) -> None:
        fanout(topic_arn, message_id, message, subject, structure, attributes, *others, **more)
        topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}  # noqa: SLF001
        text = sns._resolve_message_for_protocol(message, structure, "email")  # noqa: SLF001
        for subscription in topic["subscriptions"]:
            wanted = sns._matches_filter_policy(subscription, attributes or {}, text)  # noqa: SLF001
            if subscription["protocol"] == "email" and wanted:
                mailbox.put(Mail(to=subscription["endpoint"], subject=subject, text=text))

    sns._fanout = fanout_with_mail  # noqa: SLF001


class LambdaInvocation:
    """One asynchronous invocation of a function, run by ministack; all its attempts share one request id, as on AWS."""

    def __init__(self, lambda_svc: Any, function: dict[str, Any], event: object) -> None:
        """Takes the event; the caller's account, Region and call depth go along.

        Args:
            lambda_svc: ministack's Lambda module.
            function: ministack's record of the function.
            event: What the handler gets.
        """
        settings = (
            function.get("event_invoke_config") or (function.get("event_invoke_configs") or {}).get("$LATEST") or {}
        )
        retries = settings.get("MaximumRetryAttempts")
        self.maximum_retries = _DEFAULT_RETRIES if retries is None else int(retries)
        self.maximum_age = float(settings.get("MaximumEventAgeInSeconds") or _DEFAULT_MAXIMUM_AGE)
        self._destination: str = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get(
            "Destination", ""
        )
        self._lambda_svc = lambda_svc
        self._function = function
        self._config: dict[str, Any] = function.get("config") or function
        self._event = event
        self._request_id = str(uuid.uuid4())
        self._context = contextvars.copy_context()
        self._answer: dict[str, Any] = {}

    def attempt(self) -> Outcome:
        """Runs the function once."""
        outcome: Outcome = self._in_scope(self._execute)
        return outcome

    def give_up(self, condition: Condition, attempts: int) -> None:
        """Sends the failure record to the on-failure queue, and says so in the log."""
        _logger.warning(
            "%s: %s after %d attempts, request %s.", self._name, condition.value, attempts, self._request_id
        )
        if self._destination:
            self._in_scope(self._send, self._record(condition, attempts))

    @property
    def _name(self) -> str:
        return str(self._config.get("FunctionName", "unknown"))

    def _in_scope(self, work: Any, *arguments: Any) -> Any:
        return self._context.run(self._lambda_svc._run_with_function_config_scope, self._function, work, *arguments)  # noqa: SLF001

    def _execute(self) -> Outcome:
        service = self._lambda_svc
        slot, _limit = service._acquire_execution_slot(self._function, self._config)  # noqa: SLF001
        if slot is None:
            service._emit_lambda_metrics(self._name, 0.0, error=False, throttle=True)  # noqa: SLF001
            return Outcome.THROTTLED
        started = time.time()
        try:
            self._answer = service._execute_function_dispatch(  # noqa: SLF001
                self._function, self._config, self._event, self._request_id, started
            )
        finally:
            service._release_execution_slot(slot)  # noqa: SLF001
        failed = bool(self._answer.get("error"))
        duration = (time.time() - started) * 1000
        service._emit_lambda_metrics(self._name, duration, error=failed, throttle=False)  # noqa: SLF001
        return Outcome.FAILED if failed else Outcome.SUCCEEDED

    def _record(self, condition: Condition, attempts: int) -> dict[str, object]:
        """The record as AWS documents it (Lambda Developer Guide, "Capturing records of asynchronous invocations")."""
        executed_version = self._config.get("Version", "$LATEST")
        return {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": self._request_id,
                "functionArn": f"{self._config.get('FunctionArn', '')}:{executed_version}",
                "condition": condition.value,
                "approximateInvokeCount": attempts,
            },
            "requestPayload": self._event,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": executed_version,
                "functionError": self._answer.get("function_error") or "Unhandled",
            },
            "responsePayload": self._answer.get("body"),
        }

    def _send(self, record: dict[str, object]) -> None:
        from ministack.services import sqs  # noqa: PLC0415  only the child process has use for it

        queue = sqs._queue_by_arn(self._destination)  # noqa: SLF001
        if queue is None:
            _logger.error("%s: the on-failure queue %s does not exist.", self._name, self._destination)
            return
        sqs._act_send_message({"MessageBody": json.dumps(record)}, queue["url"])  # noqa: SLF001
