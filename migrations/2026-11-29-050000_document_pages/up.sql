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

-- What is searched of the text of a page, in which a word is a run of letters and digits.
--
-- The parser of Postgres also knows tags, hosts, paths, signs and compound words. It searches for
-- the ends of these again from every place at which one could start, which takes minutes for a page
-- such as `~/~/~/`, and words inside of them are not found. So the characters of which they are made
-- are replaced by control characters, which no text of a page contains.
--
-- A tsvector holds at most 1 MB, and an INSERT with a larger one fails. The first 60,000 characters
-- of a page, at most 240 KB, give at most 760 KB, whatever they are.
--
-- `replace` takes a tenth of the time of `translate`.
CREATE FUNCTION searchable_text(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT replace(replace(replace(replace(replace(replace(replace(replace(replace(left($1, 60000),
        '<', E'\x03'), '&', E'\x04'), '_', E'\x05'), '~', E'\x06'), '/', E'\x07'), '@', E'\x08'),
        '.', E'\x0e'), '-', E'\x0f'), '+', E'\x10')
$$;

-- The text of which `searchable_text` has made this one.
CREATE FUNCTION displayed_text(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT translate($1, E'\x03\x04\x05\x06\x07\x08\x0e\x0f\x10', '<&_~/@.-+')
$$;

-- A query in the syntax of web search engines, in which only a hyphen before a word is an operator.
-- What is one word to a person and several words here, such as `a-b`, is a phrase.
CREATE FUNCTION search_query(text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT websearch_to_tsquery('simple', regexp_replace(searchable_text($1), E'(^|\\s)\x0f', '\1-', 'g'))
$$;

-- The folders that contain the upload, each after the name of its tenant, are lexemes of each page:
-- a search reads only index entries of the folder that its caller may see. They start with a control
-- character, which no text of a page contains.
CREATE TABLE document_pages (
    document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    page integer NOT NULL,
    folders text[] NOT NULL,
    text text NOT NULL,
    words tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector('simple', searchable_text(text)) || array_to_tsvector(folders)
    ) STORED,
    PRIMARY KEY (document_id, page),
    CONSTRAINT document_pages_page_positive CHECK (page > 0)
);

CREATE INDEX document_pages_words ON document_pages USING gin (words);
