import DeliveryQueue
import GRDB
import ProviderAPI
import TestSupport
import Testing

@testable import DeliveryWorker

/// Goal: whatever the order of the log, however pages shift while we page and wherever a scan is interrupted, every
/// failure inside the lookback ends up in the database.
///
/// Method: a log that grows while it is read, cut into pages by offset as most providers do; a transport that fails in
/// the middle; real polls until the log counts as read. The seed makes it all.
@Suite struct LogScanPropertyTests {
    enum Order: CaseIterable, Sendable {
        case newestFirst, oldestFirst, shuffled
    }

    /// A provider's log that grows by itself between two requests.
    actor GrowingLog {
        private var random: SeededNumbers
        private let order: Order
        private let pageSize: Int
        private var entries: [(line: LogLine, rank: UInt64)] = []
        private var requestsUntilFailure: Int
        private var isCalm = false
        let time: VirtualTime

        init(seed: UInt64, order: Order, time: VirtualTime) {
            random = SeededNumbers(seed: seed)
            self.order = order
            self.time = time
            pageSize = Int.random(in: 3...25, using: &random)
            requestsUntilFailure = Int.random(in: 1...6, using: &random)
            for number in 0..<Int.random(in: 1...160, using: &random) {
                let age = Double.random(in: 0...250_000, using: &random)
                entries.append(Self.entry(number, at: .noon(-age), using: &random))
            }
        }

        private static func entry(
            _ number: Int, at time: Timestamp, using random: inout SeededNumbers
        ) -> (line: LogLine, rank: UInt64) {
            let status = Double.random(in: 0...1, using: &random) < 0.7 ? "failure" : "success"
            return (LogLine("t\(number)", status, at: time).with { $0.body = "\(number)" }, random.next())
        }

        func calmDown() { isCalm = true }

        var failures: Set<String> {
            Set(entries.filter { $0.line.status == "failure" }.map { String($0.line.task.dropFirst().dropLast()) })
        }

        func answer(_ request: HTTPRequest) -> HTTPResponse {
            time.advance(by: .seconds(Int64.random(in: 0...4, using: &random)))
            if !isCalm {
                requestsUntilFailure -= 1
                if requestsUntilFailure == 0 {
                    requestsUntilFailure = Int.random(in: 1...6, using: &random)
                    return HTTPResponse(status: Bool.random(using: &random) ? 500 : 404)
                }
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    // Most entries are new, some are late by up to ten minutes.
                    let late = Int64.random(in: 0...600, using: &random) / Int64.random(in: 1...60, using: &random)
                    entries.append(Self.entry(entries.count, at: time.now - .seconds(late), using: &random))
                }
            }
            let sorted = entries.sorted { left, right in
                switch order {
                case .newestFirst: (right.line.at ?? .noon, right.rank) < (left.line.at ?? .noon, left.rank)
                case .oldestFirst: (left.line.at ?? .noon, left.rank) < (right.line.at ?? .noon, right.rank)
                case .shuffled: left.rank < right.rank
                }
            }
            let offset = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 0
            let page = sorted.dropFirst(offset).prefix(pageSize).map(\.line)
            let next = offset + pageSize < sorted.count ? "?offset=\(offset + pageSize)" : nil
            return .json(LogText.page(page, next: next))
        }
    }

    @Test(arguments: Order.allCases, 0..<10)
    func `every failure inside the lookback is found`(order: Order, seed: Int) async throws {
        let bench = try await Workbench(policy: RetryPolicy(jitter: 0))
        let log = GrowingLog(seed: UInt64(seed), order: order, time: bench.time)
        let transport = ScriptedTransport { request async throws(TransportError) in await log.answer(request) }
        let poller = bench.poller(transport)

        for _ in 0..<12 {
            _ = try? await poller.runOnce(at: bench.time.now)
            bench.time.advance(by: .seconds(60))
        }
        await log.calmDown()
        // A scan that began after the log's last change, read to its end, is what silence of the log is judged by.
        let calm = bench.time.now.milliseconds
        var isRead = false
        for _ in 0..<60 where !isRead {
            _ = try await poller.runOnce(at: bench.time.now)
            // A page that could not be read is tried again after five minutes at most.
            bench.time.advance(by: .seconds(20))
            isRead =
                try bench.number(
                    "SELECT last_scan_ms >= \(calm) AND NOT EXISTS (SELECT 1 FROM scan_gap) FROM endpoint") == 1
        }

        #expect(isRead, "seed \(seed)")
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 0, "seed \(seed)")
        let found = Set(try bench.rows("SELECT task_id FROM delivery").map { $0["task_id"] as String })
        let missing = await log.failures.subtracting(found).sorted()
        #expect(missing.isEmpty, "seed \(seed)")
        #expect(try bench.text("SELECT last_poll_error FROM endpoint") == nil, "seed \(seed)")
    }
}
