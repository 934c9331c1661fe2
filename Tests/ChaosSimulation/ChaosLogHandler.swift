import DeliverySimulation
import Logging

/// Takes what the worker logs into the trace, and tells an error that is the worker's own from one of the provider's.
struct ChaosLogHandler: LogHandler {
    let process: ChaosProcess
    let world: ChaosWorld
    let time: VirtualTime
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard !process.isDead else { return }
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let text = "\(event.message) \(metadata.joined(separator: " "))"
        world.withTruth { truth in
            truth.note("log \(event.level) \(text)", at: time.now)
            guard "\(event.message)" == "turn failed", !Self.isTheProviders(text) else { return }
            truth.violate("no loop fails for a reason of its own", text, at: time.now)
        }
    }

    /// Only polls fail when the provider does.
    private static func isTheProviders(_ text: String) -> Bool {
        text.contains("loop=poll") && !text.contains("database") && !text.contains("SQLite")
            && !text.contains("a delivery cannot move") && !text.contains("lease token")
    }
}
