-- The trace context (W3C) of the request that caused an event, so that a notification leads back to
-- it. Replicas of the previous version do not write it.
ALTER TABLE events ADD COLUMN traceparent text;
