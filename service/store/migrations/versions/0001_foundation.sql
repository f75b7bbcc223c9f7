-- The shape later work would otherwise have to migrate (one table per word of the design).

CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE api_key (
    id UUID NOT NULL,
    name VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    source VARCHAR,
    created_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ,
    PRIMARY KEY (id),
    UNIQUE (digest)
);

CREATE TABLE audit_event (
    sequence INTEGER NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    actor VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    object VARCHAR NOT NULL,
    data JSONB NOT NULL,
    previous_hash VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    PRIMARY KEY (sequence)
);

CREATE TABLE destination (
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    settings JSONB NOT NULL,
    secrets BYTEA,
    key_id VARCHAR,
    disabled_at TIMESTAMPTZ,
    disabled_reason VARCHAR,
    failures INTEGER NOT NULL,
    opened_until TIMESTAMPTZ,
    tokens FLOAT,
    tokens_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE installation (
    id INTEGER NOT NULL,
    key_id VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE policy (
    version INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    document VARCHAR NOT NULL,
    tree JSONB NOT NULL,
    digest VARCHAR NOT NULL,
    comment VARCHAR,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE source (
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    settings JSONB NOT NULL,
    secrets BYTEA,
    key_id VARCHAR,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE "user" (
    id UUID NOT NULL,
    name VARCHAR NOT NULL,
    password_hash VARCHAR,
    roles TEXT[] NOT NULL,
    email VARCHAR,
    manager VARCHAR,
    zone VARCHAR,
    active BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);

CREATE TABLE feedback (
    id UUID NOT NULL,
    source VARCHAR NOT NULL,
    external_id VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    stage VARCHAR NOT NULL,
    stage_since TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    reason VARCHAR,
    history BOOLEAN NOT NULL,
    withdrawn_at TIMESTAMPTZ,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (source, external_id),
    FOREIGN KEY(source) REFERENCES source (name)
);
CREATE INDEX feedback_newest ON feedback (received_at, id);
CREATE INDEX feedback_waiting ON feedback (stage, stage_since);

CREATE TABLE policy_activation (
    id UUID NOT NULL,
    policy_version INTEGER NOT NULL,
    mode VARCHAR NOT NULL,
    scope JSONB NOT NULL,
    share FLOAT NOT NULL,
    from_at TIMESTAMPTZ NOT NULL,
    to_at TIMESTAMPTZ,
    by VARCHAR NOT NULL,
    comment VARCHAR,
    approved_by VARCHAR,
    PRIMARY KEY (id),
    FOREIGN KEY(policy_version) REFERENCES policy (version)
);

CREATE TABLE classification (
    id UUID NOT NULL,
    feedback_id UUID NOT NULL,
    revision INTEGER NOT NULL,
    classifier VARCHAR NOT NULL,
    calibrator VARCHAR NOT NULL,
    taxonomy VARCHAR NOT NULL,
    document JSONB NOT NULL,
    topics JSONB NOT NULL,
    logits JSONB NOT NULL,
    vector VECTOR,
    degraded BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (feedback_id, revision, classifier, calibrator, taxonomy),
    FOREIGN KEY(feedback_id) REFERENCES feedback (id)
);

CREATE TABLE decision (
    id UUID NOT NULL,
    feedback_id UUID NOT NULL,
    revision INTEGER NOT NULL,
    policy_version INTEGER NOT NULL,
    mode VARCHAR NOT NULL,
    receipt VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    decided_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (feedback_id, revision, policy_version, mode),
    FOREIGN KEY(feedback_id) REFERENCES feedback (id),
    FOREIGN KEY(policy_version) REFERENCES policy (version)
);

CREATE TABLE feedback_revision (
    id UUID NOT NULL,
    feedback_id UUID NOT NULL,
    revision INTEGER NOT NULL,
    body JSONB NOT NULL,
    digest VARCHAR NOT NULL,
    original BYTEA,
    key_id VARCHAR,
    original_expires_at TIMESTAMPTZ,
    submitted_at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (feedback_id, revision),
    FOREIGN KEY(feedback_id) REFERENCES feedback (id)
);
CREATE INDEX original_expiry ON feedback_revision (original_expires_at) WHERE original IS NOT NULL;

CREATE TABLE work_item (
    id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    mandatory BOOLEAN NOT NULL,
    title VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    priority VARCHAR NOT NULL,
    owner VARCHAR,
    owner_group VARCHAR,
    tags TEXT[] NOT NULL,
    rule VARCHAR NOT NULL,
    decision_id UUID NOT NULL,
    join_key VARCHAR,
    merged_into UUID,
    score FLOAT,
    outcome VARCHAR,
    root_cause VARCHAR,
    sla JSONB,
    due_at TIMESTAMPTZ,
    acknowledge_due_at TIMESTAMPTZ,
    acknowledge_met_at TIMESTAMPTZ,
    contact_due_at TIMESTAMPTZ,
    contact_met_at TIMESTAMPTZ,
    resolve_due_at TIMESTAMPTZ,
    resolve_met_at TIMESTAMPTZ,
    paused_at TIMESTAMPTZ,
    wait_until TIMESTAMPTZ,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(decision_id) REFERENCES decision (id),
    FOREIGN KEY(merged_into) REFERENCES work_item (id)
);
CREATE INDEX work_item_due ON work_item (status, due_at);
CREATE INDEX work_item_newest ON work_item (created_at, id);
CREATE INDEX work_item_owner ON work_item (owner, status);

CREATE TABLE delivery (
    id UUID NOT NULL,
    work_item_id UUID NOT NULL,
    destination VARCHAR NOT NULL,
    operation VARCHAR NOT NULL,
    sequence INTEGER NOT NULL,
    idempotency_key VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    attempt INTEGER NOT NULL,
    next_at TIMESTAMPTZ,
    external_ref VARCHAR,
    external_url VARCHAR,
    external_status VARCHAR,
    last_error VARCHAR,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (work_item_id, destination, operation, sequence),
    FOREIGN KEY(work_item_id) REFERENCES work_item (id),
    UNIQUE (idempotency_key)
);
CREATE INDEX delivery_newest ON delivery (created_at, id);
CREATE INDEX delivery_waiting ON delivery (state, next_at);

CREATE TABLE work_item_event (
    work_item_id UUID NOT NULL,
    sequence INTEGER NOT NULL,
    type VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    data JSONB NOT NULL,
    once_key VARCHAR,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (work_item_id, sequence),
    UNIQUE (work_item_id, once_key),
    FOREIGN KEY(work_item_id) REFERENCES work_item (id)
);

CREATE TABLE work_item_evidence (
    work_item_id UUID NOT NULL,
    feedback_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    decision_id UUID NOT NULL,
    PRIMARY KEY (work_item_id, feedback_id),
    UNIQUE (feedback_id, kind),
    FOREIGN KEY(work_item_id) REFERENCES work_item (id),
    FOREIGN KEY(feedback_id) REFERENCES feedback (id),
    FOREIGN KEY(decision_id) REFERENCES decision (id)
);

CREATE TABLE delivery_attempt (
    delivery_id UUID NOT NULL,
    number INTEGER NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    outcome VARCHAR,
    detail VARCHAR,
    PRIMARY KEY (delivery_id, number),
    FOREIGN KEY(delivery_id) REFERENCES delivery (id)
);

-- A published policy never changes: not by a bug of ours, not by hand.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published policy version never changes: publish a new one';
END
$$;

CREATE TRIGGER policy_is_immutable BEFORE UPDATE OR DELETE ON policy
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
