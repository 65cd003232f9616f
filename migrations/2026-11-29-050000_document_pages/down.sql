DROP TABLE document_pages;
DROP TABLE documents;
