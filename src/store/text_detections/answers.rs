//! Adds the text of answers, and discards it.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use uuid::Uuid;

use super::leased_job::LeasedJob;
use crate::domain::text_detection::{DetectedText, DetectionRun};
use crate::store::schema::detected_text;
use crate::store::{Connection, Error, Result};

/// An answer of a run.
#[derive(Clone, Debug)]
pub struct NewAnswer<'a> {
    /// The number of pages of the document.
    pub pages: u32,
    /// The text of the answer.
    pub texts: &'a [DetectedText],
    /// The pages that could not be read.
    pub missing_pages: &'a BTreeSet<u32>,
    /// The token of the next answer; `None` if this is the last one.
    pub next_answer: Option<&'a str>,
}

/// SQL: records an answer of the run `$3` after `$4` others, if the job `$1` has the lease with the
/// token `$2`.
const RECORD: &str = "UPDATE text_detections SET answers = answers + 1, next_answer = $5, pages = $6, \
     missing_pages = ARRAY(SELECT DISTINCT page FROM unnest(missing_pages || $7) AS page), \
     is_fetched = $8 \
     WHERE job_id = $1 AND run_id = $3 AND answers = $4 AND NOT is_fetched AND EXISTS ( \
         SELECT FROM jobs WHERE id = $1 AND status = 'Running' AND holder = $2)";

/// SQL: the text of an answer of the job `$1`.
const INSERT: &str = "INSERT INTO detected_text (job_id, page, answer, text) \
     SELECT $1, new.page, $2, new.text FROM unnest($3::integer[], $4::text[]) AS new (page, text)";

/// Adds the answer that follows those of `run`, in one transaction. Returns whether the job still has
/// its lease and the run; otherwise nothing is changed.
pub async fn add_answer(
    connection: &mut Connection,
    job: LeasedJob,
    run: &DetectionRun,
    answer: &NewAnswer<'_>,
) -> Result<bool> {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let missing: Vec<i32> = answer.missing_pages.iter().copied().map(number).collect();
    let pages: Vec<i32> = answer.texts.iter().map(|text| number(text.page)).collect();
    let texts: Vec<&str> = answer.texts.iter().map(|text| &*text.text).collect();
    connection
        .transaction(async |connection| {
            let recorded = diesel::sql_query(RECORD)
                .bind::<SqlUuid, _>(job.id)
                .bind::<SqlUuid, _>(job.token)
                .bind::<Text, _>(&run.id)
                .bind::<Integer, _>(number(run.answers))
                .bind::<Nullable<Text>, _>(answer.next_answer)
                .bind::<Integer, _>(number(answer.pages))
                .bind::<Array<Integer>, _>(&missing)
                .bind::<Bool, _>(answer.next_answer.is_none())
                .execute(connection)
                .await?;
            if recorded > 0 && !texts.is_empty() {
                diesel::sql_query(INSERT)
                    .bind::<SqlUuid, _>(job.id)
                    .bind::<Integer, _>(number(run.answers))
                    .bind::<Array<Integer>, _>(&pages)
                    .bind::<Array<Text>, _>(&texts)
                    .execute(connection)
                    .await?;
            }
            Ok::<_, Error>(recorded > 0)
        })
        .await
}

/// SQL: forgets the answers of the job `$1`, if it has the lease with the token `$2`.
const DISCARD: &str = "UPDATE text_detections SET answers = 0, next_answer = NULL, pages = NULL, \
     missing_pages = '{}', is_fetched = false WHERE job_id = $1 AND EXISTS ( \
         SELECT FROM jobs WHERE id = $1 AND status = 'Running' AND holder = $2)";

/// Discards all answers of the run of a job, so that they are fetched again. Returns whether the job
/// still has its lease; otherwise nothing is changed.
pub async fn discard_answers(connection: &mut Connection, job: LeasedJob) -> Result<bool> {
    connection
        .transaction(async |connection| {
            let discarded = diesel::sql_query(DISCARD)
                .bind::<SqlUuid, _>(job.id)
                .bind::<SqlUuid, _>(job.token)
                .execute(connection)
                .await?;
            if discarded > 0 {
                delete_text(connection, job.id).await?;
            }
            Ok::<_, Error>(discarded > 0)
        })
        .await
}

/// Deletes the text of a job. The caller has locked its row in `text_detections`.
pub(super) async fn delete_text(connection: &mut Connection, job: Uuid) -> Result<()> {
    diesel::delete(detected_text::table.filter(detected_text::job_id.eq(job)))
        .execute(connection)
        .await?;
    Ok(())
}
