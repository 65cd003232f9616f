//! Creates uploads for files that an Uppy client names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::form::UppyForm;
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::domain::uppy_path::{UppyFile, last_bytes};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::ids::new_id;
use crate::usecases::uploads::create::{self, Created, NewUpload, UppyUpload};
use crate::usecases::uploads::session::Session;

/// The longest display name, in bytes.
const MAX_NAME_BYTES: usize = 1_000;
/// The metadata that say where the file is to go, how it is called and how large it is. They are not
/// stored as metadata.
const FOLDER: &str = "path";
const NAME: &str = "name";
const TYPE: &str = "type";
const SIZE: &str = "fileSize";
/// The metadata with the path of the file in the folder that the user selected.
const RELATIVE_PATH: &str = "relativePath";

/// A file that an Uppy client wants to upload.
#[derive(Clone, Debug, Default)]
pub struct NewFile {
    /// The name of the file.
    pub filename: String,
    /// The media type; by default by the extension.
    pub content_type: Option<String>,
    /// The metadata of the file, as Uppy sends it.
    pub metadata: BTreeMap<String, String>,
    /// The size in bytes, if the client says it.
    pub size: Option<u64>,
}

/// Creates an upload that is sent as a form, and signs the form.
///
/// Refused as `POST /uploads` is.
pub async fn as_form(
    broker: &Arc<Broker>,
    principal: &Principal,
    file: NewFile,
) -> Result<(Upload, UppyForm)> {
    let Session { upload, .. } = as_put(broker, principal, file).await?;
    let form = broker.sign_form(principal, &upload).await?;
    Ok((upload, form))
}

/// Creates an upload that is sent in a single PUT, with the URL.
///
/// Refused as `POST /uploads` is.
pub async fn as_put(broker: &Arc<Broker>, principal: &Principal, file: NewFile) -> Result<Session> {
    let uppy = UppyUpload {
        max_size: None,
        is_unacknowledged: true,
    };
    let new = NewUpload {
        multipart: Some(false),
        uppy: Some(uppy),
        ..new_upload(broker, principal, file)?
    };
    create_one(broker, principal, new).await
}

/// Creates an upload that is sent in parts, of a size that is not known yet.
///
/// Refused as `POST /uploads` is.
pub async fn in_parts(
    broker: &Arc<Broker>,
    principal: &Principal,
    file: NewFile,
) -> Result<Upload> {
    let mut new = new_upload(broker, principal, file)?;
    // The client cuts the file as it likes, so its size is no more than a limit.
    let max_size = new.size.take();
    let uppy = UppyUpload {
        max_size,
        is_unacknowledged: false,
    };
    let new = NewUpload {
        multipart: Some(true),
        uppy: Some(uppy),
        ..new
    };
    Ok(create_one(broker, principal, new).await?.upload)
}

async fn create_one(
    broker: &Arc<Broker>,
    principal: &Principal,
    new: NewUpload,
) -> Result<Session> {
    let created = create::create(broker, principal, new, None).await;
    match created.map_err(with_names_of_uppy)? {
        Created::New(session) | Created::Before(session) => Ok(session),
    }
}

/// The pointers of a refusal, by the names that Uppy gives to the fields.
fn with_names_of_uppy(error: Error) -> Error {
    let Error::Refused(refusal) = error else {
        return error;
    };
    let names = [
        ("/path", "/metadata/path"),
        ("/name", "/filename"),
        ("/content_type", "/type"),
        ("/size", "/metadata/fileSize"),
    ];
    let refusal = names.into_iter().fold(*refusal, |refusal, (ours, theirs)| {
        refusal.with_pointer_renamed(ours, theirs)
    });
    refusal.into()
}

fn new_upload(broker: &Broker, principal: &Principal, file: NewFile) -> Result<NewUpload> {
    let NewFile {
        filename,
        content_type,
        mut metadata,
        size,
    } = file;
    if filename.is_empty() {
        return Err(Refusal::field("/filename", "is missing: the name of the file").into());
    }
    // Uppy writes a value that does not exist as the text `null`.
    metadata.retain(|name, value| !(name == RELATIVE_PATH && is_absent(value)));
    let folder = metadata.remove(FOLDER).filter(|path| !is_absent(path));
    let name = metadata.remove(NAME).filter(|name| !is_absent(name));
    metadata.remove(TYPE);
    let stated = metadata.remove(SIZE).filter(|size| !is_absent(size));
    let stated = stated.map(|size| size.parse::<u64>()).transpose();
    let stated = stated.map_err(|_| {
        let detail = "expected the number of bytes of the file";
        Refusal::field("/metadata/fileSize", detail)
    })?;
    let place = UppyFile {
        filename: &filename,
        folder: folder.as_deref(),
        relative_path: metadata.get(RELATIVE_PATH).map(String::as_str),
    };
    let callers = principal.jail.folder().map_or("/", |own| own.as_str());
    Ok(NewUpload {
        path: place.path(callers, new_id(broker.clock.now())),
        name: Some(display_name(name.as_deref().unwrap_or(&filename))),
        content_type: content_type.filter(|kind| !is_absent(kind)),
        size: size.or(stated),
        metadata,
        ..NewUpload::default()
    })
}

fn is_absent(value: &str) -> bool {
    matches!(value, "" | "null" | "undefined")
}

fn display_name(name: &str) -> String {
    last_bytes(name, MAX_NAME_BYTES).replace(char::is_control, "_")
}
