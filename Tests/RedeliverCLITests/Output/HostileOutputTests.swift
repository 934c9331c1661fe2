import DeliverySimulation
import Foundation
import HostileInput
import ProviderAPI
import Testing

@testable import DeliveryQueue
@testable import RedeliverCLI

/// Whatever a provider writes, no output of a command steers the terminal, and each format stays what it is.
@Suite struct HostileOutputTests {
    private static let terminals = [
        Terminal.plain, Terminal(width: 80, hasColours: false), Terminal(width: 30, hasColours: true),
    ]

    @Test(arguments: 0..<4) func `hostile cells break no table, no CSV and no JSON`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<400 {
            let texts = (0..<12).map { _ in Hostile.text(&random) }
            let rows = (0..<4).map { row in texts[(row * 3)..<(row * 3 + 3)].map { Cell($0) } }
            let table = Table(["a", "b", "c"], rows)
            for terminal in Self.terminals {
                let text = table.text(on: terminal)
                #expect(Self.steering(in: text).isEmpty, "seed \(seed) round \(round)")
                #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } == 4, "seed \(seed) round \(round)")
            }
            #expect(Self.steering(in: table.csv(on: Self.terminals[1])).isEmpty, "seed \(seed) round \(round)")
            let values = Self.values(ofCSV: table.csv(on: .plain, isRaw: true))
            #expect(values.dropFirst(3) == texts[...], "seed \(seed) round \(round)")
            for value in Self.values(ofCSV: table.csv(on: .plain)) where Double(value) == nil || value.hasPrefix("+") {
                #expect(!"=+-@\t\r".utf8.contains(value.utf8.first ?? 0), "seed \(seed) round \(round): \(value)")
            }
            let line = try JSONOutput.line(texts)
            #expect(Self.steering(in: line).isEmpty && !line.contains("\n"), "seed \(seed) round \(round)")
            let read = try JSONDecoder().decode([String].self, from: Data(line.utf8))
            #expect(read.map { Array($0.utf8) } == texts.map { Array($0.utf8) }, "seed \(seed) round \(round)")
        }
    }

    /// In through the store, out through what `deliveries list` and `deliveries show` print.
    @Test(arguments: [1, 2]) func `hostile deliveries come out of the database as they went in`(seed: UInt64)
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "redeliver-hostile-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "redeliver.db").path
        let now = DeliverySample.now
        var random = SeededGenerator(seed: seed)
        let observations = (0..<150).map { Self.observation($0, at: now, &random) }
        let store = try QueueStore(path: path, now: now)
        let endpoint = Hostile.text(&random) + "x"
        try await store.registerEndpoints([(id: "e", name: endpoint)], historyFrom: now - .seconds(86_400), at: now)
        _ = try await store.ingest(
            ObservedPage(
                endpointID: "e", observations: observations, unreadable: [], progress: ScanProgress(started: now)),
            rules: RetryRules(policies: PolicyBook(entries: [])), at: now)

        let reader = try QueueReader(path: path)
        let records = try reader.deliveries(matching: DeliveryFilter(), limit: 0)
        let byTask = Dictionary(observations.map { (Array($0.taskID.utf8), $0) }) { $1 }
        #expect(records.count == 150)
        for record in records {
            let sent = try #require(byTask[Array(record.delivery.taskID.utf8)])
            #expect(Array(record.delivery.eventType.utf8) == Array((sent.eventType ?? "").utf8))
            #expect(record.delivery.customerID.map { Array($0.utf8) } == sent.customerID.map { Array($0.utf8) })
        }
        try expectPlain(DeliveryList(records), reader, endpoint: endpoint, at: now)
    }

    private func expectPlain(_ list: DeliveryList, _ reader: QueueReader, endpoint: String, at now: Timestamp) throws {
        let table = list.table(at: now)
        #expect(Self.values(ofCSV: table.csv(on: .plain, isRaw: true)).count == 151 * 11)
        #expect(try Self.steering(in: JSONOutput.text(list.rows)).isEmpty)
        for terminal in Self.terminals {
            let text = table.text(on: terminal)
            #expect(Self.steering(in: text).isEmpty)
            #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } - (terminal.width == nil ? 0 : 1) <= 150)
            for record in list.records {
                let history = try #require(try reader.history(ofDelivery: record.delivery.id))
                let body = try reader.body(ofDelivery: record.delivery.id)
                let story = DeliveryStory(
                    history, policies: PolicyBook(entries: []), daemon: .running(process: 1), body: body, at: now)
                #expect(Self.steering(in: story.text(on: terminal)).isEmpty)
                #expect(try Self.steering(in: JSONOutput.text(story)).isEmpty)
            }
        }
    }

    private static func observation(
        _ number: Int, at now: Timestamp, _ random: inout SeededGenerator
    ) -> LogObservation {
        let task = "\(number)" + storable(&random)
        return LogObservation(
            taskID: task, taskIDJSON: "\(number)", eventType: storable(&random) + "e",
            customerID: storable(&random),
            customerIDJSON: "null", webhookID: storable(&random), webhookIDJSON: "null", body: Array("{}".utf8),
            outcome: .failed, logged: now - .seconds(60), error: storable(&random))
    }

    /// Without NUL: SQLite keeps what is behind it, but a text is read up to it.
    private static func storable(_ random: inout SeededGenerator) -> String {
        String(String.UnicodeScalarView(Hostile.text(&random).unicodeScalars.filter { $0 != "\0" }))
    }

    /// What is left of a text's control characters without line breaks and our own colours.
    private static func steering(in text: String) -> [Unicode.Scalar] {
        let bare = text.replacing(/\u{1B}\[(0|1|2|31|32|33)m/, with: "")
        return bare.unicodeScalars.filter { $0 != "\n" && $0.steersDisplay }
    }

    /// A reader of RFC 4180 by itself: all fields of all lines, in order.
    private static func values(ofCSV csv: String) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var isAfterQuote = false
        for byte in csv.utf8 {
            switch byte {
            case UInt8(ascii: "\""):
                if isQuoted, isAfterQuote { field.append(byte) }
                isAfterQuote = isQuoted ? !isAfterQuote : false
                isQuoted = true
            case UInt8(ascii: ","), UInt8(ascii: "\n"):
                if isQuoted, !isAfterQuote {
                    field.append(byte)
                } else {
                    fields.append(String(decoding: field, as: UTF8.self))
                    (field, isQuoted, isAfterQuote) = ([], false, false)
                }
            default: field.append(byte)
            }
        }
        return fields
    }
}
