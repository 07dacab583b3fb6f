"""What belongs to a draft is written while it is being made, and not after: sentences, evidence, AI masks."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION review_draft_is_being_made() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    draft bigint;
    state text;
BEGIN
    IF TG_TABLE_NAME = 'review_evidence' THEN
        SELECT draft_id INTO draft FROM review_sentence WHERE id = NEW.sentence_id;
    ELSE
        draft := NEW.draft_id;
    END IF;
    IF draft IS NULL THEN
        RETURN NEW;  -- A mask somebody drew without a draft.
    END IF;
    SELECT status INTO state FROM review_draft WHERE id = draft;
    IF state IS DISTINCT FROM 'running' THEN
        RAISE EXCEPTION 'draft % is %: nothing can be added to it', draft, state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
"""

WALL = """
CREATE TRIGGER {table}_of_running_draft BEFORE INSERT ON {table}
    FOR EACH ROW {when} EXECUTE FUNCTION review_draft_is_being_made();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_of_running_draft;
"""

TABLES = {
    "review_sentence": "",
    "review_evidence": "",
    # A person's mask may name the draft whose mask it corrects, whenever that was.
    "review_mask": "WHEN (NEW.source = 'ai')",
}


class Migration(migrations.Migration):
    dependencies = [("review", "0003_doubtful_names_and_claims")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION review_draft_is_being_made();"),
        *[
            migrations.RunSQL(
                WALL.format(table=table, when=when), f"DROP TRIGGER {table}_of_running_draft ON {table};"
            )
            for table, when in TABLES.items()
        ],
    ]
