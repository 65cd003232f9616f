DROP INDEX uploads_acknowledged;
