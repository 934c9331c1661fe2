import DeliveryQueue
import RedeliverConfiguration

extension WorkerConfiguration {
    /// A small configuration without faults; nothing listens at its provider, so that no test leaves this machine.
    static func sample(
        endpoints: String = "[{id: e-1, name: core-banking}]", folder: String = "/data", textfile: String = "m.prom"
    ) throws -> WorkerConfiguration {
        try read(
            yaml: """
                provider: {base_url: "http://127.0.0.1:9", auth: {token: t0k3n-for-tests}}
                endpoints: \(endpoints)
                database: redeliver.db
                metrics: {textfile: \(textfile)}
                """, path: "\(folder)/redeliver.yaml", environment: [:])
    }
}

extension Timestamp {
    /// 2025-06-15T12:00:00Z.
    static let noon = noon(0)

    /// Noon and this many seconds; negative ones lie before it.
    static func noon(_ seconds: Double) -> Timestamp {
        Timestamp(milliseconds: 1_749_988_800_000 + Int64((seconds * 1_000).rounded()))
    }
}
