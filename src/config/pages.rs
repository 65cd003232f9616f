//! Which listeners serve the pages for operators and developers, and whether there is a web page.

use std::net::SocketAddr;

use super::parse::{flag, socket_address};
use super::reader::{Reader, Section};
use super::variable::Variable;
use super::variables::{
    BROKER_DOCS, BROKER_DOCS_BIND, BROKER_METRICS, BROKER_METRICS_BIND, BROKER_PAGE,
};

/// The listener that serves a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageListener {
    /// The page is not served.
    Disabled,
    /// The listener of the API.
    Main,
    /// A separate listener at this address. Pages with the same address share one.
    Separate(SocketAddr),
}

/// Which listeners serve the pages for operators and developers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// `/metrics`.
    pub metrics: PageListener,
    /// `/docs`, `/openapi.yaml` and `/openapi.json`.
    pub docs: PageListener,
    /// Whether the listener of the API serves the web page at `/`.
    pub web_page: bool,
}

impl Section for Pages {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let metrics = place(reader, &BROKER_METRICS, &BROKER_METRICS_BIND);
        let docs = place(reader, &BROKER_DOCS, &BROKER_DOCS_BIND);
        let web_page = reader.value(&BROKER_PAGE, flag);
        Some(Self {
            metrics: metrics?,
            docs: docs?,
            web_page: web_page?,
        })
    }
}

impl Pages {
    /// The separate listeners, each once, with the name of the variable that sets its address.
    pub fn listeners(&self) -> Vec<(SocketAddr, &'static str)> {
        let mut all: Vec<(SocketAddr, &'static str)> = Vec::new();
        for (variable, address) in self.addresses() {
            if all.iter().all(|(known, _)| *known != address) {
                all.push((address, variable.name));
            }
        }
        all
    }

    /// Every address of a separate listener, with the variable that sets it.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'static Variable, SocketAddr)> {
        let at = |variable, place| match place {
            PageListener::Separate(address) => Some((variable, address)),
            PageListener::Disabled | PageListener::Main => None,
        };
        let metrics = at(&BROKER_METRICS_BIND, self.metrics);
        metrics.into_iter().chain(at(&BROKER_DOCS_BIND, self.docs))
    }
}

fn place(
    reader: &mut Reader<'_>,
    switch: &'static Variable,
    address: &'static Variable,
) -> Option<PageListener> {
    let on = reader.value(switch, flag);
    let at = reader.optional(address, socket_address);
    match (on?, at?) {
        (true, None) => Some(PageListener::Main),
        (true, Some(address)) => Some(PageListener::Separate(address)),
        (false, None) => Some(PageListener::Disabled),
        (false, Some(_)) => {
            let detail = format!("must not be set while {} is false", switch.name);
            reader.fault(address, detail);
            None
        }
    }
}
