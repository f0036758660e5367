//! Bodies that come too slowly. Only the time counts in which a handler waits for the client, so that
//! a slow disk is not held against it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep};

use super::connection::ClientState;
use crate::base::duration::spoken;

/// Bytes that must come in the time that a client has: a byte now and then is no upload.
const LEAST: usize = 1024;

/// The rest of a body did not come in time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no more of the body came for {}", spoken(*.0))]
pub(super) struct TooSlow(Duration);

/// Bounds the waits for a request's body.
pub(super) fn bound_body(
    request: Request,
    client: Arc<ClientState>,
    patience: Duration,
) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    request.map(|body| {
        Body::from_stream(PatientBody {
            inner: body.into_data_stream(),
            client,
            patience,
            pending_since: None,
            waited: Duration::ZERO,
            fresh: 0,
            timer: None,
        })
    })
}

struct PatientBody {
    inner: BodyDataStream,
    client: Arc<ClientState>,
    patience: Duration,
    pending_since: Option<Instant>,
    /// How long the last [`LEAST`] bytes have been waited for.
    waited: Duration,
    /// How many of them are there.
    fresh: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl PatientBody {
    fn has_come(&mut self, bytes: usize) {
        if let Some(since) = self.pending_since.take() {
            self.waited += since.elapsed();
            self.client.wait_for_body(false);
        }
        self.fresh += bytes;
        if self.fresh >= LEAST {
            (self.fresh, self.waited) = (0, Duration::ZERO);
        }
    }

    /// Ends when the client has used up its time.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.pending_since.get_or_insert_with(Instant::now);
        self.client.wait_for_body(true);
        let deadline = since + self.patience.saturating_sub(self.waited);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }
}

impl Drop for PatientBody {
    fn drop(&mut self) {
        self.client.wait_for_body(false);
    }
}

impl Stream for PatientBody {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match Pin::new(&mut self.inner).poll_next(cx) {
            Poll::Ready(item) => {
                let bytes = item.as_ref().and_then(|item| item.as_ref().ok()).map_or(0, Bytes::len);
                self.has_come(bytes);
                Poll::Ready(item)
            }
            Poll::Pending => {
                ready!(self.poll_patience(cx));
                Poll::Ready(Some(Err(axum::Error::new(TooSlow(self.patience)))))
            }
        }
    }
}
