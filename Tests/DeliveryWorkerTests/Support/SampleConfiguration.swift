import DeliveryQueue
import ProviderAPI

@testable import DeliveryWorker
@testable import RedeliverConfiguration

extension WorkerConfiguration {
    /// A whole configuration for a workbench's database; few calls at once, so that a rate limit shows.
    static func `for`(_ bench: Workbench, endpoints: [String] = ["e1"]) -> WorkerConfiguration {
        WorkerConfiguration(
            provider: .init(
                baseURL: Workbench.baseAddress, credential: .token(Secret("t-1")), requestTimeout: .seconds(30),
                fields: .standard),
            endpoints: endpoints.map { .init(id: $0, name: $0 == "e1" ? "core" : $0, webhookID: nil) },
            database: bench.path, metrics: .init(textfile: bench.folder + "/redeliver.prom", interval: .seconds(15)),
            poll: .init(interval: .seconds(60), overlap: .seconds(900), initialLookback: .seconds(72 * 3_600)),
            confirm: .init(by: .log, interval: .seconds(15), within: .seconds(600)),
            retry: .init(concurrency: 4, perSecond: 10, burst: 5, freshWithin: .seconds(5)),
            circuit: CircuitSettings(isEnabled: false),
            policies: PolicyBook(entries: [.init(events: ["*"], policy: .quick)]))
    }
}
