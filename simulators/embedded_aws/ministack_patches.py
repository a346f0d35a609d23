"""Changes to the internals of one version of ministack; no other module uses them.

ministack 1.5.33 starts an unbounded thread for each event from EventBridge or Scheduler, and never retries it. Its
own retries (Invoke with InvocationType=Event, S3 notifications) hold a thread each, take a throttle for a failure, and
record an invoke count that is always 3. `apply` sends all of these through `async_delivery` instead. SNS to Lambda
stays as it is: nothing here uses it. An e-mail is a line in ministack's log; `apply` keeps it in a mailbox.
"""

# ruff: noqa: SLF001, PLC0415 - ministack has no public way in, and only the child process imports it

import contextvars
import json
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from search_coverage.names import AWS_BACKUP
from simulators.embedded_aws import ministack_cloudformation
from simulators.embedded_aws.async_delivery import Condition, DeliveryQueue, Outcome
from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.mailbox import Mail, Mailbox

_VERSION = "1.5.33"
_DEFAULT_RETRIES = 2
_DEFAULT_MAXIMUM_AGE = 21_600  # seconds; AWS's six hours
_SCHEDULER_TICK = 1.0  # seconds; ministack looks every ten, so that rate(1 minute) came up to ten seconds late

_logger = logging.getLogger(__name__)


def require_ministack() -> None:
    """Raise an EmulatorError if ministack is missing, or not the version that the patches are written for."""
    try:
        installed = version("ministack")
    except PackageNotFoundError as error:
        raise EmulatorError(f"ministack {_VERSION}, the embedded AWS, is not installed: run `make setup`.") from error
    if installed != _VERSION:
        raise EmulatorError(
            f"The embedded AWS is written for ministack {_VERSION}, but {installed} is installed: "
            f"run `make setup`, or go through {__name__} for the new version."
        )


def apply(deliveries: DeliveryQueue, mailbox: Mailbox) -> None:
    """Patch ministack before it serves its first request."""
    require_ministack()
    from ministack.services import athena, eventbridge, lambda_svc, s3, scheduler, sns
    from ministack.services.cloudformation import provisioners

    def invoke_async_with_retry(function: dict[str, Any], event: object) -> None:
        deliveries.submit(LambdaInvocation(lambda_svc, function, event))

    def dispatch_to_lambda(arn: str, payload: str) -> None:
        function, config, name = lambda_svc._get_func_record_for_ref(arn)
        if not function or not config:
            _logger.warning("An event for the function %s was dropped: there is no such function.", name or arn)
            return
        invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), json.loads(payload))

    lambda_svc.invoke_async_with_retry = invoke_async_with_retry
    eventbridge._dispatch_to_lambda = dispatch_to_lambda
    eventbridge._put_events = _putting_events_of_aws_backup(eventbridge._put_events)
    scheduler._SCHEDULE_TICK_INTERVAL = _SCHEDULER_TICK
    _keep_mails(sns, mailbox)
    handlers = provisioners._RESOURCE_HANDLERS
    ministack_cloudformation.add_query_definitions(handlers)
    ministack_cloudformation.add_named_queries(handlers, athena)
    ministack_cloudformation.add_bucket_encryption(handlers, s3)


def _putting_events_of_aws_backup(put_events: Callable[..., Any]) -> Callable[..., Any]:
    """Return a PutEvents that takes the events of AWS Backup, which on AWS only AWS itself can put.

    Here AWS Backup is another process: the simulator.
    """

    def put(data: dict[str, Any], allow_aws_source: bool = False) -> Any:  # noqa: FBT001, FBT002  ministack's own
        sources = {entry.get("Source") for entry in data.get("Entries", ())}
        return put_events(data, allow_aws_source or sources == {AWS_BACKUP})

    return put


def _keep_mails(sns: Any, mailbox: Mailbox) -> None:
    """Deliver to e-mail subscriptions, by ministack's own rules for filters and message structures."""
    fanout: Callable[..., None] = sns._fanout

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
        topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
        text = sns._resolve_message_for_protocol(message, structure, "email")
        for subscription in topic["subscriptions"]:
            wanted = sns._matches_filter_policy(subscription, attributes or {}, text)
            if subscription["protocol"] == "email" and wanted:
                mailbox.put(Mail(to=subscription["endpoint"], subject=subject, text=text))

    sns._fanout = fanout_with_mail


class LambdaInvocation:
    """One asynchronous invocation of a function; all its attempts share one request id, as on AWS.

    Args:
        lambda_svc: ministack's Lambda module, which runs the function in the caller's account, Region and call depth.
        function: ministack's record of the function.
        event: The event for the handler.
    """

    def __init__(self, lambda_svc: Any, function: dict[str, Any], event: object) -> None:
        qualified = (function.get("event_invoke_configs") or {}).get("$LATEST")
        settings = function.get("event_invoke_config") or qualified or {}
        retries = settings.get("MaximumRetryAttempts")
        self.maximum_retries = _DEFAULT_RETRIES if retries is None else int(retries)
        self.maximum_age = float(settings.get("MaximumEventAgeInSeconds") or _DEFAULT_MAXIMUM_AGE)
        on_failure = (settings.get("DestinationConfig") or {}).get("OnFailure") or {}
        self._destination: str = on_failure.get("Destination", "")
        self._lambda_svc = lambda_svc
        self._function = function
        self._config: dict[str, Any] = function.get("config") or function
        self._name = str(self._config.get("FunctionName", "unknown"))
        self._event = event
        self._request_id = str(uuid.uuid4())
        self._context = contextvars.copy_context()
        self._answer: dict[str, Any] = {}

    def attempt(self) -> Outcome:
        """Run the function once."""
        outcome: Outcome = self._in_scope(self._execute)
        return outcome

    def give_up(self, condition: Condition, attempts: int) -> None:
        """Log the failure, and send its record to the on-failure queue."""
        _logger.warning("%s: %s, %d attempts, request %s.", self._name, condition.value, attempts, self._request_id)
        if self._destination:
            self._in_scope(self._send, self._record(condition, attempts))

    def _in_scope(self, work: Any, *arguments: Any) -> Any:
        return self._context.run(self._lambda_svc._run_with_function_config_scope, self._function, work, *arguments)

    def _execute(self) -> Outcome:
        service = self._lambda_svc
        slot, _limit = service._acquire_execution_slot(self._function, self._config)
        if slot is None:
            service._emit_lambda_metrics(self._name, 0.0, error=False, throttle=True)
            return Outcome.THROTTLED
        started = time.time()
        try:
            self._answer = service._execute_function_dispatch(
                self._function, self._config, self._event, self._request_id, started
            )
        finally:
            service._release_execution_slot(slot)
        failed = bool(self._answer.get("error"))
        service._emit_lambda_metrics(self._name, (time.time() - started) * 1000, error=failed, throttle=False)
        return Outcome.FAILED if failed else Outcome.SUCCEEDED

    def _record(self, condition: Condition, attempts: int) -> dict[str, object]:
        """Return the record as AWS documents it (Lambda Developer Guide, "Capturing records of Lambda …")."""
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
        from ministack.services import sqs

        queue = sqs._queue_by_arn(self._destination)
        if queue is None:
            _logger.error("%s: the on-failure queue %s does not exist.", self._name, self._destination)
            return
        sqs._act_send_message({"MessageBody": json.dumps(record)}, queue["url"])
