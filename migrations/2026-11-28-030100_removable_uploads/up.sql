-- What retention may remove, by tenant and age, and nothing that it never removes: what stays is not
-- read again in every round. The words of the predicate are those of the question.
CREATE INDEX uploads_removable ON uploads (tenant, updated_at)
    WHERE (status = 'Superseded'
        OR status = 'Expired' AND error_code IS DISTINCT FROM 'object-mismatch'
        OR status IN ('Deleted', 'Cancelled') AND settled_at IS NOT NULL
        OR status = 'Error' AND settled_at IS NOT NULL AND uploaded_at IS NULL
            AND error_code IS DISTINCT FROM 'object-mismatch');
DROP INDEX uploads_ended;
