//! Where the pages for operators and developers are served.

use std::net::SocketAddr;

use super::parse::{bind, flag};
use super::reader::{Reader, Section};
use super::variable::Variable;
use super::variables::{BROKER_DOCS, BROKER_DOCS_BIND, BROKER_METRICS, BROKER_METRICS_BIND};

/// Where something is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageListener {
    /// Nowhere.
    Disabled,
    /// On the HTTP server.
    Main,
    /// On a listener at this address; those that name the same one share it.
    Separate(SocketAddr),
}

/// Where the pages for operators and developers are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// `/metrics`.
    pub metrics: PageListener,
    /// `/docs`, `/openapi.yaml` and `/openapi.json`.
    pub docs: PageListener,
}

impl Section for Pages {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let metrics = place(reader, &BROKER_METRICS, &BROKER_METRICS_BIND);
        let docs = place(reader, &BROKER_DOCS, &BROKER_DOCS_BIND);
        Some(Self {
            metrics: metrics?,
            docs: docs?,
        })
    }
}

impl Pages {
    /// The listeners that these need, each once, with the variable that names it.
    pub fn listeners(&self) -> Vec<(SocketAddr, &'static str)> {
        let mut all: Vec<(SocketAddr, &'static str)> = Vec::new();
        for (variable, address) in self.addresses() {
            if all.iter().all(|(known, _)| *known != address) {
                all.push((address, variable.name));
            }
        }
        all
    }

    /// With the variable that names it, every address that something has of its own.
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
    let at = reader.optional(address, bind);
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
