-- What a search could look into, by week
--
-- One row for each week with a posture, with the last one of the week that is COMPLETE: how many sources have a newest
-- backup that a search could look into, and how many of all backups it could look into.
--
-- A week without a row has no whole posture. It says nothing of permissions.

WITH whole AS (
    SELECT
        CAST(date_trunc('week', CAST("date" AS date)) AS date) AS week,
        "date",
        sources.total AS sources,
        sources.newestSearchable AS sources_searchable,
        sources.newestShare AS sources_percent,
        backups.total AS backups,
        backups.searchable AS backups_searchable,
        backups.share AS backups_percent,
        row_number() OVER (PARTITION BY date_trunc('week', CAST("date" AS date)) ORDER BY "date" DESC) AS place
    FROM postures
    WHERE status = 'COMPLETE'
)
SELECT
    week,
    "date",
    sources,
    sources_searchable,
    sources_percent,
    backups,
    backups_searchable,
    backups_percent
FROM whole
WHERE place = 1
ORDER BY week DESC
