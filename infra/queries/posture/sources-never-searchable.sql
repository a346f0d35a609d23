-- Sources that could never be searched
--
-- One row for each source of which a search could look into no backup, in any posture that is COMPLETE: since when it is
-- known, and why its newest backup could not be searched, as the latest of them says.
--
-- It knows the days that have a posture. A source that is in no vault any more is in the answer with its last day.

SELECT
    resource_type,
    source_resource_arn,
    min("date") AS known_since,
    max("date") AS last_seen,
    max_by(newest_searchability, "date") AS why,
    max_by(newest_backup_plan_id, "date") AS backup_plan_id,
    max_by(newest_backup_rule, "date") AS backup_rule
FROM posture_sources
WHERE
    source_resource_arn IS NOT NULL
    AND "date" IN (
        SELECT "date"
        FROM postures
        WHERE status = 'COMPLETE'
    )
GROUP BY resource_type, source_resource_arn
HAVING max(searchable) = 0
ORDER BY known_since, source_resource_arn
