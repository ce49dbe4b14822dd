//! What all clients of the process share: the background runtime.
use crate::error::mqtt_result;
use crate::guard::guard;

/// Sets how many threads do the network for all clients: 1 unless set, at most 64. Call it before
/// the first client is made.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_set_runtime_threads(threads: u32) -> mqtt_result {
    guard(|| leveret::set_runtime_threads(usize::try_from(threads).unwrap_or(usize::MAX)))
}

/// Stops the threads of leveret. Clients that are still open end at once, without a DISCONNECT:
/// close them first. A client made later starts new threads. A process that ends need not call it.
/// Inside an inline callback: `MQTT_WOULD_DEADLOCK`.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_shutdown() -> mqtt_result {
    guard(leveret::shutdown)
}
