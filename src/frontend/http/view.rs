//! The head of an HTTP/1.1 request, as the engine looks at one.

use crate::engine::request::Headers;
use crate::http1::RequestView;

/// The fields of a head.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadFields<'b>(pub(super) RequestView<'b>);

impl Headers for HeadFields<'_> {
    fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.fields()
    }
}
