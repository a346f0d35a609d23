-- Trend of coverage by week
--
-- One row for each week, from Monday to Sunday in UTC, in which a search with a report ended: how many searches, with
-- which verdicts, and how many backups they were about. A backup that was in two searches counts twice.
--
-- It adds up: listed + not_listed = searched + excluded. not_listed counts the backups that AWS did not list, such as
-- most that have no index; the comparison with the vaults (setting inventory) found them, and they are among the
-- excluded. Where a report was made without that comparison, such backups are unknown and add 0.
-- searched_percent is of searched and excluded together, rounded down: 100 means all. It is empty without a backup.

SELECT
    CAST(date_trunc('week', CAST("date" AS date)) AS date) AS week,
    count(*) AS searches,
    count_if(verdict = 'COMPLETE') AS complete,
    count_if(verdict = 'PARTIAL') AS partial,
    count_if(verdict = 'NONE') AS none_searched,
    sum(backups.listed) AS listed,
    sum(coalesce(inventory.notListed, 0)) AS not_listed,
    sum(backups.searched) AS searched,
    sum(backups.excluded) AS excluded,
    sum(backups.failed) AS failed,
    floor(1000e0 * sum(backups.searched) / nullif(sum(backups.searched + backups.excluded), 0)) / 10 AS searched_percent
FROM search_jobs
GROUP BY 1
ORDER BY week
