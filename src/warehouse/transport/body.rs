//! Bodies of requests: nothing, bytes in memory, or a multipart body around a feed, with an exact
//! length in every case.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::warehouse::meter::Meter;
use crate::warehouse::pace::Paced;

/// What a request carries.
pub(in crate::warehouse) enum Outgoing {
    Empty,
    Bytes(Option<Bytes>),
    Upload(Box<Upload>),
}

/// A file between the two texts of its multipart body, on its way.
pub(in crate::warehouse) struct Upload {
    pub source: Source,
    /// Bytes still to come.
    pub left: u64,
    pub meter: Arc<Meter>,
    /// Whether bytes are counted here, because nobody behind counts them.
    pub counts: bool,
    /// Where a rate is kept: what waits for its turn.
    pub paced: Option<Paced>,
}

/// Where a body's bytes come from, one after the other.
pub(in crate::warehouse) struct Source {
    pub prologue: Option<Bytes>,
    pub chunks: mpsc::Receiver<io::Result<Bytes>>,
    pub epilogue: Option<Bytes>,
}

impl Source {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(prologue) = self.prologue.take() {
            return Poll::Ready(Some(Ok(prologue)));
        }
        match self.chunks.poll_recv(context) {
            Poll::Ready(None) => Poll::Ready(self.epilogue.take().map(Ok)),
            other => other,
        }
    }
}

impl Upload {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Some(paced) = &mut self.paced else { return self.source.poll_next(context) };
        if paced.is_empty() {
            match ready!(self.source.poll_next(context)) {
                Some(Ok(bytes)) => paced.put(bytes),
                end => return Poll::Ready(end),
            }
        }
        paced.poll_piece(context).map(|piece| Some(Ok(piece)))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Bytes(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Upload(upload) => {
                let Poll::Ready(next) = upload.poll_next(context) else { return Poll::Pending };
                if let Some(Ok(bytes)) = &next {
                    upload.left = upload.left.saturating_sub(bytes.len() as u64);
                    if upload.counts {
                        upload.meter.add(bytes.len() as u64);
                    }
                }
                if upload.left == 0 {
                    upload.meter.complete();
                }
                Poll::Ready(next.map(|next| next.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Bytes(None) => true,
            Self::Bytes(Some(_)) => false,
            Self::Upload(upload) => upload.left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Empty | Self::Bytes(None) => 0,
            Self::Bytes(Some(bytes)) => bytes.len() as u64,
            Self::Upload(upload) => upload.left,
        })
    }
}
