//! Uppy: the requests that `@uppy/aws-s3` sends, as they were recorded from its versions 5.1 and 6.3,
//! in the order in which it sends them. Another suite runs the clients themselves in a browser.

mod arrivals;
mod client;
mod faults;
mod files;
mod limits;
mod parts;
mod refusals;
mod sign_request;
mod single;
mod stores;
mod tokens;
