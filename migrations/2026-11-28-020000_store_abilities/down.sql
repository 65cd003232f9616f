DROP TABLE store_abilities;
