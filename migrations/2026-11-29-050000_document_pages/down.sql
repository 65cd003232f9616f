DROP TABLE document_pages;
DROP TABLE documents;
DROP FUNCTION search_query(text);
DROP FUNCTION displayed_text(text);
DROP FUNCTION searchable_text(text);
