// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "xid8", schema = "pg_catalog"))]
    pub struct Xid8;
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        tenant -> Text,
        hash -> Bytea,
        scopes -> Array<Nullable<Text>>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    audit (id) {
        id -> Uuid,
        at -> Timestamptz,
        tenant -> Nullable<Text>,
        actor -> Text,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        action -> Text,
        operation -> Nullable<Text>,
        upload_id -> Nullable<Uuid>,
        subject -> Nullable<Text>,
        path -> Nullable<Text>,
        expires_at -> Nullable<Timestamptz>,
        code -> Nullable<Text>,
        count -> Int4,
    }
}

diesel::table! {
    detected_text (job_id, page, answer) {
        job_id -> Uuid,
        page -> Int4,
        answer -> Int4,
        text -> Text,
    }
}

diesel::table! {
    documents (id) {
        id -> Uuid,
        upload_id -> Uuid,
        pages -> Nullable<Int4>,
        removable -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    event_feed (system_identifier) {
        system_identifier -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    events (id) {
        id -> Uuid,
        upload_id -> Uuid,
        sequence -> Int4,
        tenant -> Text,
        kind -> Text,
        at -> Timestamptz,
        data -> Jsonb,
        notify -> Bool,
        due_at -> Timestamptz,
        attempts -> Int4,
        last_error -> Nullable<Text>,
        published_at -> Nullable<Timestamptz>,
        undeliverable_at -> Nullable<Timestamptz>,
        replayed_at -> Nullable<Timestamptz>,
        holder -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
        xid -> Xid8,
        traceparent -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency_entries (tenant, key, position) {
        tenant -> Text,
        key -> Text,
        position -> Int4,
        upload_id -> Uuid,
    }
}

diesel::table! {
    idempotency_keys (tenant, key) {
        tenant -> Text,
        key -> Text,
        request_hash -> Bytea,
        upload_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    jobs (id) {
        id -> Uuid,
        upload_id -> Uuid,
        tenant -> Text,
        processor -> Text,
        options -> Jsonb,
        status -> Text,
        attempts -> Int4,
        progress -> Nullable<Float8>,
        message -> Nullable<Text>,
        outputs -> Jsonb,
        report -> Nullable<Jsonb>,
        due_at -> Timestamptz,
        holder -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    quota_changes (id) {
        id -> Int8,
        tenant -> Text,
        bytes -> Int8,
        open_uploads -> Int8,
    }
}

diesel::table! {
    quota_usage (tenant) {
        tenant -> Text,
        bytes -> Int8,
        open_uploads -> Int8,
    }
}

diesel::table! {
    removals (id) {
        id -> Uuid,
        bucket -> Text,
        key -> Text,
        etag -> Nullable<Text>,
        ends_at -> Timestamptz,
    }
}

diesel::table! {
    signed_parts (upload_id, number) {
        upload_id -> Uuid,
        number -> Int4,
        size -> Int8,
        checksum -> Nullable<Bytea>,
    }
}

diesel::table! {
    store_abilities (endpoint, bucket) {
        endpoint -> Text,
        bucket -> Text,
        abilities -> Jsonb,
        tried_at -> Nullable<Timestamptz>,
        holder -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sweeps (bucket) {
        bucket -> Text,
        started_at -> Nullable<Timestamptz>,
        position -> Nullable<Text>,
        finished_at -> Nullable<Timestamptz>,
        holder -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    tenants (name) {
        name -> Text,
        key_prefix -> Text,
        created_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
        url_seconds -> Nullable<Int4>,
        max_url_seconds -> Nullable<Int4>,
        max_size -> Nullable<Int8>,
        content_types -> Nullable<Array<Nullable<Text>>>,
        quota_bytes -> Nullable<Int8>,
        quota_open_uploads -> Nullable<Int8>,
        retention_days -> Nullable<Int4>,
        bucket -> Nullable<Text>,
    }
}

diesel::table! {
    text_detections (job_id) {
        job_id -> Uuid,
        starts -> Int4,
        run_id -> Nullable<Text>,
        started_at -> Nullable<Timestamptz>,
        answers -> Int4,
        next_answer -> Nullable<Text>,
        pages -> Nullable<Int4>,
        missing_pages -> Array<Nullable<Int4>>,
        is_fetched -> Bool,
    }
}

diesel::table! {
    token_secrets (purpose) {
        purpose -> Text,
        secret -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    token_uses (id) {
        id -> Uuid,
        uploads -> Int8,
        bytes -> Int8,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    uploads (id) {
        id -> Uuid,
        tenant -> Text,
        path -> Text,
        bucket -> Text,
        key -> Text,
        status -> Text,
        name -> Text,
        comments -> Nullable<Text>,
        metadata -> Jsonb,
        content_type -> Text,
        size -> Nullable<Int8>,
        checksum_algorithm -> Nullable<Text>,
        checksum_value -> Nullable<Text>,
        overwrite -> Bool,
        if_match -> Nullable<Text>,
        headers -> Jsonb,
        lifetime_seconds -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        expires_at -> Timestamptz,
        uploaded_at -> Nullable<Timestamptz>,
        error_code -> Nullable<Text>,
        error_detail -> Nullable<Text>,
        object_size -> Nullable<Int8>,
        object_etag -> Nullable<Text>,
        object_version_id -> Nullable<Text>,
        object_content_type -> Nullable<Text>,
        object_checksum_algorithm -> Nullable<Text>,
        object_checksum_value -> Nullable<Text>,
        object_last_modified -> Nullable<Timestamptz>,
        verification_level -> Nullable<Text>,
        verified_by -> Nullable<Text>,
        verified_at -> Nullable<Timestamptz>,
        sequence -> Int4,
        drift -> Nullable<Text>,
        drifted_at -> Nullable<Timestamptz>,
        janitor_due_at -> Nullable<Timestamptz>,
        janitor_attempts -> Int4,
        settled_at -> Nullable<Timestamptz>,
        s3_upload_id -> Nullable<Text>,
        part_size -> Nullable<Int8>,
        part_count -> Nullable<Int4>,
        part_checksums -> Nullable<Text>,
        max_size -> Nullable<Int8>,
        counted -> Bool,
        unproven_size -> Nullable<Int8>,
        signed_size -> Nullable<Int8>,
        holder -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
        held_for -> Nullable<Text>,
        derived_from -> Nullable<Uuid>,
        by_uppy -> Bool,
        arrival_check_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    webhook_deliveries (event_id, webhook_id) {
        event_id -> Uuid,
        webhook_id -> Uuid,
        upload_id -> Uuid,
        sequence -> Int4,
        queued_at -> Timestamptz,
        due_at -> Timestamptz,
        attempts -> Int4,
        first_failed_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    webhooks (id) {
        id -> Uuid,
        tenant -> Text,
        url -> Text,
        types -> Nullable<Array<Nullable<Text>>>,
        secret -> Bytea,
        previous_secret -> Nullable<Bytea>,
        previous_secret_until -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        failures -> Int4,
        failing_since -> Nullable<Timestamptz>,
        retry_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        last_delivered_at -> Nullable<Timestamptz>,
        disabled_at -> Nullable<Timestamptz>,
        holder -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(api_keys -> tenants (tenant));
diesel::joinable!(detected_text -> text_detections (job_id));
diesel::joinable!(documents -> uploads (upload_id));
diesel::joinable!(events -> uploads (upload_id));
diesel::joinable!(idempotency_entries -> uploads (upload_id));
diesel::joinable!(idempotency_keys -> tenants (tenant));
diesel::joinable!(idempotency_keys -> uploads (upload_id));
diesel::joinable!(jobs -> tenants (tenant));
diesel::joinable!(jobs -> uploads (upload_id));
diesel::joinable!(quota_usage -> tenants (tenant));
diesel::joinable!(signed_parts -> uploads (upload_id));
diesel::joinable!(text_detections -> jobs (job_id));
diesel::joinable!(uploads -> tenants (tenant));
diesel::joinable!(webhook_deliveries -> events (event_id));
diesel::joinable!(webhook_deliveries -> webhooks (webhook_id));
diesel::joinable!(webhooks -> tenants (tenant));

diesel::allow_tables_to_appear_in_same_query!(
    api_keys,
    audit,
    detected_text,
    documents,
    event_feed,
    events,
    idempotency_entries,
    idempotency_keys,
    jobs,
    quota_changes,
    quota_usage,
    removals,
    signed_parts,
    store_abilities,
    sweeps,
    tenants,
    text_detections,
    token_secrets,
    token_uses,
    uploads,
    webhook_deliveries,
    webhooks,
);
