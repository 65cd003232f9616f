//! The aggregation of song plays by another program.

use std::path::Path;

use crate::support::python;

const REFERENCE: &str = "
import csv, sys
sums = {}
rows = csv.reader(sys.stdin)
next(rows)
for song, date, plays in rows:
    sums[song, date] = sums.get((song, date), 0) + int(plays)
out = csv.writer(sys.stdout, lineterminator='\\n')
out.writerow(['Song', 'Date', 'sum(Number of Plays)'])
for key in sorted(sums):
    out.writerow([*key, sums[key]])
";

/// Adds the plays in `rows` per song and date with Python, which reads them from a file in `folder`.
pub(super) async fn aggregate_plays(folder: &Path, rows: &str) -> String {
    let input = folder.join("rows.csv");
    std::fs::write(&input, rows).expect("a file");
    let script = REFERENCE.replace("sys.stdin", &format!("open({input:?}, newline='')"));
    let run = tokio::task::spawn_blocking(move || python::run(&["-c", &script], &[]));
    let result = run.await.expect("Python");
    std::fs::remove_file(&input).expect("the file");
    result
}
