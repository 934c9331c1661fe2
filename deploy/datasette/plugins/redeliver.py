"""What Datasette may show of Redeliver's database: the views and the canned queries, never a body.

Two walls, either of which is enough. Datasette's permissions refuse every table, custom SQL and the download, so that a
table that a later version adds is refused too. And SQLite itself refuses to read a column that is not in READABLE, so
that neither a mistake in a canned query nor one in Datasette shows a body.
"""

import os
import sqlite3
from urllib.parse import urlencode

import click
import markupsafe
from datasette import hookimpl
from datasette.database import Database

# The database's name in addresses and in metadata.yaml, whatever its file is called: what metadata.yaml says must not
# silently count for nothing because somebody's file has another name.
NAME = "redeliver"

VIEWS = {
    "v_health", "v_open", "v_due", "v_dead", "v_attempts", "v_timeline", "v_by_event_type", "v_by_endpoint",
    "v_superseded",
}

# The tables that views and canned queries rest on. Not here: delivery_body.
READABLE = VIEWS | {
    "endpoint", "delivery", "attempt", "task_alias", "log_entry", "scan_gap", "counter", "metric_event_type",
    "operator_action", "unreadable_entry", "dead_count", "circuit_failure", "provider_pause", "test_event",
    "sqlite_master", "sqlite_schema",
}

# Columns of readable tables that hold what strangers wrote, whole, or lead back to it.
HIDDEN_COLUMNS = {("unreadable_entry", "raw"), ("unreadable_entry", "sha256"), ("scan_gap", "resume_url")}

# Databases that Datasette makes for itself in memory: what it knows of the schema, and a place to ask for versions.
ITS_OWN = {"_internal", "_memory"}

# What Datasette asks to learn the schema; nothing that changes a connection.
PRAGMAS = {
    "table_info", "table_xinfo", "foreign_key_list", "index_list", "index_info", "index_xinfo", "database_list",
    "schema_version", "function_list", "compile_options",
}

# sqlite3 names these only from Python 3.11 on.
SQLITE_RECURSIVE = 33


def may(action, first, second, _database, _source):
    """SQLite asks this for each thing that a statement would do, before it runs."""
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, SQLITE_RECURSIVE):
        allowed = True
    elif action == sqlite3.SQLITE_READ:
        table = (first or "").lower()
        allowed = (table in READABLE or table.startswith("pragma_")) and (
            (table, (second or "").lower()) not in HIDDEN_COLUMNS
        )
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = (first or "").lower() in PRAGMAS
    else:
        allowed = False
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


@hookimpl
def prepare_connection(conn, database):
    if database not in ITS_OWN:
        conn.set_authorizer(may)


@hookimpl
def startup(datasette):
    given = [name for name in datasette.databases if name not in ITS_OWN]
    if len(given) != 1:
        raise click.ClickException("Give one database; for several, start this once for each, with ports of their own.")
    database = datasette.databases[given[0]]
    if not database.is_mutable:
        raise click.ClickException("Not --immutable: the daemon writes to this file.")
    for name in list(datasette.databases):
        if name != "_internal":
            datasette.remove_database(name)
    datasette.add_database(Database(datasette, path=os.path.abspath(database.path), is_mutable=True), name=NAME)


# Last, because the last answer counts. None leaves the decision to metadata.yaml.
@hookimpl(trylast=True)
def permission_allowed(action, resource):
    if action in ("execute-sql", "view-database-download", "permissions-debug"):
        return False
    if action == "view-database" and resource != NAME:
        return False
    if action == "view-table" and (resource[0] != NAME or resource[1] not in VIEWS):
        return False
    return None


# What a cell leads to: a click instead of copying an id.
QUERY_OF_COLUMN = {
    "task_id": ("task", "task_id"),
    "superseded_by_task_id": ("task", "task_id"),
    "trial_task_id": ("task", "task_id"),
    "customer_id": ("customer", "customer_id"),
    "endpoint": ("waits_at", "endpoint"),
}


@hookimpl
def render_cell(value, column, database, datasette):
    if database != NAME or column not in QUERY_OF_COLUMN or not isinstance(value, str) or not value:
        return None
    query, parameter = QUERY_OF_COLUMN[column]
    address = datasette.urls.query(NAME, query) + "?" + urlencode({parameter: value})
    return markupsafe.Markup('<a href="{}">{}</a>').format(address, value)


# The columns' help fills a screen above the rows, so it waits for a click; without scripts it stays open.
FOLD_COLUMNS = """
for (const list of document.querySelectorAll("dl.column-descriptions")) {
    const box = document.createElement("details");
    box.className = "column-help";
    const title = document.createElement("summary");
    title.textContent = "What the columns mean";
    list.replaceWith(box);
    box.append(title, list);
}
"""


@hookimpl
def extra_body_script(view_name):
    return FOLD_COLUMNS if view_name == "table" else ""
