"""Tables that only grow: rights revoked from the application, and triggers that no session setting switches off."""

from django.db import migrations

APPEND_ONLY = [
    "review_auditevent",
    "review_auditcheckpoint",
    "review_revision",
    "review_signature",
    "review_addendum",
    "review_sentence",
    "review_evidence",
    "review_mask",
    "review_maskcontent",
]

REFUSE = """
CREATE FUNCTION review_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
"""

# ENABLE ALWAYS: `session_replication_role = replica` would skip an ordinary trigger.
WALL = """
REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM maira_app;
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION review_refuse_change();
CREATE TRIGGER {table}_never_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION review_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_never_truncated;
"""

WALL_UNDONE = """
DROP TRIGGER {table}_append_only ON {table};
DROP TRIGGER {table}_never_truncated ON {table};
GRANT UPDATE, DELETE ON {table} TO maira_app;
"""


class Migration(migrations.Migration):
    dependencies = [("review", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION review_refuse_change();"),
        *[migrations.RunSQL(WALL.format(table=table), WALL_UNDONE.format(table=table)) for table in APPEND_ONLY],
    ]
