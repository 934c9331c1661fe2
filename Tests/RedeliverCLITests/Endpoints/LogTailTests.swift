import DeliveryQueue
import ProviderAPI
import Testing

@testable import RedeliverCLI

/// What a person sees of a log: the newest lines, and later what is new.
@Suite struct LogTailTests {
    private let overlap = Duration.seconds(900)

    /// Entries `from` down to `to`, a minute apart: entry n was logged n minutes after noon.
    private func newestFirst(_ from: Int, _ to: Int) -> [LogLine] {
        stride(from: from, through: to, by: -1).map { LogLine("t\($0)", at: .noon + .seconds($0 * 60)) }
    }

    /// The task ids of each reading over pages that answer in this order.
    private func readings(_ tail: LogTail, _ answers: [HTTPResponse], count: Int = 1) async throws -> [[String?]] {
        let client = LogPages(answers).client
        var tail = tail
        var readings: [[String?]] = []
        for _ in 0..<count { readings.append(try await tail.read("e1", from: client).lines.map(\.taskID)) }
        return readings
    }

    private func page(_ lines: [LogLine], next: String? = nil) -> HTTPResponse {
        let list = lines.map(\.text).joined(separator: ",\n")
        return answer("{\"results\": [\(list)], \"next\": \(next.map { "\"\($0)\"" } ?? "null")}")
    }

    private func answer(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, body: Array(text.utf8))
    }

    @Test func `the newest lines come oldest first, and a newest-first log is not read further than needed`()
        async throws
    {
        let transport = LogPages([
            page(newestFirst(99, 80), next: "?p=2"), page(newestFirst(79, 60), next: "?p=3"), page(newestFirst(59, 40)),
        ])
        var tail = LogTail(limit: 10, onlyFailures: false, overlap: overlap)

        let reading = try await tail.read("e1", from: transport.client)

        #expect(reading.lines.map(\.taskID) == (90...99).map { "t\($0)" })
        #expect(reading.isCut)
        #expect(await transport.reads == 2)
    }

    @Test func `a log in another order is read to its end before its newest lines are known`() async throws {
        let oldestFirst = newestFirst(59, 0).reversed()
        let shuffled = oldestFirst.enumerated().sorted { ($0.offset * 37 % 60) < ($1.offset * 37 % 60) }.map(\.element)
        for lines in [Array(oldestFirst), shuffled] {
            let answers = [
                page(Array(lines[..<20]), next: "?p=2"), page(Array(lines[20..<40]), next: "?p=3"),
                page(Array(lines[40...])),
            ]
            let found = try await readings(LogTail(limit: 3, onlyFailures: false, overlap: overlap), answers)
            #expect(found == [["t57", "t58", "t59"]])
        }
    }

    @Test func `a next page that cannot be followed cuts the reading, which says why`() async throws {
        let client = LogPages([page(newestFirst(9, 0), next: "ftp://a.test/2")]).client
        var tail = LogTail(limit: 20, onlyFailures: false, overlap: overlap)
        let reading = try await tail.read("e1", from: client)
        #expect(reading.lines.count == 10 && reading.isCut && reading.fault?.kind == .unreadableAnswer)
    }

    @Test(arguments: [0, 60, 100, Int.max]) func `a limit that is not reached leaves nothing out`(limit: Int)
        async throws
    {
        let client = LogPages([page(newestFirst(59, 30), next: "?p=2"), page(newestFirst(29, 0))]).client
        var tail = LogTail(limit: limit, onlyFailures: false, overlap: overlap)
        let reading = try await tail.read("e1", from: client)
        #expect(reading.lines.map(\.taskID) == (0...59).map { "t\($0)" })
        #expect(!reading.isCut)
    }

    @Test func `a further reading brings only what is new, once`() async throws {
        let answers = [
            page(newestFirst(10, 0)), page(newestFirst(10, 0)), page(newestFirst(12, 0)),
            page([LogLine("late", at: .noon + .seconds(60 * 5))] + newestFirst(12, 0)), page([]),
            page(newestFirst(13, 0)),
        ]
        let tail = LogTail(limit: 2, onlyFailures: false, overlap: overlap)
        let found = try await readings(tail, answers, count: 6)
        #expect(found == [["t9", "t10"], [], ["t11", "t12"], ["late"], [], ["t13"]])
    }

    @Test func `an old entry that the first reading did not reach is not new`() async throws {
        let answers = [
            page(newestFirst(99, 70), next: "?p=2"), page(newestFirst(69, 60), next: "?p=3"),
            page(newestFirst(100, 71), next: "?p=2"), page(newestFirst(70, 20)),
        ]
        let tail = LogTail(limit: 5, onlyFailures: false, overlap: overlap)
        let found = try await readings(tail, answers, count: 2)
        #expect(found[1] == ["t100"])
    }

    @Test func `a row that is changed in place is new again`() async throws {
        let line = LogLine("t")
        var changed = line
        (changed.status, changed.updated) = ("success", .noon + .seconds(5))
        let answers = [page([line]), page([changed])]
        let found = try await readings(LogTail(limit: 1, onlyFailures: false, overlap: overlap), answers, count: 2)
        #expect(found == [["t"], ["t"]])
    }

    @Test func `a reading that fails loses nothing`() async throws {
        let client = LogPages([
            page(newestFirst(1, 0)), page(newestFirst(3, 2), next: "?p=2"), answer("", status: 503),
            page(newestFirst(3, 0)),
        ]).client
        var tail = LogTail(limit: 9, onlyFailures: false, overlap: overlap)
        _ = try await tail.read("e1", from: client)
        await #expect(throws: ProviderError.self) { try await tail.read("e1", from: client) }
        #expect(try await tail.read("e1", from: client).lines.map(\.taskID) == ["t2", "t3"])
    }

    @Test func `with failures only, entries that nobody understands are shown too, and no body ever`() async throws {
        let strange = #"{"task_id": "x", "status": "exploded", "body": "b0dy"}"#
        let lines = [LogLine("ok", "success").text, strange, LogLine("bad").text, LogLine("wait", "pending").text]
        let client = LogPages([answer("[\(lines.joined(separator: ","))]")]).client
        var tail = LogTail(limit: 0, onlyFailures: true, overlap: overlap)

        let found = try await tail.read("e1", from: client).lines
        #expect(found.map(\.outcome) == [.unreadable, .failed])
        #expect(found[0].taskID == nil && found[0].detail?.hasPrefix("unknown_outcome: ") == true)
        #expect(!"\(found)".contains("b0dy") && !"\(found)".contains(#""n": 1"#))
    }

    @Test func `entries without a time are shown, first, and once`() async throws {
        let lines = [LogLine("b", at: .noon), LogLine("a", at: nil)]
        let tail = LogTail(limit: 0, onlyFailures: false, overlap: overlap)
        #expect(try await readings(tail, [page(lines), page(lines)], count: 2) == [["a", "b"], []])
    }

    @Test func `a log that leads in a circle ends with an error`() async throws {
        let client = LogPages([page([LogLine("a")], next: "?p=2"), page([LogLine("b")], next: "?p=2")]).client
        var tail = LogTail(limit: 0, onlyFailures: false, overlap: overlap)
        let error = await #expect(throws: ProviderError.self) { try await tail.read("e1", from: client) }
        #expect(error?.kind == .unreadableAnswer)
    }

    @Test func `the newest stretch of a log is shown whole, and no more is read`() async throws {
        let pages = [(99, 90), (89, 80), (79, 70), (69, 60), (59, 50)].map {
            page(newestFirst($0, $1), next: "?p=\($0)")
        }
        let transport = LogPages(pages)
        var tail = LogTail(newest: .seconds(60 * 20))
        let lines = try await tail.read("e1", from: transport.client).lines
        #expect(lines.map(\.taskID) == (60...99).map { "t\($0)" })
        #expect(await transport.reads == 4)
    }
}
