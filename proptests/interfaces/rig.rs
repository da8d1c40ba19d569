//! The four interfaces side by side, in front of the same recording backends.

use crate::backend::Recorder;
use crate::configuration::configuration;
use crate::http1;
use crate::http2;
use crate::observation::Observation;
use crate::processes::{Folder, HttpGateway, StdioGateway};
use crate::request::ClientRequest;

/// The processes with their configuration.
#[derive(Debug)]
pub(crate) struct Rig {
    recorder: Recorder,
    http: HttpGateway,
    stdio: StdioGateway,
    forwarding: StdioGateway,
    _folder: Folder,
}

impl Rig {
    pub(crate) fn start() -> Self {
        let recorder = Recorder::default();
        let folder = Folder::with(&configuration(&recorder));
        Self {
            recorder,
            http: HttpGateway::start(&folder),
            stdio: StdioGateway::start(&folder, &[]),
            forwarding: StdioGateway::start(&folder, &["--forward"]),
            _folder: folder,
        }
    }

    /// Sends a request through every interface that can express it.
    pub(crate) fn observe(&mut self, request: &ClientRequest) -> Vec<(&'static str, Observation)> {
        let response = http1::exchange(self.http.address, request);
        let over_http1 = Observation::of_http(&response, &self.recorder.take());
        let mut observations = vec![("HTTP/1.1", over_http1)];
        if let Some(response) = http2::exchange(self.http.address, request) {
            let over_http2 = Observation::of_http(&response, &self.recorder.take());
            observations.push(("HTTP/2", over_http2));
        }
        let response = self.forwarding.exchange(request);
        let forwarded = Observation::of_stdio(&response, Some(&self.recorder.take()));
        observations.push(("stdio --forward", forwarded));
        let response = self.stdio.exchange(request);
        assert!(self.recorder.take().is_empty(), "stdio sends nothing");
        observations.push(("stdio", Observation::of_stdio(&response, None)));
        observations
    }

    /// Sends a request through every interface, and returns their common observation.
    ///
    /// # Errors
    /// The first two interfaces that differ, and in what.
    pub(crate) fn agree(&mut self, request: &ClientRequest) -> Result<Observation, String> {
        let observations = self.observe(request);
        for (at, (one, this)) in observations.iter().enumerate() {
            for (other, that) in observations.iter().skip(at + 1) {
                if let Some(difference) = this.difference(that) {
                    return Err(format!(
                        "{request:?}\n{one} and {other} differ:\n{difference}"
                    ));
                }
            }
        }
        let (_, first) = observations.into_iter().next().unwrap();
        Ok(first)
    }
}
