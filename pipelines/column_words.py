"""What CRMs, web trackers and mail tools call the columns that leadlight knows."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from leadlight.features.sql import identifier

_PREFIX = re.compile(r"^(property|properties|fields)[_.\s]+", re.IGNORECASE)
_SUFFIX = re.compile(r"__?c$")


def compact(name: str) -> str:
    """Reduce a name to what people mean by it.

    Examples
    --------
    >>> compact("property_createdate"), compact("Created Date"), compact("createdAt")
    ('createdate', 'createddate', 'createdat')
    """
    bare = _SUFFIX.sub("", _PREFIX.sub("", name.strip()).lower())
    return re.sub(r"[^a-z0-9]", "", bare)


def sql_name(column: str) -> str:
    """Write a column's name in an SQL expression, quoted only where it must be.

    Examples
    --------
    >>> sql_name("stage"), sql_name("order"), sql_name("Lead Stage")
    ('stage', '"order"', '"Lead Stage"')
    """
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column)
    return column if is_plain and column.lower() not in RESERVED_WORDS else identifier(column)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Best names first. A name may serve several canonical columns; the table decides which it means.
NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "leads": {
            "created_at": _words(
                "createdat createdate createddate createdon creationdate datecreated created "
                "signupdate signupat signedupat registeredat registeredon regdate registrationdate "
                "firstcontactdate firstseenat firstseen submittedat submissiondate enquirydate "
                "inquirydate applicationdate applieddate leaddate leadcreatedat leadcreateddate"
            ),
            "email": _words("email emailaddress workemail mail"),
            "job_title": _words("jobtitle title position jobrole"),
            "source": _words(
                "leadsource source originalsource hsanalyticssource origin leadorigin utmsource "
                "channel acquisitionchannel marketingchannel"
            ),
            "country": _words("country countrycode mailingcountry mailingcountrycode ipcountry"),
            "owner": _words(
                "hubspotownerid ownerid owner leadowner accountowner salesrep salesperson srid"
            ),
        },
        "accounts": {
            "industry": _words("industry sector vertical businesssegment"),
            "employees": _words(
                "numberofemployees employees employeecount numemployees headcount companysize"
            ),
            "revenue": _words("annualrevenue revenue yearlyrevenue turnover"),
            "country": _words("country billingcountry countrycode billingcountrycode hqcountry"),
        },
        "events": {
            "occurred_at": _words(
                "occurredat timestamp ts eventtime eventtimestamp eventdate occurred happenedat "
                "datetime time activitydate activityat created createdat createdate createddate "
                "sentat viewedat visitedat date hstimestamp"
            ),
            "event_type": _words(
                "eventtype event eventname activitytype activity activityname typename type action "
                "interaction kind"
            ),
            "recorded_at": _words("recordedat receivedat ingestedat loadedat insertedat arrivedat"),
            "detail": _words(
                "url pageurl page path pagepath link asset assetname campaign campaignname details "
                "detail subject content formname title primaryattributevalue"
            ),
            "value": _words("value amount"),
        },
        "outcomes": {
            "closed_at": _words(
                "closedat closedate closeddate dateclosed closedon wondate wonat wonon datewon "
                "decidedat decisiondate signedat signeddate purchasedate purchasedat "
                "conversiondate convertedat converteddate customersince becamecustomerat "
                "becamecustomerdate"
            ),
            "won": _words("won iswon closedwon dealwon hsisclosedwon success"),
            "opened_at": _words(
                "openedat opendate opened createdate createddate createdat created dateopened"
            ),
            "amount": _words("amount dealamount dealvalue value totalamount acv arr"),
            "currency": _words("currency dealcurrencycode currencycode currencyisocode"),
            "stage": _words(
                "dealstage stage stagename dealstagename status result outcome dealstatus"
            ),
        },
        "feedback": {
            "decided_at": _words(
                "decidedat reviewedat judgedat feedbackat acceptedat timestamp createdat created "
                "date ts"
            ),
            "accepted": _words(
                "accepted isaccepted salesaccepted sqlaccepted verdict decision approved"
            ),
            "reason": _words("reason rejectionreason comment note"),
        },
        "identities": {
            "alias": _words(
                "alias anonymousid visitorid cookieid cookie deviceid clientid vidtomerge mergedid "
                "mergedcontactid oldid oldcontactid"
            ),
            "linked_at": _words(
                "linkedat identifiedat mergedat linkedon timestamp createdat created ts"
            ),
        },
    }
)

LEAD_LINKS = _words(
    "leadid contactid prospectid personid peopleid customerid userid clientid whoid mqlid caseid "
    "applicationid applicantid canonicalvid vid associatedcontactid primarycontactid lead contact "
    "prospect person customer visitor visitorid user memberid"
)
ACCOUNT_LINKS = _words(
    "accountid companyid organisationid organizationid orgid associatedcompanyid primarycompanyid "
    "prospectaccountid account company organisation organization"
)
KEYS = _words("id hsobjectid recordid objectid guid uuid key")
DEAL_KEYS = _words("dealid opportunityid opportunity id hsobjectid recordid")
LABELS = _words(
    "converted isconverted conversion won iswon label target y iscustomer becamecustomer customer "
    "outcome class subscribed purchased success response bought deposit"
)

# Of what a file is called: which table it may be.
FILE_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "leads": _words("lead leads contact contacts prospect prospects people persons customers"),
        "accounts": _words(
            "account accounts company companies organisation organisations "
            "organization organizations"
        ),
        "outcomes": _words(
            "deal deals opportunity opportunities outcome outcomes closed won sales"
        ),
        "events": _words(
            "event events view views visit visits click clicks open opens email emails activity "
            "activities session sessions task tasks web hits submission submissions"
        ),
        "feedback": _words("feedback verdicts reviews"),
        "identities": _words("identity identities alias aliases merge merges"),
    }
)
# Files that repeat another one's rows, or link two others.
SECONDARY_FILE_WORDS = _words("history snapshot snapshots backup old archive describe")

WON_WORDS = re.compile(r"(^|[^a-z])(closed ?-?_?won|won|approved|converted|purchased|success)$")
LOST_WORDS = re.compile(
    r"(^|[^a-z])(closed ?-?_?lost|lost|declined|cancell?ed|rejected|disqualified|refused)$"
)
YES = ("1", "true", "yes", "y", "t", "won", "converted", "customer", "success", "positive")
NO = ("0", "false", "no", "n", "f", "lost", "not converted", "failure", "negative", "lead")

# Fields that sales or the CRM overwrite later, so that today's value knows the outcome.
LEAK_WORDS = re.compile(
    r"lifecycle|stage$|status$|score$|^lead ?quality|^lead ?profile|asymmetrique|^tags?$"
    r"|convert|conversion|customer_?date|became_?a|closed|^won|lost"
    r"|last_?(notable|activit|contact|modif|view|referenc|touch|updat|login|engag|engagement)"
    r"|last (notable|activit|contact|modif)|modified|modstamp|updated|synced|^_fivetran|deleted"
    r"|^duration$|recent_?(deal|conversion)|num_?(associated|contacted|notes)|notes_"
    r"|merged|_?grade$",
    re.IGNORECASE,
)
PERSONAL_WORDS = re.compile(
    r"^(first|last|middle|full|given|family|sur)_?name$|^name$|phone|mobile|^fax|street|address"
    r"|photo|password|salutation|birth|linkedin|_url$|^url$|^website",
    re.IGNORECASE,
)
ENGAGEMENT_WORDS = re.compile(
    r"visits?$|time spent|time_?on|page_? ?views?|clicks?$|opens?$|opened|clicked|sessions?$"
    r"|downloads?$|webinars?|^campaign$|^pdays$|^previous$|^poutcome$|emails?_",
    re.IGNORECASE,
)
# Words that SQL keeps for itself (DuckDB's list).
RESERVED_WORDS = frozenset(
    _words(
        "all analyse analyze and anti any array as asc asof asymmetric at authorization "
        "between bigint binary bit boolean both by case cast char character check coalesce "
        "collate collation column columns concurrently constraint create cross dec decimal "
        "default deferrable desc describe distinct do else end except exists extract false "
        "fetch float for foreign freeze from full generated glob group grouping grouping_id "
        "having ilike in initially inner inout int integer intersect interval into is isnull "
        "join lambda lateral leading left like limit map national natural nchar none not "
        "notnull null nullif numeric offset on only or order out outer overlaps overlay pivot "
        "pivot_longer pivot_wider placing position positional precision primary qualify real "
        "references returning right row select semi setof show similar smallint some struct "
        "substring summarize symmetric table tablesample then time timestamp to trailing "
        "treat trim true try_cast tuple union unique unpack unpivot using values varchar "
        "variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists "
        "xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable "
    )
)
MISSING_WORDS = ("Select", "N/A", "n/a", "#N/A", "NA", "NULL", "null", "NaN", "nan", "(blank)", "?")
