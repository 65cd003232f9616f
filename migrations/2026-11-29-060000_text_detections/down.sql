DROP TABLE detected_text;
DROP TABLE text_detections;
