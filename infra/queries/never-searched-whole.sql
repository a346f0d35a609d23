-- Sources that were never searched whole
--
-- One row for each bucket or volume of which some search left out a backup. NEVER: every reported search of its
-- resource type that looked at anything left out a backup of it. NOT KNOWN: some searches (searches_to_check, the
-- latest of them on latest_to_check) name no backup of it that they left out. They searched it whole, or it was not in
-- their scope.
--
-- A search that named other sources only is not one to check. Reports of before version 1.1 have no scope: such a search
-- may have been about any source of its type. Look at the scope of the searches to check: it may be narrowed to a time, to
-- tags or to backups. Whole means no more than that no backup of it is known to have been left out: backups that AWS did not
-- list are known only where the comparison with the vaults (setting inventory) found them. Sources of which no search left
-- out a backup, and searches without a report, are not known here.

WITH searches AS (
    -- A search has one resource type. Where AWS did not name it, the search may have been about any source.
    SELECT
        searchJob.identifier AS search_job_id,
        "date",
        backups.searched AS backups_searched,
        searchJob.scope.sourceArns AS source_arns,
        CASE
            WHEN cardinality(searchJob.resourceTypes) = 1
                THEN element_at(searchJob.resourceTypes, 1)
        END AS resource_type
    FROM search_jobs
),
left_out AS (
    -- Rows without a summary are the rest of a report that was cut short.
    SELECT DISTINCT
        e.source_resource_arn,
        s.search_job_id,
        s."date",
        s.resource_type
    FROM excluded_backups AS e
    JOIN searches AS s
        ON s.search_job_id = e.search_job_id
        AND s."date" = e."date"
    WHERE e.source_resource_arn IS NOT NULL
),
sources AS (
    SELECT
        source_resource_arn,
        max(resource_type) AS resource_type,
        count(*) AS searches_that_left_out,
        min("date") AS first_left_out,
        max("date") AS last_left_out
    FROM left_out
    GROUP BY source_resource_arn
),
to_check AS (
    SELECT
        o.source_resource_arn,
        count(*) AS searches,
        max(s."date") AS latest
    FROM sources AS o
    JOIN searches AS s
        ON s.backups_searched > 0
        AND (o.resource_type IS NULL OR s.resource_type IS NULL OR s.resource_type = o.resource_type)
        AND (coalesce(cardinality(s.source_arns), 0) = 0 OR contains(s.source_arns, o.source_resource_arn))
    LEFT JOIN left_out AS l
        ON l.source_resource_arn = o.source_resource_arn
        AND l.search_job_id = s.search_job_id
    WHERE l.search_job_id IS NULL
    GROUP BY o.source_resource_arn
)
SELECT
    CASE WHEN c.searches IS NULL THEN 'NEVER' ELSE 'NOT KNOWN' END AS searched_whole,
    o.source_resource_arn,
    o.resource_type,
    o.searches_that_left_out,
    o.first_left_out,
    o.last_left_out,
    coalesce(c.searches, 0) AS searches_to_check,
    c.latest AS latest_to_check
FROM sources AS o
LEFT JOIN to_check AS c
    ON c.source_resource_arn = o.source_resource_arn
ORDER BY searched_whole, o.searches_that_left_out DESC, o.source_resource_arn
