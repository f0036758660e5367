//! Work that writes to this disk, on a thread of its own: whoever stops waiting for it stops it, and
//! goes on only when it has stopped, so that what it wrote can be removed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::base::{Failure, Kind};

/// Stops its thread and waits for it when dropped.
struct Guard {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in it has said so itself.
            let _ = thread.join();
        }
    }
}

/// Runs `work`, which looks at its flag often and ends soon once it is set.
pub(super) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> Result<T, Failure> {
    let (sender, outcome) = oneshot::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let thread = std::thread::Builder::new()
        .name("disk".into())
        .spawn(move || {
            // Without a receiver nobody waits any more.
            let _ = sender.send(work(&flag));
        })
        .map_err(|error| Failure::wrap(Kind::Internal, error))?;
    let _guard = Guard { stop, thread: Some(thread) };
    outcome.await.map_err(|error| Failure::wrap(Kind::Internal, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_is_left_is_stopped_before_anything_else_goes_on() {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let (begun, begins) = oneshot::channel();
        let endless = on_thread(move |stop| {
            begun.send(()).unwrap();
            while !stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            seen.store(true, Ordering::Relaxed);
        });
        tokio::select! {
            _ = endless => panic!("it never ends by itself"),
            _ = begins => {}
        }
        assert!(ended.load(Ordering::Relaxed));
    }
}
