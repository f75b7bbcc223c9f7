-- Samples, blind labels, certificates, gates, calibrators and the weekly report.

ALTER TABLE classification ADD COLUMN model_digest VARCHAR;
ALTER TABLE classification ADD COLUMN preparation VARCHAR;
ALTER TABLE classification ADD COLUMN uncalibrated JSONB;
CREATE INDEX work_item_event_correction ON work_item_event (at, work_item_id) WHERE type IN ('judge', 'wrong_routing');

CREATE TABLE label_sample (
    id UUID NOT NULL,
    axis VARCHAR NOT NULL,
    label VARCHAR,
    pool VARCHAR NOT NULL,
    size INTEGER NOT NULL,
    source VARCHAR,
    since TIMESTAMPTZ,
    seed BIGINT NOT NULL,
    design VARCHAR NOT NULL,
    design_document JSONB NOT NULL,
    pool_size INTEGER NOT NULL,
    pool_digest VARCHAR NOT NULL,
    reference JSONB NOT NULL,
    classifier VARCHAR NOT NULL,
    model_digest VARCHAR NOT NULL,
    taxonomy VARCHAR NOT NULL,
    preparation VARCHAR NOT NULL,
    purpose VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ,
    PRIMARY KEY (id)
);
CREATE INDEX label_sample_newest ON label_sample (created_at, id);

CREATE TABLE label_card (
    id UUID NOT NULL,
    sample_id UUID NOT NULL,
    feedback_id UUID NOT NULL,
    revision INTEGER NOT NULL,
    probabilities JSONB NOT NULL,
    calibrator VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    inclusion_probability DOUBLE PRECISION,
    places INTEGER NOT NULL,
    repeats BOOLEAN NOT NULL,
    state VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (sample_id, feedback_id),
    FOREIGN KEY (sample_id) REFERENCES label_sample (id),
    FOREIGN KEY (feedback_id) REFERENCES feedback (id)
);
CREATE INDEX label_card_of_feedback ON label_card (feedback_id);
CREATE INDEX label_card_repeats ON label_card (sample_id) WHERE repeats;
CREATE INDEX label_card_unsettled ON label_card (sample_id) WHERE state IN ('open', 'third', 'disputed');

CREATE TABLE label_slot (
    id UUID NOT NULL,
    card_id UUID NOT NULL,
    sample_id UUID NOT NULL,
    number INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    lot BIGINT NOT NULL,
    only_for VARCHAR,
    rater VARCHAR,
    leased_at TIMESTAMPTZ,
    lease_until TIMESTAMPTZ,
    former TEXT[] NOT NULL,
    filled_at TIMESTAMPTZ,
    PRIMARY KEY (id),
    UNIQUE (card_id, number),
    FOREIGN KEY (card_id) REFERENCES label_card (id),
    FOREIGN KEY (sample_id) REFERENCES label_sample (id)
);
CREATE INDEX label_slot_of_rater ON label_slot (rater, sample_id);
CREATE INDEX label_slot_held ON label_slot (rater) WHERE filled_at IS NULL;
CREATE INDEX label_slot_open ON label_slot (sample_id, lot) WHERE filled_at IS NULL AND kind IN ('first', 'third');
CREATE INDEX label_slot_repeat ON label_slot (only_for) WHERE filled_at IS NULL AND kind = 'repeat';

CREATE TABLE guideline (
    id UUID NOT NULL,
    axis VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    label VARCHAR,
    sentence VARCHAR NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    PRIMARY KEY (id),
    UNIQUE (axis, number)
);

CREATE TABLE human_label (
    id UUID NOT NULL,
    card_id UUID NOT NULL,
    slot_id UUID,
    rater VARCHAR NOT NULL,
    labels TEXT[] NOT NULL,
    unsure BOOLEAN NOT NULL,
    skip VARCHAR,
    flag VARCHAR,
    blind BOOLEAN NOT NULL,
    adjudicated BOOLEAN NOT NULL,
    reason VARCHAR,
    guideline_id UUID,
    seconds DOUBLE PRECISION,
    at TIMESTAMPTZ NOT NULL,
    undone_at TIMESTAMPTZ,
    PRIMARY KEY (id),
    FOREIGN KEY (card_id) REFERENCES label_card (id),
    FOREIGN KEY (slot_id) REFERENCES label_slot (id),
    FOREIGN KEY (guideline_id) REFERENCES guideline (id)
);
CREATE INDEX human_label_of_card ON human_label (card_id);
CREATE INDEX human_label_of_rater ON human_label (rater, at);
CREATE UNIQUE INDEX human_label_once ON human_label (slot_id) WHERE slot_id IS NOT NULL AND undone_at IS NULL;

