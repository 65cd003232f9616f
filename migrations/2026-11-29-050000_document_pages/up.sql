-- Documents: the text that an attempt at a job has extracted from an upload, page by page.
--
-- The id is the token of the lease of that attempt. The pages are written in several transactions
-- while the attempt runs, and nothing reads them before `pages` is set, in the transaction that
-- ends the job. So no reader ever sees a part of a document, or pages of two attempts.
CREATE TABLE documents (
    id uuid PRIMARY KEY,
    upload_id uuid NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    pages integer,
    -- Whether the janitor is to remove it: the upload was replaced or deleted.
    removable boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    CONSTRAINT documents_pages_positive CHECK (pages > 0)
);

-- The document of an upload, of which there is one; the foreign key.
CREATE UNIQUE INDEX documents_published ON documents (upload_id) WHERE pages IS NOT NULL;
CREATE INDEX documents_of_upload ON documents (upload_id);
-- What the janitor removes.
CREATE INDEX documents_removable ON documents (id) WHERE removable;
CREATE INDEX documents_unpublished ON documents (created_at, id) WHERE pages IS NULL;

-- A tsvector holds at most 1 MB, and an INSERT with a larger one fails. The first 60,000 characters
-- of a page, at most 240 KB, give at most 760 KB, whatever they are.
--
-- The tenant is a lexeme of each page, so that the search reads no index entries of pages of other
-- tenants alone. It starts with a control character, which no text of a page contains.
CREATE TABLE document_pages (
    document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    page integer NOT NULL,
    tenant text NOT NULL,
    text text NOT NULL,
    words tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector('simple', left(text, 60000)) || array_to_tsvector(ARRAY[E'\x01' || tenant])
    ) STORED,
    PRIMARY KEY (document_id, page),
    CONSTRAINT document_pages_page_positive CHECK (page > 0)
);

CREATE INDEX document_pages_words ON document_pages USING gin (words);
