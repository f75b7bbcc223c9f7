-- Clocks that tell, people who are told, items that join, and what a change would have done.

ALTER TABLE work_item ADD COLUMN customer VARCHAR;
ALTER TABLE work_item ADD COLUMN bypass VARCHAR;
ALTER TABLE work_item ADD COLUMN harm DOUBLE PRECISION NOT NULL DEFAULT 0;
ALTER TABLE work_item ADD COLUMN tick_at TIMESTAMPTZ;
ALTER TABLE work_item ADD COLUMN offered_to VARCHAR;
ALTER TABLE work_item ADD COLUMN offer_due_at TIMESTAMPTZ;
ALTER TABLE work_item_evidence ADD COLUMN ended_at TIMESTAMPTZ;

-- What has no service level was the JSON word null.
UPDATE work_item SET sla = NULL WHERE sla = 'null';

UPDATE work_item SET customer = said.customer
FROM (
    SELECT evidence.work_item_id, min(answer.body -> 'customer' ->> 'id') AS customer
    FROM work_item_evidence evidence
    JOIN feedback ON feedback.id = evidence.feedback_id
    JOIN feedback_revision answer ON answer.feedback_id = feedback.id AND answer.revision = feedback.revision
    GROUP BY evidence.work_item_id
) said
WHERE said.work_item_id = work_item.id AND said.customer IS NOT NULL;

CREATE INDEX work_item_of_customer ON work_item (customer, kind, created_at);
CREATE INDEX work_item_joinable ON work_item (join_key, kind) WHERE join_key IS NOT NULL;
CREATE INDEX work_item_bypassed ON work_item (bypass, created_at) WHERE bypass IS NOT NULL;
CREATE INDEX work_item_ticking ON work_item (tick_at) WHERE tick_at IS NOT NULL;
CREATE INDEX work_item_waiting ON work_item (wait_until) WHERE wait_until IS NOT NULL;

-- Clocks of before tick as well, from the next moment to come on: nothing is said now of what is long past.
UPDATE work_item SET tick_at = (
    SELECT min(moment)
    FROM (
        VALUES (acknowledge_due_at, acknowledge_met_at), (contact_due_at, contact_met_at), (resolve_due_at, resolve_met_at)
    ) AS clock (due_at, met_at),
    LATERAL (VALUES (due_at - 0.25 * (due_at - created_at)), (due_at + interval '1 microsecond')) AS says (moment)
    WHERE met_at IS NULL AND moment > now()
)
WHERE status IN ('open', 'acknowledged');

ALTER TABLE "user" ADD COLUMN hours JSONB;
ALTER TABLE "user" ADD COLUMN destination VARCHAR;
ALTER TABLE "user" ADD COLUMN digest VARCHAR;
ALTER TABLE "user" ADD COLUMN alerts INTEGER;
ALTER TABLE "user" ADD COLUMN absent_from TIMESTAMPTZ;
ALTER TABLE "user" ADD COLUMN absent_until TIMESTAMPTZ;
ALTER TABLE "user" ADD COLUMN substitute VARCHAR;

CREATE TABLE notice (
    id UUID NOT NULL,
    person VARCHAR NOT NULL,
    work_item_id UUID,
    kind VARCHAR NOT NULL,
    words VARCHAR NOT NULL,
    level INTEGER,
    harm DOUBLE PRECISION NOT NULL,
    any_hour BOOLEAN NOT NULL,
    once_key VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    told_at TIMESTAMPTZ,
    dropped VARCHAR,
    seen_at TIMESTAMPTZ,
    acknowledged_at TIMESTAMPTZ,
    delivery_id UUID,
    PRIMARY KEY (id),
    FOREIGN KEY (work_item_id) REFERENCES work_item (id),
    UNIQUE (once_key),
    FOREIGN KEY (delivery_id) REFERENCES delivery (id)
);
CREATE INDEX notice_of_person ON notice (person, due_at);
CREATE INDEX notice_of_item ON notice (work_item_id);
CREATE INDEX notice_newest ON notice (created_at, id);
CREATE INDEX notice_untold ON notice (due_at) WHERE told_at IS NULL AND dropped IS NULL;
CREATE INDEX notice_unseen ON notice (person) WHERE told_at IS NOT NULL AND seen_at IS NULL;
CREATE INDEX notice_told ON notice (person, told_at, id) WHERE told_at IS NOT NULL;

CREATE TABLE backtest (
    id UUID NOT NULL,
    policy_version INTEGER NOT NULL,
    against_version INTEGER NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    handling JSONB NOT NULL,
    attempts INTEGER NOT NULL,
    records INTEGER NOT NULL,
    done INTEGER NOT NULL,
    result JSONB,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (id),
    FOREIGN KEY (policy_version) REFERENCES policy (version),
    FOREIGN KEY (against_version) REFERENCES policy (version)
);
CREATE INDEX backtest_newest ON backtest (created_at, id);

CREATE TABLE backtest_case (
    backtest_id UUID NOT NULL,
    number BIGINT NOT NULL,
    feedback_id UUID NOT NULL,
    change VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    owner VARCHAR,
    day DATE NOT NULL,
    PRIMARY KEY (backtest_id, number),
    FOREIGN KEY (backtest_id) REFERENCES backtest (id)
);
CREATE INDEX backtest_case_shown ON backtest_case (backtest_id, change, kind, rule);
