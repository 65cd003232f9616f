//! Searches the text of the current datasets.

use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use crate::domain::document::normalize;
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::store::documents::{self, Candidates, FoundPage, MATCH_END, MATCH_START};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::list::with_slash;

/// The allowed number of pages in a result.
pub const LIMITS: std::ops::RangeInclusive<u16> = 1..=100;
/// The number of pages if the caller does not set a limit.
pub const DEFAULT_LIMIT: u16 = 20;
/// The longest query in bytes.
const MAX_QUERY_BYTES: usize = 1_000;
/// The brackets around each match in a snippet.
const BRACKETS: (char, char) = ('\u{27e6}', '\u{27e7}');

/// What to search for.
#[derive(Clone, Debug)]
pub struct Search {
    /// The query, in the syntax of web search engines.
    pub query: String,
    /// The start of the paths, with or without the leading slash.
    pub prefix: Option<String>,
    /// The largest number of pages.
    pub limit: u16,
}

/// A page that matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The path of the dataset.
    pub path: String,
    /// The upload of the dataset.
    pub upload_id: Uuid,
    /// The number of the page.
    pub page: u32,
    /// How well it matches: larger is better.
    pub rank: f32,
    /// A part of the page as plain text, with `⟦` and `⟧` around each match. The same brackets in
    /// the text itself are replaced by ordinary ones.
    pub snippet: String,
}

impl From<FoundPage> for Hit {
    fn from(found: FoundPage) -> Self {
        Self {
            path: found.path,
            upload_id: found.upload_id,
            page: u32::try_from(found.page).unwrap_or_default(),
            rank: found.rank,
            snippet: with_brackets(&found.snippet),
        }
    }
}

/// The pages that were found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The pages, best first.
    pub hits: Vec<Hit>,
    /// The start of the paths that were searched: the prefix, or else the folder of the caller.
    pub searched: String,
}

/// Finds the pages that match best, in datasets that the caller may see. A query whose words are none
/// for Postgres finds nothing.
pub async fn search(broker: &Broker, principal: &Principal, search: &Search) -> Result<Found> {
    let query = normalized(&search.query)?;
    let prefix = with_slash("/prefix", search.prefix.clone())?;
    let candidates = Candidates {
        tenant: &principal.tenant,
        prefix: prefix.as_deref(),
        within: principal.jail.folder().map(|within| within.as_str()),
    };
    let mut connection = broker.connection().await?;
    let found = connection
        .transaction(async |connection| {
            documents::use_indexes(connection).await?;
            documents::search(connection, &query, &candidates, search.limit).await
        })
        .await?;
    let searched = candidates.prefix.or(candidates.within).unwrap_or("/");
    Ok(Found {
        hits: found.into_iter().map(Hit::from).collect(),
        searched: searched.to_owned(),
    })
}

/// Normalizes a query as pages are. Refuses one without a word.
fn normalized(query: &str) -> Result<String> {
    if query.len() > MAX_QUERY_BYTES {
        let detail = format!("must not be longer than {MAX_QUERY_BYTES} bytes");
        return Err(Refusal::field("/q", detail).into());
    }
    let (query, _) = normalize(query, usize::MAX);
    match query.contains(char::is_alphanumeric) {
        true => Ok(query),
        false => Err(Refusal::field("/q", "must have a word").into()),
    }
}

/// Replaces the marks of the store by brackets, and each run of white space by one space.
fn with_brackets(snippet: &str) -> String {
    let marked = snippet.chars().map(|character| match character {
        MATCH_START => BRACKETS.0,
        MATCH_END => BRACKETS.1,
        own if own == BRACKETS.0 => '[',
        own if own == BRACKETS.1 => ']',
        character => character,
    });
    let marked: String = marked.collect();
    let words: Vec<&str> = marked.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_matches_are_in_brackets() {
        let snippet = " a \u{1}b\u{2}\n\t<b>\u{27e6}c\u{27e7}";
        assert_eq!(with_brackets(snippet), "a \u{27e6}b\u{27e7} <b>[c]");
    }

    #[test]
    fn query_needs_a_word_and_is_bounded() {
        assert_eq!(normalized("\u{fb01}le").unwrap(), "file");
        for query in ["", " ", "\"\"", "-", "\u{202e}", &"a".repeat(1_001)] {
            assert!(normalized(query).is_err(), "{query}");
        }
    }
}
