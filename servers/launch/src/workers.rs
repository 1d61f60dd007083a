use std::future::Future;
use std::io;
use std::time::Duration;

use contract::Settings;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::time::sleep;

/// Listens, and runs `serve` on tokio with `WORKERS` threads: for contenders that bring no runtime of their own.
///
/// # Errors
/// Those of [`listen`](crate::listen), and threads that cannot be started.
pub fn run<F>(settings: &Settings, serve: impl FnOnce(TcpListener) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = crate::listen(settings)?;
    let runtime =
        runtime::Builder::new_multi_thread().worker_threads(settings.workers.get()).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        // Spawned, because the thread that blocks here would be one event loop more than the settings allow.
        tokio::spawn(serve(listener)).await.map_err(io::Error::other)
    })
}

/// The next connection. An error is of a connection that is gone already, or of too many open files: a
/// short pause is right for both, and no reason to stop serving.
pub async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}
