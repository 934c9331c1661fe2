import DeliveryQueue
import ProviderAPI
import Synchronization
import Testing

@testable import DeliveryWorker

/// Logs whose pages change, repeat, or never end while they are read.
@Suite struct PagingTests {
    private func lines(_ range: ClosedRange<Int>) -> [LogLine] {
        range.map { LogLine("t\($0)", at: .noon(-Double($0) * 60)) }
    }

    /// Between two pages an entry of the first is deleted: what stood at the top of the second moves to the end of the
    /// first.
    @Test func `an entry that a deletion moved over the border of two pages is not missed`() async throws {
        let bench = try await Workbench()
        let isDeleted = Mutex(false)
        let lines = lines(1...30)
        let transport = ScriptedTransport { request async throws(TransportError) in
            let number = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1
            let rows = isDeleted.withLock { isDeleted in
                if number == 2 { isDeleted = true }
                return isDeleted ? Array(lines.dropFirst()) : lines
            }
            let page = rows.dropFirst((number - 1) * 10).prefix(10)
            let next = number * 10 < rows.count ? "\"?page=\(number + 1)\"" : "null"
            return .json(
                "{\"count\": \(rows.count), \"next\": \(next), \"results\": [\(page.map(\.text).joined(separator: ","))]}"
            )
        }

        _ = try await bench.poller(transport).runOnce(at: .noon)

        #expect(try bench.tasks(.scheduled).count == 30)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 0)
    }

    @Test func `paging that links to itself ends there`() async throws {
        let bench = try await Workbench()
        let transport = ScriptedTransport { _ async throws(TransportError) in
            .json(LogText.page([LogLine("a")], next: "?page=1"))
        }

        _ = try await bench.poller(transport).runOnce(at: .noon)

        #expect(await transport.requests.count == 2)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 0)
    }

    @Test func `empty pages with ever new links leave a gap and end the turn`() async throws {
        let bench = try await Workbench()
        let transport = ScriptedTransport { request async throws(TransportError) in
            let number = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1
            return .json(LogText.page(number == 1 ? [LogLine("a")] : [], next: "?page=\(number + 1)"))
        }

        #expect(try await bench.poller(transport).runOnce(at: .noon).trouble != nil)

        #expect(await transport.requests.count < 10)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 1)
        #expect(try bench.text("SELECT last_poll_error FROM endpoint")?.contains("show nothing new") == true)
    }

    @Test func `paging that runs in a circle ends the turn, keeps what was read, and is reported`() async throws {
        let bench = try await Workbench()
        let transport = ScriptedTransport { request async throws(TransportError) in
            request.url.hasSuffix("page=2")
                ? .json(LogText.page([LogLine("b")], next: "?page=3"))
                : .json(LogText.page([LogLine("a"), LogLine("c")], next: "?page=2"))
        }
        let poller = bench.poller(transport)

        #expect(try await poller.runOnce(at: .noon).trouble != nil)

        #expect(try bench.tasks(.scheduled) == ["a", "b", "c"])
        #expect(try bench.text("SELECT last_poll_error FROM endpoint")?.contains("read already") == true)
        #expect(await transport.requests.count <= 4)
    }

    /// Also where the whole log is about as long as the overlap.
    @Test(arguments: [1, 3])
    func `a last page that links to the first keeps back no more than what is older than the log`(every: Int)
        async throws
    {
        let bench = try await Workbench()
        let lines = lines(1...60).enumerated().map { index, line in
            line.with { $0.at = .noon(-Double(index + 1) * 60 / Double(every)) }
        }
        let transport = ScriptedTransport { request async throws(TransportError) in
            let number = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1
            let rows = Array(lines.dropFirst((number - 1) * 10).prefix(10))
            return .json(LogText.page(rows, next: "?page=\(number == 6 ? 1 : number + 1)"))
        }
        let poller = bench.poller(transport)
        for _ in 0..<3 {
            bench.time.advance(by: .seconds(400))
            _ = try await poller.runOnce(at: bench.time.now)
        }

        #expect(try bench.tasks(.scheduled).count == 60)
        #expect(
            try bench.number("SELECT MAX(to_ms) FROM scan_gap WHERE is_second = 0")
                <= Int(Timestamp.noon(-58 * 60 / Double(every)).milliseconds))
        #expect(try bench.text("SELECT last_poll_error FROM endpoint")?.contains("read already") == true)
    }

    @Test(arguments: [true, false])
    func `a circle of pages is gone round less and less often`(isNewestFirst: Bool) async throws {
        let bench = try await Workbench()
        let lines = isNewestFirst ? lines(1...40) : lines(1...40).reversed()
        let transport = ScriptedTransport { request async throws(TransportError) in
            let number = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1
            let rows = Array(lines.dropFirst((number - 1) * 10).prefix(10))
            return .json(LogText.page(rows, next: "?page=\(number == 4 ? 3 : number + 1)"))
        }
        let poller = bench.poller(transport)
        for _ in 0..<300 {
            bench.time.advance(by: .seconds(1))
            _ = try? await poller.runOnce(at: bench.time.now)
        }

        #expect(await transport.requests.count { $0.url.hasSuffix("page=4") } < 15)
    }

    @Test func `after a circle the first page is read again, so that new entries are not missed`() async throws {
        let bench = try await Workbench()
        let first = LogText.page([LogLine("a"), LogLine("new")], next: "?page=2")
        let circle = ScriptedTransport { request async throws(TransportError) in
            request.url.contains("page=")
                ? .json(LogText.page([LogLine("b")], next: request.url.hasSuffix("2") ? "?page=3" : "?page=2"))
                : .json(LogText.page([LogLine("a")], next: "?page=2"))
        }
        _ = try? await bench.poller(circle).runOnce(at: .noon)

        let grown = ScriptedTransport { request async throws(TransportError) in
            request.url.contains("page=")
                ? .json(LogText.page([LogLine("b")], next: request.url.hasSuffix("2") ? "?page=3" : "?page=2"))
                : .json(first)
        }
        for turn in 1...2 { _ = try? await bench.poller(grown).runOnce(at: .noon(Double(turn) * 60)) }

        #expect(try bench.tasks(.scheduled) == ["a", "b", "new"])
    }
}
