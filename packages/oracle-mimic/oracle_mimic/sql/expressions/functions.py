"""The catalogue of functions: which names exist, how many arguments they take, and the call that makes typed text of one.

A scalar function is a Python function `(arguments, ctx) -> Typed` registered under its SQL name. Aggregate and analytic functions also
take `Options`. A known function that is not offered is refused by name (ORA-03001); an unknown one is ORA-00904.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.bound import BindContext, OrderTerm, Typed

Arguments = Sequence[Typed]
Scalar = Callable[[Arguments, BindContext], Typed]


@dataclass(frozen=True, slots=True)
class Options:
    """What may stand around an aggregate's arguments. window: the text inside OVER ( ), None without OVER.

    truncation: LISTAGG's ON OVERFLOW TRUNCATE: what to put at the end, and whether the number of values left out follows.
    """

    distinct: bool = False
    within_group: Sequence[OrderTerm] = ()
    ignore_nulls: bool = False
    window: str | None = None
    truncation: tuple[str, bool] | None = None

    def over(self, aggregate: str) -> str:
        """The DuckDB aggregate, with its window when there is one."""
        return aggregate if self.window is None else f"({aggregate} OVER ({self.window}))"


Aggregate = Callable[[Arguments, BindContext, Options], Typed]


@dataclass(frozen=True, slots=True)
class Function:
    """An entry of the catalogue; `most` None: any number of arguments."""

    least: int
    most: int | None
    scalar: Scalar | None = None
    aggregate: Aggregate | None = None
    needs_window: bool = False
    options: frozenset[str] = field(default_factory=frozenset)


CATALOGUE: dict[str, Function] = {}

_REFUSED_NAMES = """
SOUNDEX DUMP NEW_TIME ORA_HASH CHECKSUM BIT_XOR_AGG BIT_AND_AGG BIT_OR_AGG APPROX_COUNT_DISTINCT COLLECT CORR CORR_S CORR_K COVAR_POP
COVAR_SAMP REGR_SLOPE REGR_INTERCEPT REGR_COUNT REGR_R2 REGR_AVGX REGR_AVGY REGR_SXX REGR_SYY REGR_SXY STATS_MODE STATS_BINOMIAL_TEST
SIN COS TAN ASIN ACOS ATAN ATAN2 SINH COSH TANH CONVERT NLS_UPPER NLS_LOWER NLS_INITCAP NLSSORT XMLAGG XMLELEMENT XMLFOREST XMLTYPE
XMLSERIALIZE XMLQUERY EXTRACTVALUE UPDATEXML JSON_VALUE JSON_QUERY JSON_OBJECT JSON_ARRAY JSON_ARRAYAGG JSON_OBJECTAGG
JSON_EXISTS TREAT DEREF REF VALUE CARDINALITY POWERMULTISET CV ITERATION_NUMBER PRESENTV PRESENTNNV PREVIOUS
SYS_TYPEID SYS_XMLGEN SYS_DBURIGEN CLUSTER_ID PREDICTION FEATURE_ID ORA_DST_AFFECTED ORA_DST_CONVERT ORA_DST_ERROR ORA_INVOKING_USER
ORA_DM_PARTITION_NAME BFILENAME TO_LOB TO_SINGLE_BYTE TO_MULTI_BYTE COLLATION COMPOSE DECOMPOSE SCORE CONTAINS
VALIDATE_CONVERSION SUBSTR2 SUBSTR4 SUBSTRC INSTR2 INSTR4 INSTRC INSTRB LENGTH2 LENGTH4 LENGTHC LNNVL
"""
_REFUSED = frozenset(_REFUSED_NAMES.split())
# What every 19c database supplies: a function of these that is not in the catalogue is refused by its name.
_PACKAGE_NAMES = """
DBMS_ADVANCED_REWRITE DBMS_ALERT DBMS_APPLICATION_INFO DBMS_APPLY_ADM DBMS_AQ DBMS_AQADM DBMS_ASSERT DBMS_AUTO_TASK_ADMIN
DBMS_CDC_UTILITY DBMS_COMPARISON DBMS_COMPRESSION DBMS_CRYPTO DBMS_DATAPUMP DBMS_DB_VERSION DBMS_DDL DBMS_DEBUG DBMS_DESCRIBE
DBMS_DIMENSION DBMS_ERRLOG DBMS_FILE_TRANSFER DBMS_FLASHBACK DBMS_HPROF DBMS_ILM DBMS_INMEMORY DBMS_JAVA DBMS_JOB DBMS_JSON
DBMS_LDAP DBMS_LOB DBMS_LOCK DBMS_LOGMNR DBMS_METADATA DBMS_MONITOR DBMS_MVIEW DBMS_NETWORK_ACL_ADMIN DBMS_OBFUSCATION_TOOLKIT
DBMS_OUTPUT DBMS_PARALLEL_EXECUTE DBMS_PART DBMS_PIPE DBMS_PRIVILEGE_CAPTURE DBMS_PROFILER DBMS_RANDOM DBMS_REDACT
DBMS_REDEFINITION DBMS_RESOURCE_MANAGER DBMS_RESULT_CACHE DBMS_RESUMABLE DBMS_RLS DBMS_ROWID DBMS_SCHEDULER DBMS_SERVICE
DBMS_SESSION DBMS_SHARED_POOL DBMS_SNAPSHOT DBMS_SPACE DBMS_SPM DBMS_SQL DBMS_SQLDIAG DBMS_SQLTUNE DBMS_STATS DBMS_TDB DBMS_TRACE
DBMS_TRANSACTION DBMS_TYPES DBMS_UTILITY DBMS_WARNING DBMS_WORKLOAD_REPOSITORY DBMS_XDB DBMS_XMLDOM DBMS_XMLGEN DBMS_XMLPARSER
DBMS_XMLQUERY DBMS_XMLSAVE DBMS_XMLSCHEMA DBMS_XMLSTORE DBMS_XPLAN UTL_COLL UTL_COMPRESS UTL_ENCODE UTL_FILE UTL_HTTP UTL_I18N
UTL_INADDR UTL_LMS UTL_MAIL UTL_MATCH UTL_NLA UTL_RAW UTL_RECOMP UTL_SMTP UTL_TCP UTL_URL
"""
_SUPPLIED_PACKAGES = frozenset(_PACKAGE_NAMES.split())


def scalar(*names: str, least: int, most: int | None = -1) -> Callable[[Scalar], Scalar]:
    """Register a scalar function; most: as many as `least` unless given, None for any number."""

    def define(function: Scalar) -> Scalar:
        for name in names:
            CATALOGUE[name] = Function(least, least if most == -1 else most, scalar=function)
        return function

    return define


def aggregate(
    *names: str, least: int, most: int | None = -1, needs_window: bool = False, options: str = ""
) -> Callable[[Aggregate], Aggregate]:
    """Register an aggregate (also analytic) or, with needs_window, a purely analytic function.

    options: which of `distinct`, `within_group`, `ignore_nulls` it understands.
    """

    def define(function: Aggregate) -> Aggregate:
        for name in names:
            limit = least if most == -1 else most
            CATALOGUE[name] = Function(least, limit, aggregate=function, needs_window=needs_window, options=frozenset(options.split()))
        return function

    return define


def is_aggregate(name: str) -> bool:
    """True for a function that groups rows (it may also stand with OVER)."""
    if name in ("GROUPING", "GROUPING_ID"):
        return True
    found = CATALOGUE.get(name)
    return found is not None and found.aggregate is not None and not found.needs_window


def is_analytic(name: str) -> bool:
    """True for a function that needs OVER."""
    found = CATALOGUE.get(name)
    return found is not None and found.needs_window


def call(
    name: str,
    arguments: Arguments,
    ctx: BindContext,
    *,
    distinct: bool = False,
    within_group: Sequence[OrderTerm] = (),
    ignore_nulls: bool | None = None,
    window: str | None = None,
    truncation: tuple[str, bool] | None = None,
) -> Typed:
    """A function call as typed text; `name` in upper case, with its package when it has one (UTL_RAW.CAST_TO_RAW).

    ORA-00904 unknown function, ORA-00909/00938/00939 number of arguments, ORA-03001 known but not offered.
    """
    found = CATALOGUE.get(name)
    if found is None and name in _REFUSED:
        raise refused(name)
    package, _, member = name.partition(".")
    if found is None and member and package in _SUPPLIED_PACKAGES and ctx.may_execute(package):
        raise refused(f"function {name}")
    if found is None or (member and not ctx.may_execute(package)):
        raise OracleError(904, f"{_quoted(name)}: invalid identifier")
    too_many = found.most is not None and len(arguments) > found.most
    if (len(arguments) != found.least and found.least == found.most) or (too_many and is_aggregate(name)):
        raise OracleError(909, "invalid number of arguments")
    if len(arguments) < found.least:
        raise OracleError(938, "not enough arguments for function")
    if too_many:
        raise OracleError(939, "too many arguments for function")
    if found.scalar is not None:
        if window is not None:
            raise (
                OracleError(30484, "missing window specification for this function")
                if found.needs_window
                else OracleError(923, "FROM keyword not found where expected")
            )
        return found.scalar(arguments, ctx)
    if found.aggregate is None:
        raise refused(name)
    for option, given in (("distinct", distinct), ("within_group", bool(within_group)), ("ignore_nulls", bool(ignore_nulls))):
        if given and option not in found.options:
            raise (
                OracleError(30482, "DISTINCT option not allowed for this function")
                if option == "distinct"
                else OracleError(2000, f"missing or unexpected {option.replace('_', ' ').upper()} for {name}")
            )
    if "ORDER BY" in (window or "") and (distinct or within_group or name in ("LISTAGG", "MEDIAN", "RATIO_TO_REPORT")):
        raise OracleError(30487, "ORDER BY not allowed here")
    if found.needs_window and window is None:
        raise OracleError(30484, "missing window specification for this function")
    if truncation is not None and name != "LISTAGG":
        raise OracleError(907, "missing right parenthesis")
    return found.aggregate(arguments, ctx, Options(distinct, within_group, bool(ignore_nulls), window, truncation))


def _quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))
