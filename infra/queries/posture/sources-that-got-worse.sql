-- Sources that got worse since a day
--
-- One row for each source whose newest backup could be searched on a day, and cannot be in the latest posture that is
-- COMPLETE. Takes one parameter, in single quotes: the day in UTC, such as '2026-11-20'.
--
-- A source without a backup in the latest posture is not in the answer, and a day without a posture has none.

WITH latest AS (
    SELECT max("date") AS day
    FROM postures
    WHERE status = 'COMPLETE'
)
SELECT
    later.resource_type,
    later.source_resource_arn,
    later.newest_searchability AS why,
    later.newest_index_status_message AS message,
    later.newest_backup_arn AS backup_arn,
    later.newest_backup_plan_id AS backup_plan_id,
    later.newest_backup_rule AS backup_rule
FROM posture_sources AS later
INNER JOIN latest
    ON later."date" = latest.day
INNER JOIN posture_sources AS earlier
    ON
        earlier.source_resource_arn = later.source_resource_arn
        AND earlier.resource_type = later.resource_type
WHERE
    -- A day without its quotes is a subtraction (2026-11-20 is 1995): then this cast fails, instead of finding nothing.
    CAST(earlier."date" AS date) = CAST(CAST(? AS varchar) AS date)
    AND earlier.newest_searchability = 'SEARCHABLE'
    AND later.newest_searchability <> 'SEARCHABLE'
ORDER BY later.source_resource_arn
