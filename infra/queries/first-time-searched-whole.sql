-- First time a source was searched whole
--
-- One row for each bucket or volume that a search named, or of which a search left out a backup: the first search that was
-- COMPLETE and had it in its scope, with the window of backups that it was about (empty: all). Without one, the columns of
-- the search are empty, and searches counts those that had it in their scope.
--
-- A scope has a source if it names it, or names no sources, and is not narrowed to backups or tags. Such a search may
-- still have found no backup of it: a source that has none cannot be left out. Whole means that no backup is known to have
-- been left out: backups that AWS did not list are known only where the comparison with the vaults (setting inventory)
-- found them. Reports of before version 1.1 have no scope and are not counted.

WITH searches AS (
    SELECT
        "date",
        searchJob.identifier AS search_job_id,
        element_at(searchJob.scope.resourceTypes, 1) AS resource_type,
        searchJob.scope.sourceArns AS source_arns,
        searchJob.scope.createdAfter AS created_after,
        searchJob.scope.createdBefore AS created_before,
        verdict
    FROM search_jobs
    WHERE
        cardinality(searchJob.scope.resourceTypes) = 1
        AND cardinality(searchJob.scope.backupArns) = 0
        AND cardinality(map_keys(searchJob.scope.tags)) = 0
),
sources AS (
    SELECT
        t.source_arn,
        s.resource_type
    FROM searches AS s
    CROSS JOIN UNNEST(s.source_arns) AS t (source_arn)
    UNION
    SELECT
        e.source_resource_arn,
        e.resource_type
    FROM excluded_backups AS e
    -- Rows without a summary are the rest of a report that was cut short.
    JOIN search_jobs AS j
        ON j.searchJob.identifier = e.search_job_id
        AND j."date" = e."date"
    WHERE e.source_resource_arn IS NOT NULL
),
covered AS (
    SELECT
        o.source_arn,
        o.resource_type,
        s."date",
        s.search_job_id,
        s.created_after,
        s.created_before,
        s.verdict,
        row_number() OVER (
            PARTITION BY o.source_arn, o.resource_type
            ORDER BY CASE WHEN s.verdict = 'COMPLETE' THEN 0 ELSE 1 END, s."date", s.search_job_id
        ) AS place,
        count(s.search_job_id) OVER (PARTITION BY o.source_arn, o.resource_type) AS searches
    FROM sources AS o
    LEFT JOIN searches AS s
        ON s.resource_type = o.resource_type
        AND (cardinality(s.source_arns) = 0 OR contains(s.source_arns, o.source_arn))
)
SELECT
    source_arn,
    resource_type,
    CASE WHEN verdict = 'COMPLETE' THEN "date" END AS first_searched_whole,
    CASE WHEN verdict = 'COMPLETE' THEN search_job_id END AS search_job_id,
    CASE WHEN verdict = 'COMPLETE' THEN created_after END AS backups_created_after,
    CASE WHEN verdict = 'COMPLETE' THEN created_before END AS backups_created_before,
    searches
FROM covered
WHERE place = 1
ORDER BY first_searched_whole, source_arn
