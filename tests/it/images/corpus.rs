//! Every image of the corpus ends as the corpus says, with the pixels of another library.

use super::scene::{make_corpus, run_script};

#[tokio::test]
async fn images_of_the_corpus_have_the_pixels_of_pillow_or_the_right_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    make_corpus(folder.path().to_owned()).await;
    let folder = folder.path().to_str().expect("UTF-8");
    let program = env!("CARGO_BIN_EXE_upload-broker");
    let arguments = vec![program.to_owned(), folder.to_owned()];
    // It fails with the names of the images.
    let printed = run_script("check_images.py", arguments).await;
    assert!(printed.contains("images, 0 faults"), "{printed}");
}
