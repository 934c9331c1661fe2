import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker

/// What a poll asks for where nothing is new.
@Suite struct PollCostTests {
    @Test(arguments: [0, 5])
    func `a poll with nothing new asks for one page, also where rows have changed in place`(every: Int) async throws {
        let bench = try await Workbench()
        let now = bench.time.now
        let log = PagedLog(bench.time, [])
        let poller = bench.poller(log.transport)
        func turn() async throws {
            bench.time.advance(by: .seconds(1))
            _ = try await poller.runOnce(at: bench.time.now)
        }
        log.change { log in
            log.pageSize = 5
            log.rows = (1...120).map { index in
                LogLine("r\(index)", "success", at: now - .seconds(20 + index)).with {
                    if every > 0, index % every == 0 { $0.updated = now - .seconds(index % 3) }
                }
            }
        }
        for _ in 0..<3 { try await turn() }
        _ = log.takeAsked()
        for _ in 0..<10 { try await turn() }

        #expect(log.asked == Array(repeating: 1, count: 10))
    }
}
