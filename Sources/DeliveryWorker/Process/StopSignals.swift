import ServiceLifecycle
import UnixSignals

/// Ends the daemon at SIGTERM and SIGINT: it returns at the first one, which stops all services. The signals are
/// trapped before the services begin, so that none is lost in between.
struct StopSignals: Service, CustomStringConvertible {
    let signals: UnixSignalsSequence

    var description: String { "stop signals" }

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() { return }
    }
}
