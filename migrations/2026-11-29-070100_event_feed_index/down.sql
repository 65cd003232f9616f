DROP INDEX events_feed;
