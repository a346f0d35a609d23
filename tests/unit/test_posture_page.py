"""posture.html: says what is so and what helps most, admits nothing from AWS or from the network, and stays small."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from search_coverage.coverage.backup_plan import BackupPlan
from search_coverage.coverage.posture import Counts, Newest, PostureStatus, RulePosture, VaultPosture
from search_coverage.coverage.searchability import Searchability
from search_coverage.report.posture.tables import count_tables
from search_coverage.report.posture.what_to_do import StateGroup, state_groups
from search_coverage.report.posture.wording import first_changes
from tests.pages import Elements, assert_texts_alone_are_from_aws, block, policy_for, policy_of, read
from tests.postures import newest, posture, since
from tests.whole_posture import CSV_KEY, hostile_posture, posture_page, whole_posture

LARGEST_PAGE_BYTES = 2_000_000
MISSING = Searchability.INDEX_MISSING


def group(state: Searchability, **changes: Any) -> StateGroup:
    """Return what is to be done for a reason, in the whole posture with changes."""
    return next(each for each in state_groups(replace(whole_posture(), **changes)) if each.state is state)


def many_plans(count: int) -> dict[str, Any]:
    """Return the rules and plans of a large account, none of which indexes."""
    rules, plans = [], {}
    for number in range(count):
        plan_id = f"plan-{number}"
        counts = {"S3": Counts({MISSING: 3})}
        rules.append(RulePosture(plan_id, "daily", counts, 3, 1))
        content = {"BackupPlanName": plan_id, "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "nightly"}]}
        plans[plan_id] = BackupPlan(plan_id, None, "v-1", content)
    return {"rules": tuple(rules), "plans": plans}


@pytest.fixture(scope="module")
def hostile() -> str:
    """A page into which everything that AWS may send tries to get more than its text."""
    return posture_page(hostile_posture())


def test_what_aws_sends_never_becomes_an_element_an_attribute_or_a_second_script(hostile: str) -> None:
    elements, harmless = Elements(hostile), Elements(posture_page(whole_posture()))

    assert_texts_alone_are_from_aws(elements)
    assert elements.raw == harmless.raw


def test_direction_marks_and_control_characters_are_spelled_out(hostile: str) -> None:
    assert not {"\u202e", "\x1b", "\x00"} & set(hostile)
    assert "⟨U+202E⟩gnp.exe" in hostile
    assert "{{ 7 * 7 }}" in hostile


def test_the_policy_allows_the_one_style_and_the_one_script_and_nothing_else() -> None:
    elements = Elements(posture_page(whole_posture()))

    assert policy_of(elements) == policy_for(elements)


def test_every_link_leads_to_a_place_on_the_page_or_to_aws() -> None:
    elements = Elements(posture_page(whole_posture()))

    names = {attributes.get("id") for _, attributes in elements.found}
    links = [attributes["href"] or "" for tag, attributes in elements.found if tag == "a"]
    assert [link for link in links if link.startswith("#") and link[1:] not in names] == []
    assert all(re.match(r"#|https://(docs\.)?aws\.amazon\.com/", link) for link in links)
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_first_screen_says_how_many_whether_the_target_is_met_and_what_helps_most() -> None:
    text = read(posture_page(whole_posture()))

    said = [
        "NOT ALL SEARCHABLE",
        "A search could look into the newest backup of 61 of 82 sources",
        "Target 95% of the sources: MISSED, it is 74.3%.",
        "What helps most",
        "15 sources Index the newest backup of 15 sources",
        "11 sources Turn on indexing in backup plan databases",
        "4 sources Turn on indexing in backup plan finance",
        "Since 13 Nov 2026",
    ]
    at = [text.index(each) for each in said]
    assert at == sorted(at)


@pytest.mark.parametrize(
    ("changes", "says", "does_not_say"),
    [
        (
            {"problems": ("Vault x could not be read.",), "target": 95},
            ("This is not the whole picture. Vault x could not be read.", "sources that could be read", "not known;"),
            "MISSED",
        ),
        ({"problems": ("One.", "Two.", "Three.")}, ("And 2 more", "Three."), "COMPLETE"),
        (
            {"newest": newest(3), "total": Counts({Searchability.SEARCHABLE: 3})},
            ("SEARCHABLE", "newest backup of all 3 sources"),
            "What helps most",
        ),
        (
            {"newest": newest(0, INDEX_MISSING=2), "target": 1},
            ("could NOT look into the newest backup of any of the 2 sources", "MISSED"),
            "100%",
        ),
        (
            {"newest": Newest(), "total": Counts(), "by_type": {}, "newest_by_type": {}, "target": 95},
            ("There is no backup of S3 or EBS in the vaults",),
            "Target",
        ),
        ({"since": since()}, ("No source got better or worse.",), "Can no longer"),
        ({"newest": newest(99_999, INDEX_MISSING=1)}, ("99.9%",), "100%"),
    ],
    ids=["a vault was not read", "several problems", "all searchable", "none", "no backups", "no change", "nearly all"],
)
def test_the_page_says_what_is_known_and_no_more(
    changes: dict[str, Any], says: tuple[str, ...], does_not_say: str
) -> None:
    text = read(posture_page(posture(**changes)))

    assert [each for each in says if each not in text] == []
    assert does_not_say not in text


@pytest.mark.parametrize(
    ("changes", "tone"),
    [
        ({"newest": newest(3)}, "COMPLETE"),
        ({"newest": newest(3), "problems": ("x",)}, "PARTIAL"),
        ({"newest": newest(2, INDEX_MISSING=1)}, "PARTIAL"),
        ({"newest": newest(2, INDEX_MISSING=1), "target": 95}, "NONE"),
        ({"newest": newest(2, INDEX_MISSING=1), "target": 50}, "PARTIAL"),
        ({"newest": newest(0, INDEX_MISSING=1)}, "NONE"),
        ({"newest": Newest(), "total": Counts()}, "PARTIAL"),
    ],
)
def test_only_what_is_whole_and_searchable_is_green(changes: dict[str, Any], tone: str) -> None:
    assert f'<body class="{tone}">' in posture_page(posture(**changes))


def test_each_of_the_changes_that_help_most_leads_to_its_commands() -> None:
    page = posture_page(whole_posture())

    anchors = re.findall(r'<a href="#((?:do|plan)-[^"]+)">', page.partition("</ol>")[0])
    assert anchors == ["do-INDEX_MISSING", "plan-1", "plan-2"]
    for anchor in anchors:
        _, _, article = page.partition(f'<article class="group" id="{anchor}"')
        assert "<pre id=" in article.partition("</article>")[0]


def test_the_changes_are_in_the_order_of_the_sources_that_they_mend() -> None:
    whole = whole_posture()

    changes = first_changes(whole, at_most=99)

    assert [change.sources for change in changes] == sorted((change.sources for change in changes), reverse=True)
    assert {change.anchor for change in changes} == {
        "do-INDEX_MISSING",
        "do-INDEX_FAILED",
        "do-AIR_GAPPED",
        "plan-1",
        "plan-2",
    }
    none_to_mend = tuple(replace(rule, sources_not_searchable=0) for rule in whole.rules)
    without = first_changes(replace(whole, rules=none_to_mend), at_most=99)
    assert not [change for change in without if change.anchor.startswith("plan")]


def test_a_loop_on_the_page_orders_one_index_after_another_for_all_sources() -> None:
    missing = group(MISSING)

    (loop,) = missing.commands
    rows = loop.partition("<<'END'\n")[2].splitlines()[:-1]
    newest_of = [each.newest for each in whole_posture().first_sources if each.searchability is MISSING]
    assert rows == [f"{point.vault} {point.arn} {point.role_arn}" for point in newest_of]
    assert (missing.sources, missing.shown, missing.from_csv) == (15, 15, False)
    assert "update-recovery-point-index-settings" in loop
    assert "That is 15 indexes. AWS makes one index on demand at a time: the loop waits for each." in read(
        posture_page(whole_posture())
    )


def test_with_more_sources_than_the_page_knows_the_loop_reads_the_csv() -> None:
    missing = group(MISSING, newest=newest(61, INDEX_MISSING=500))

    assert (missing.sources, missing.shown, missing.from_csv) == (500, 500, True)
    assert 'open("sources.csv"' in missing.commands[0]


def test_without_a_role_each_backup_has_its_own_commands() -> None:
    first = tuple(
        replace(each, newest=each.newest._replace(role_arn=None)) for each in whole_posture().first_sources[:2]
    )

    missing = group(MISSING, first_sources=first, newest=newest(1, INDEX_MISSING=2))

    assert len(missing.commands) == 2
    assert all("--iam-role-arn '<role-arn>'" in commands for commands in missing.commands)


def test_an_air_gapped_vault_gets_the_advice_that_helps_before_a_search() -> None:
    air_gapped = group(Searchability.AIR_GAPPED)

    assert "Keep a backup in a standard vault as well" in air_gapped.remedy.remedy
    assert [command.split()[2] for command in air_gapped.commands] == ["start-copy-job"] * 2


def test_what_exists_without_an_index_has_a_group_even_if_every_newest_backup_is_searchable() -> None:
    total = Counts({Searchability.SEARCHABLE: 3, Searchability.ARCHIVED: 4})

    (archived,) = state_groups(posture(newest=newest(3), total=total))

    assert (archived.state, archived.sources, archived.backups, archived.commands) == (
        Searchability.ARCHIVED,
        0,
        4,
        [],
    )


def test_a_plan_has_its_change_in_every_form_and_one_of_the_organization_only_in_its_policy() -> None:
    page = posture_page(whole_posture())

    assert "update-backup-plan" in block(page, "plan-cli-1")
    assert "IndexActionResourceType.EBS" in block(page, "plan-cdk-1")
    assert "IndexActions:" in block(page, "plan-cloudformation-1")
    assert json.loads(block(page, "plan-organizations-1"))["plans"]["databases"]
    assert json.loads(block(page, "plan-organizations-2"))["plans"]["finance"]
    assert 'id="plan-cli-2"' not in page
    assert "issue 48029" in page
    assert read(page).count("AWS’s pages disagree") == 1  # the second plan has one type to index


def test_a_failed_index_is_told_once_with_what_aws_says_of_it() -> None:
    whole = whole_posture()

    _, _, failures = posture_page(whole).partition('<h2 id="failures">')
    section = failures.partition("</section>")[0]
    for each in whole.index_failures.examples:
        assert section.count(each.recovery_point_arn) == 1
    assert section.count("Access denied trying to call ebs:ListSnapshotBlocks") == 2


def test_the_tables_add_up_to_all_backups() -> None:
    whole = whole_posture()

    for table in count_tables(whole):
        backups, searchable = table.columns.index("Backups"), table.columns.index("Searchable")
        for column, total in ((backups, whole.total.backups), (searchable, whole.total.searchable)):
            assert sum(int((row[column] or "").replace(",", "")) for row in table.rows) == total, table.title


def test_the_page_of_a_large_account_stays_small_and_says_what_it_leaves_out() -> None:
    whole = whole_posture()
    vaults = tuple(VaultPosture(f"vault-{number}", "BACKUP_VAULT", Counts()) for number in range(3_000))
    sources = tuple(replace(whole.first_sources[number % 15], source_arn=f"arn:{number}") for number in range(100))

    page = posture_page(replace(whole, vaults=vaults, first_sources=sources, **many_plans(5_000)))

    text = read(page)
    assert len(page.encode()) < LARGEST_PAGE_BYTES
    assert page.count('<pre id="plan-cli-') == 20
    assert "4,980 more backup plans make no index" in text
    assert "4,900 more in summary.json" in text
    assert "2,900 more in summary.json" in text


def test_names_of_2_000_characters_do_not_make_the_page_large() -> None:
    whole = whole_posture()
    long = "x" * 2_000
    sources = tuple(
        replace(
            each,
            source_arn=f"arn:aws:s3:::{long}",
            newest=each.newest._replace(arn=f"arn:aws:backup:r:1:recovery-point:{long}", index_status_message=long * 9),
        )
        for each in whole.first_sources[:1] * 100
    )

    page = posture_page(
        replace(whole, first_sources=sources, status=PostureStatus.PARTIAL, problems=(long * 9,), notes=(long * 9,))
    )

    assert len(page.encode()) < LARGEST_PAGE_BYTES


def test_the_limits_and_what_no_search_reaches_are_on_the_page() -> None:
    text = read(posture_page(whole_posture()))

    for each in (
        "12 backups of EC2 instances: no search looks into the EBS volumes in them.",
        "It does not mean that the index holds all of the backup",
        "preflight --as ROLE_ARN asks that",
        "A search takes 20 recovery points by default.",
        "It never reads what is inside a file or an object.",
        f"are in {CSV_KEY} .",
    ):
        assert each in text, each
