//! A processor may write several results, and records for the database. The broker believes nothing
//! that it cannot check.

use serde_json::json;
use upload_broker::processors::child::ChildError;

use super::scene::{Scene, bytes_of, input};

#[tokio::test]
async fn each_result_has_a_file_of_its_own_and_so_have_the_records() {
    let scene = Scene::new();
    let names = ["small", "large", "1600"];
    let finished = scene.try_run(json!({"named": names}), vec![]).await;
    let finished = finished.expect("a success");
    scene.assert_empty();
    let results = finished.results.into_iter().map(|result| {
        assert_eq!(result.result_type.kind, "note");
        assert_eq!(result.result_type.content_type, "text/plain");
        (result.name.expect("a name"), bytes_of(result.local))
    });
    let expected = names.map(|name| (name.to_owned(), name.as_bytes().to_vec()));
    assert_eq!(results.collect::<Vec<_>>(), expected);
    let records = bytes_of(finished.records.expect("records"));
    let records = String::from_utf8(records).expect("UTF-8");
    let expected = "{\"name\":\"small\"}\n{\"name\":\"large\"}\n{\"name\":\"1600\"}\n";
    assert_eq!(records, expected);
}

#[tokio::test]
async fn processor_may_have_no_result() {
    let scene = Scene::new();
    let finished = scene.try_run(json!({"named": []}), vec![]).await;
    let finished = finished.expect("a success");
    assert!(finished.results.is_empty() && finished.records.is_none());
}

#[tokio::test]
async fn misuse_of_names_is_a_failure_of_the_processor() {
    let scene = Scene::new();
    for names in [json!(["a", "a"]), json!(["../a"])] {
        let failure = scene.fail(json!({"named": names}), vec![]).await;
        assert_eq!(failure.code, "io", "{failure:?}");
    }
}

#[tokio::test]
async fn records_count_as_output() {
    let scene = Scene::new().limited(|limits| limits.output_bytes = 20);
    scene.run(json!({"write": 20}), vec![]).await;
    // 6 bytes of results, and 26 of records.
    let failure = scene.fail(json!({"named": ["one", "two"]}), vec![]).await;
    assert_eq!(failure.code, "output-limit", "{failure:?}");
}

#[tokio::test]
async fn process_that_claims_outputs_that_it_may_not_have_has_crashed() {
    let scene = Scene::new();
    let claim = |results, records_size: u64| {
        let line = json!({"report": null, "results": results, "records_size": records_size});
        json!({"claim": line.to_string()})
    };
    let html = json!([{"extension": "html", "name": null, "size": 0}]);
    let path = json!([{"extension": "bin", "name": "../../../a", "size": 0}]);
    let large = json!([{"extension": "bin", "name": null, "size": 1}]);
    let twice = json!({"extension": "bin", "name": null, "size": 0});
    for claim in [
        claim(html, 0),
        claim(path, 0),
        claim(large, 0),
        claim(json!([twice, twice]), 0),
        claim(json!([]), 1),
    ] {
        let failure = scene.fail(claim.clone(), vec![input("a")]).await;
        assert_eq!(failure.code, "crashed", "{claim}: {failure:?}");
        assert!(failure.is_permanent, "{claim}: {failure:?}");
    }
    // The same with what is true.
    let honest = json!([{"extension": "bin", "name": "a", "size": 0}]);
    let finished = scene.try_run(claim(honest, 0), vec![input("a")]).await;
    let finished = finished.map_err(|error: ChildError| error.to_string());
    assert_eq!(finished.map(|finished| finished.results.len()), Ok(1));
}
