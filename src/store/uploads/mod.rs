//! The table `uploads`.

mod acknowledge;
mod acknowledged;
mod arrival_check;
mod by_object;
mod by_s3_upload_id;
mod cancel_jobs;
mod completion;
mod drift;
mod extend;
mod find;
mod insert;
mod janitor_lease;
mod list;
mod lock;
mod multipart;
mod path_version;
mod proven;
mod row;
mod transition;
mod unproven;

pub use acknowledge::{Acknowledged, ProvenUpload, acknowledge};
pub(super) use acknowledged::ACKNOWLEDGED;
pub use acknowledged::find_acknowledged;
pub use arrival_check::schedule_arrival_check;
pub use by_object::{find_acknowledged_at_key, find_in_any_tenant, find_relying_on_object};
pub use by_s3_upload_id::find_of_uppy;
pub use completion::{lease_for_completion, release_completion};
pub use drift::{mark_drift, mark_replaced, set_drifted_size};
pub use extend::{extend, extend_many};
pub use find::{
    find_by_id, find_by_ids, find_by_ids_of_all_tenants, find_delete_target, find_newest_at_path,
};
pub use insert::{InsertMode, insert};
pub use janitor_lease::{
    DueRows, LeasedUpload, lease_due_rows, list_due_rows, mark_closed_finally_checked,
    mark_finally_checked, postpone, release_leases, renew_leases,
};
pub use list::{Filter, list};
pub use lock::OnLocked;
pub(in crate::store) use lock::lock;
pub use multipart::{
    ExpectedValues, MultipartUploadRow, add_expected_values, find_by_s3_upload_ids,
    replace_multipart, revert_expected_values,
};
pub use path_version::{PathState, PathVersion, TenantPath, read_path_state};
pub use proven::{OwnedTenantPath, ProvenRow, paths_with_uploads, proven_page};
pub(in crate::store) use transition::transition_many;
pub use transition::{Changes, transition};
pub use unproven::{mark_failed_finally_checked, set_unproven_size};
