//! Finds how far the detection for a job is.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::text_detection::{DetectionRun, TextDetection};
use crate::store::schema::text_detections;
use crate::store::{Connection, Result};

#[derive(Queryable, Selectable)]
#[diesel(table_name = text_detections)]
struct Row {
    starts: i32,
    run_id: Option<String>,
    started_at: Option<DateTime<Utc>>,
    answers: i32,
    next_answer: Option<String>,
    pages: Option<i32>,
    missing_pages: Vec<Option<i32>>,
    is_fetched: bool,
}

/// Finds the detection for a job. A job without one is as if none was started yet.
pub async fn find(connection: &mut Connection, job: Uuid) -> Result<TextDetection> {
    let row: Option<Row> = text_detections::table
        .find(job)
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(Row::into_detection).unwrap_or_default())
}

impl Row {
    fn into_detection(self) -> TextDetection {
        let number = |number: i32| u32::try_from(number).unwrap_or_default();
        let missing = self.missing_pages.into_iter().flatten().map(number);
        let missing_pages: BTreeSet<u32> = missing.collect();
        let run = self.run_id.zip(self.started_at);
        TextDetection {
            starts: number(self.starts),
            run: run.map(|(id, started_at)| DetectionRun {
                id,
                started_at,
                answers: number(self.answers),
                next_answer: self.next_answer,
                pages: self.pages.map(number),
                missing_pages,
                is_fetched: self.is_fetched,
            }),
        }
    }
}
