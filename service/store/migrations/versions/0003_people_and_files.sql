-- People who sign in, files that are imported, and what the pages look things up by.

ALTER TABLE "user" ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "user" ADD COLUMN locked_until TIMESTAMPTZ;

CREATE TABLE user_session (
    digest VARCHAR NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (digest),
    FOREIGN KEY (user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_session_user_id ON user_session (user_id);

CREATE TABLE import (
    id UUID NOT NULL,
    source VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    layout JSONB NOT NULL,
    mapping JSONB NOT NULL,
    history BOOLEAN NOT NULL,
    digest VARCHAR NOT NULL,
    size BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    rows_about INTEGER,
    position INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    new INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    stale INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    errors JSONB NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (id)
);
CREATE INDEX import_newest ON import (created_at, id);
CREATE INDEX import_again ON import (source, digest);

CREATE TABLE import_chunk (
    import_id UUID NOT NULL,
    number INTEGER NOT NULL,
    data BYTEA NOT NULL,
    key_id VARCHAR NOT NULL,
    PRIMARY KEY (import_id, number),
    FOREIGN KEY (import_id) REFERENCES import (id)
);

ALTER TABLE feedback ADD COLUMN import_id UUID REFERENCES import (id);
CREATE INDEX feedback_of_source ON feedback (source, received_at);
CREATE INDEX feedback_pushed ON feedback (source)
    WHERE stage IN ('received', 'classified') AND import_id IS NULL;
CREATE INDEX feedback_customer ON feedback_revision ((body -> 'customer' ->> 'id'));

-- Of the beginning only: a vector of more than a megabyte is an error, and nobody's longest answer may be refused for it.
CREATE FUNCTION feedback_words(body JSONB) RETURNS TSVECTOR LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_tsvector('simple', left(translate(replace(replace(
        jsonb_path_query_array(body, '$.verbatims[*].text')::text, '\n', ' '), '\t', ' '), '"\', '  '), 100000));
CREATE INDEX feedback_words ON feedback_revision USING gin (feedback_words(body));

CREATE INDEX work_item_inbox ON work_item (coalesce(due_at, 'infinity'), id)
    WHERE status IN ('open', 'acknowledged', 'waiting') AND kind <> 'backlog_item';
CREATE INDEX work_item_backlog ON work_item (created_at, id) WHERE kind = 'backlog_item';

ALTER TABLE delivery ADD COLUMN acknowledged_at TIMESTAMPTZ;
CREATE INDEX delivery_of_destination ON delivery (destination, state, created_at, id);
CREATE INDEX delivery_given_up ON delivery (created_at, id) WHERE state = 'dead' AND acknowledged_at IS NULL;
CREATE INDEX delivery_attempt_newest ON delivery_attempt (started_at);

-- What backlog items are ordered by. Until now an item had one record behind it.
ALTER TABLE work_item ADD COLUMN voices INTEGER NOT NULL DEFAULT 0;
ALTER TABLE work_item ADD COLUMN account_value DOUBLE PRECISION NOT NULL DEFAULT 0;
UPDATE work_item SET voices = 1, account_value = known.value, score = 1 + log((1 + known.value / 1000)::numeric)
    FROM (
        SELECT e.work_item_id, greatest(0, coalesce((r.body -> 'customer' ->> 'account_value')::float8, 0)) AS value
        FROM work_item_evidence e
        JOIN feedback f ON f.id = e.feedback_id
        JOIN feedback_revision r ON r.feedback_id = f.id AND r.revision = f.revision
        WHERE e.kind = 'backlog_item'
    ) known
    WHERE id = known.work_item_id AND kind = 'backlog_item';
UPDATE work_item SET score = 0 WHERE score IS NULL;
ALTER TABLE work_item ALTER COLUMN score SET DEFAULT 0;
ALTER TABLE work_item ALTER COLUMN score SET NOT NULL;
CREATE INDEX work_item_score ON work_item (score, id) WHERE kind = 'backlog_item';
CREATE INDEX work_item_value ON work_item (account_value, id) WHERE kind = 'backlog_item';