CREATE TABLE reveal (
    id UUID NOT NULL,
    slot_id UUID,
    rater VARCHAR NOT NULL,
    feedback_id UUID NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (slot_id),
    FOREIGN KEY (slot_id) REFERENCES label_slot (id),
    FOREIGN KEY (feedback_id) REFERENCES feedback (id)
);
CREATE INDEX reveal_of_rater ON reveal (rater, feedback_id);

CREATE TABLE calibration_run (
    id UUID NOT NULL,
    axis VARCHAR NOT NULL,
    label VARCHAR,
    source VARCHAR,
    precision DOUBLE PRECISION NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    seed BIGINT NOT NULL,
    comment VARCHAR,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    tries INTEGER NOT NULL,
    result JSONB,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (id)
);
CREATE INDEX calibration_run_newest ON calibration_run (created_at, id);

CREATE TABLE certificate (
    id UUID NOT NULL,
    run_id UUID NOT NULL,
    axis VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    sources TEXT[] NOT NULL,
    languages TEXT[] NOT NULL,
    classifier VARCHAR NOT NULL,
    model_digest VARCHAR NOT NULL,
    taxonomy VARCHAR NOT NULL,
    preparation VARCHAR NOT NULL,
    calibrators JSONB NOT NULL,
    designs TEXT[] NOT NULL,
    samples TEXT[] NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    rungs DOUBLE PRECISION[] NOT NULL,
    proved JSONB NOT NULL,
    precision DOUBLE PRECISION NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    attempt INTEGER NOT NULL,
    n INTEGER NOT NULL,
    correct INTEGER NOT NULL,
    lower_bound DOUBLE PRECISION NOT NULL,
    procedure VARCHAR NOT NULL,
    seed BIGINT NOT NULL,
    reference JSONB NOT NULL,
    state VARCHAR NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    PRIMARY KEY (id),
    FOREIGN KEY (run_id) REFERENCES calibration_run (id)
);
CREATE INDEX certificate_of_label ON certificate (axis, label, state);

CREATE TABLE gate_hold (
    id UUID NOT NULL,
    axis VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    source VARCHAR,
    language VARCHAR,
    certificate_id UUID,
    cause VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    by VARCHAR NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    lifted_at TIMESTAMPTZ,
    PRIMARY KEY (id),
    FOREIGN KEY (certificate_id) REFERENCES certificate (id)
);
CREATE UNIQUE INDEX gate_hold_once ON gate_hold (axis, label, coalesce(source, ''), coalesce(language, ''), cause) WHERE lifted_at IS NULL;

CREATE TABLE gate_change (
    id UUID NOT NULL,
    axis VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    source VARCHAR,
    language VARCHAR,
    certificate_id UUID,
    hold_id UUID,
    action VARCHAR NOT NULL,
    before DOUBLE PRECISION,
    after DOUBLE PRECISION,
    loosens BOOLEAN NOT NULL,
    reason VARCHAR NOT NULL,
    by VARCHAR NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL,
    decided_by VARCHAR,
    decided_at TIMESTAMPTZ,
    comment VARCHAR,
    PRIMARY KEY (id),
    FOREIGN KEY (certificate_id) REFERENCES certificate (id),
    FOREIGN KEY (hold_id) REFERENCES gate_hold (id)
);
CREATE INDEX gate_change_newest ON gate_change (at, id);

CREATE TABLE calibrator (
    name VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    classifier VARCHAR NOT NULL,
    model_digest VARCHAR NOT NULL,
    maps JSONB NOT NULL,
    labels JSONB NOT NULL,
    state VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    live_at TIMESTAMPTZ,
    PRIMARY KEY (name),
    UNIQUE (source, version),
    FOREIGN KEY (source) REFERENCES source (name)
);

CREATE TABLE weekly_report (
    week DATE NOT NULL,
    sentences TEXT[] NOT NULL,
    figures JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (week)
);

-- What somebody said is kept for ever: a label may be taken back, which shows, and nothing else may happen to it.
CREATE FUNCTION refuse_change_of_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a label is kept for ever: take it back with undone_at';
    END IF;
    IF OLD.undone_at IS NOT NULL OR to_jsonb(NEW) - 'undone_at' IS DISTINCT FROM to_jsonb(OLD) - 'undone_at' THEN
        RAISE EXCEPTION 'a label is kept as it was said: only undone_at may be set, once';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER human_label_is_kept BEFORE UPDATE OR DELETE ON human_label
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_label();
