-- Excluded on a given day, and since when
--
-- Takes one parameter, in single quotes: the day in UTC on which the search ended, such as '2026-11-20'. One row for
-- each search of that day and each backup that it left out. left_out_since is the first day on which any search left
-- out this backup, searches_so_far how many did up to and with this one; in between others may have searched it. Both
-- are empty for a backup that AWS did not name.

WITH excluded AS (
    SELECT
        e.*,
        CASE
            WHEN e.backup_arn IS NOT NULL
                THEN min(e."date") OVER (PARTITION BY e.backup_arn)
        END AS left_out_since,
        CASE
            WHEN e.backup_arn IS NOT NULL
                THEN dense_rank() OVER (PARTITION BY e.backup_arn ORDER BY e."date", e.search_job_id)
        END AS searches_so_far
    FROM excluded_backups AS e
    -- Rows without a summary are the rest of a report that was cut short.
    JOIN search_jobs AS j
        ON j.searchJob.identifier = e.search_job_id
        AND j."date" = e."date"
)
SELECT
    search_job_id,
    search_job_name,
    source_resource_arn,
    backup_arn,
    reason,
    remedy,
    left_out_since,
    searches_so_far
FROM excluded
-- A day without its quotes is a subtraction (2026-11-20 is 1995): then this cast fails, instead of finding nothing.
WHERE CAST("date" AS date) = CAST(CAST(? AS varchar) AS date)
ORDER BY left_out_since, source_resource_arn, backup_arn, search_job_id
